"""The report: a page that stands alone, is well formed, and says what the answer says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate, report_html
from joulecast.report.html import ANSWER, save_html
from joulecast.report.words import readable, two

VOID = {"meta", "br", "wbr", "rect", "line", "link", "img"}


class Page(HTMLParser):
    """Text and elements of a page; fails where tags do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.answer = ""
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.answer += data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(f"{word} " for word in self.words).split())


plans = st.fixed_dictionaries(
    {"year": st.sampled_from([2022, 2024])},
    optional={
        "params": st.sampled_from(["7B", "70B"]),
        "device": st.sampled_from(["h100-sxm", "tpu-v4", "a100-sxm-80"]),
        "device_count": st.sampled_from([8, 512]),
        "region": st.sampled_from(["fr", "us-va", "in"]),
        "provider": st.just("gcp"),
        "given": st.sampled_from(
            [
                {"pue": "1.1..1.2"},
                {"mfu": "0.3..0.4..0.5"},
                {"device_hours": 1e5},
                {"energy_kwh": 5},
            ]
        ),
    },
).map(lambda fields: Plan(**{"tokens": "1T", "params": "1B", **fields}))


@settings(max_examples=30)
@given(plans)
def test_a_page_is_well_formed_holds_the_total_and_every_source(plan: Plan) -> None:
    footprint = estimate(plan)
    page = Page(report_html(footprint))
    assert json.loads(page.answer) == footprint.to_dict()
    assert footprint.headline is not None
    shown, unit = readable(footprint.headline)
    assert f"{two(shown.value)} {unit}" in page.text
    for entry in footprint.assumptions:
        assert entry.name in page.text.replace("_ ", "_")
        if not entry.given:
            assert entry.source in page.text
    for citation in footprint.citations:
        assert " ".join(citation.text.split()) in page.text
    for notice in footprint.warnings:
        assert " ".join(notice.message.split()) in page.text


def test_a_page_of_a_fleet_tells_its_types_and_prices_their_currency() -> None:
    entries = [{"device": "h100-sxm", "share": 0.6}, {"device": "tpu-v5p", "region": "us-ia"}]
    plan = Plan(params="7B", tokens="1T", region="fr", year=2024, fleet=entries,
                given={"price_per_kwh": "0.2 EUR/kWh"})  # fmt: skip
    footprint = estimate(plan)
    text = Page(report_html(footprint)).text
    for part in footprint.fleet:
        total = part.quantities["total_kgco2e"]
        assert total is not None
        assert part.label in text and two(total.to("t").value) in text
    assert "0.2 EUR/kWh" in text and "EUR" in footprint.explain()


BESIDE = Plan(
    params="8B", tokens="2T", device="h100-sxm", device_count=256, region="us-va", year=2024,
    project_factor="lab", given={"market_gco2e_per_kwh": 20}, use={"tokens": "1T/year"},
)  # fmt: skip
FLEET = Plan(
    params="7B", tokens="1T", year=2024,
    fleet=(
        {"device": "h100-sxm", "device_count": 256, "share": 0.6, "region": "fr"},
        {"device": "tpu-v5p", "device_count": 512, "region": "us-ia"},
    ),
)  # fmt: skip


def test_use_project_and_contract_stand_beside_the_total() -> None:
    footprint = estimate(BESIDE)
    text = Page(report_html(footprint)).text
    use, project = footprint.use_phase, footprint.quantities["project_kgco2e"]
    assert use is not None and project is not None
    assert f"Project {two(project.to('t').value)} tCO2e, run x 1.8" in text
    assert "market-based" in text and "In no figure above. On 1 x h100-sxm" in text
    year = use.results["energy_per_year_kwh"]
    assert year is not None and f"A year of use {two(year.to('MWh').value)} MWh" in text
    for entry in use.assumptions:
        assert entry.given or entry.source in text
    plain = Page(report_html(estimate(Plan(params="8B", tokens="2T")))).text
    assert "Use, once trained" not in plain and "Project" not in plain and "Fleet" not in plain


def test_a_fleet_shows_each_entry_and_whose_each_input_is() -> None:
    footprint = estimate(FLEET)
    text = Page(report_html(footprint)).text
    for part in footprint.fleet:
        total = part.quantities["total_kgco2e"]
        assert part.label in text and total is not None and two(total.to("t").value) in text
    assert "mean power of one device over the reserved hours; Google TPU v5p" in text
    assert "What drives the range" in text and "assumption.utilisation.tpu" not in text


def test_no_page_is_wider_than_a_phone(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    frames = ""
    for number, plan in enumerate((BESIDE, FLEET)):
        save_html(estimate(plan), tmp_path / f"{number}.html")
        frames += f'<iframe src="{number}.html" style="width:390px;height:800px"></iframe>'
    script = (
        "onload=()=>{document.title=[...document.querySelectorAll('iframe')]"
        ".map(f=>f.contentDocument.documentElement.scrollWidth).join(' ')}"
    )
    (tmp_path / "phone.html").write_text(f"<title></title>{frames}<script>{script}</script>")
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
            "--allow-file-access-from-files", "--virtual-time-budget=5000",
            f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "phone.html").as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    widths = re.search(r"<title>([\d ]+)</title>", done.stdout)
    assert widths is not None
    assert max(map(int, widths[1].split())) <= 390


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = Page(report_html(estimate(Plan(params="7B", tokens="2T"))))
    tags = {tag for tag, _, _ in page.attributes}
    assert not tags & {"link", "img", "iframe", "object"}
    names = {name for _, name, _ in page.attributes}
    assert not names & {"src", "href", "srcset"}
    assert not any(name.startswith("on") for name in names)
    assert ("script", "type", "application/json") in page.attributes


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """A user's own records may hold anything."""
    bad = "</script><script>alert('x')</script> & \"q\" <b>"
    fp = estimate(Plan(params="7B", tokens="2T", device="h100-sxm", year=2024))
    hostile: Any = {
        "plan": {**fp.plan, "device_name": bad, "region_name": bad, "region": "x"},
        "assumptions": tuple(
            one._replace(source=bad, note=bad, flag=bad, unit=bad) for one in fp.assumptions
        ),
        "warnings": tuple(one._replace(message=bad) for one in fp.warnings),
        "citations": tuple(one._replace(text=bad, key=bad) for one in fp.citations),
    }
    # A bad unit cannot be drawn as a driver; the names alone matter here.
    attacked = fp.replace(**hostile, drivers=())
    text = report_html(attacked)
    page = Page(text)
    assert text.count("<script") == 1
    assert "<b>" not in text
    assert json.loads(page.answer)["plan"]["device_name"] == bad
    assert " ".join(bad.split()) in page.text
    cell = attacked._repr_html_()
    assert "<script" not in cell and "<b>" not in cell and "alert" in cell


def test_the_by_hand_factors_of_the_page_multiply_to_the_headline() -> None:
    fp = estimate(Plan(params="70B", tokens="15T", device="h100-sxm", region="us-va", year=2024))
    text = report_html(fp)
    block = text[text.index("<h2>By hand") : text.index("<h2>Given")]
    display = 0.0
    for sign, factor in re.findall(
        r'<th scope="row">(.?)</th><td class="num"[^>]*>([^<]+)<', block
    ):
        number = float(factor)
        display = {
            "": number, "×": display * number, "÷": display / number, "+": display + number
        }[sign]  # fmt: skip
    assert fp.total is not None
    assert display == pytest.approx(fp.total.to("t").value, rel=1e-3)


def test_the_command_writes_it_once(joulecast: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    args = ("--params", "7B", "--tokens", "2T", "--device", "h100-sxm", "--region", "fr")
    done = joulecast("estimate", *args, "--html", str(file), "--quiet")
    assert done.returncode == 0 and done.stderr == f"wrote {file}\n"
    expected = estimate(Plan(params="7B", tokens="2T", device="h100-sxm", region="fr"))
    assert file.read_text(encoding="utf-8") == report_html(expected)
    assert f'id="{ANSWER}"' in file.read_text(encoding="utf-8")
    with pytest.raises(JoulecastError, match="is there already"):
        save_html(expected, file)
    save_html(expected, file, force=True)
