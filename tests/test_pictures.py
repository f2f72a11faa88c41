"""Pictures: as wide as a column, the same bytes every time, and what they show is the answer."""

from __future__ import annotations

import itertools
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from matplotlib.figure import Figure

from joulecast import Comparison, Footprint, JoulecastError, Plan, compare, estimate, plot
from joulecast.report.pictures import LADDER, places_of

PLAN = Plan(params="70B", tokens="15T", device="h100-sxm", region="us-va", year=2024)


@pytest.fixture(scope="module")
def footprint() -> Footprint:
    return estimate(PLAN)


@pytest.fixture(scope="module")
def places() -> Comparison:
    return compare(PLAN, vary={"region": ["fr", "us-va", "pl"]})


def words(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>(?:<tspan[^>]*>)?([^<]+)<", path.read_text())


@pytest.mark.parametrize("picture", ["waterfall", "ranges", "tornado"])
@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf"])
def test_the_same_answer_gives_the_same_bytes(
    footprint: Footprint, picture: str, ending: str, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}{ending}" for name in "ab"]
    for file in files:
        plot(footprint, file, picture)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"2026" not in files[0].read_bytes() or ending != ".svg"


@pytest.mark.parametrize("picture", ["waterfall", "ranges", "tornado"])
def test_a_picture_is_as_wide_as_a_column(
    footprint: Footprint, picture: str, tmp_path: Path
) -> None:
    plot(footprint, tmp_path / "a.png", picture)
    width, _ = struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24])
    assert width == 660  # 3.3 inches of 200 dots


def test_a_waterfall_shows_each_part_and_the_total(footprint: Footprint, tmp_path: Path) -> None:
    plot(footprint, tmp_path / "a.svg")
    said = words(tmp_path / "a.svg")
    assert footprint.total is not None
    for word in ("devices", "hosts", "network", "cooling", "embodied"):
        assert word in said
    assert any(word.startswith("total ") for word in said)
    shares = [int(share) for word in said for share in re.findall(r"\((\d+)%\)", word)]
    assert len(shares) == 5 and abs(sum(shares) - 100) <= 2


FLEET = Plan(
    params="7B", tokens="1T", year=2024,
    fleet=(
        {"device": "h100-sxm", "device_count": 256, "share": 0.6, "region": "fr"},
        {"device": "tpu-v5p", "device_count": 512, "region": "us-ia"},
    ),
)  # fmt: skip
SMALL = Plan(params="10M", tokens="1B", device="v100-sxm2-32")


def drawn(plan: Plan, picture: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure behind a picture, laid out as it was saved."""
    figures: list[Figure] = []
    save = Figure.savefig

    def kept(self: Figure, *args: Any, **more: Any) -> None:
        save(self, *args, **more)
        self.set_dpi(200)
        self.draw_without_rendering()
        figures.append(self)

    monkeypatch.setattr(Figure, "savefig", kept)
    plot(places_of(plan) if picture == "ladder" else estimate(plan), path, picture)
    (figure,) = figures
    return figure


@pytest.mark.parametrize(
    ("plan", "picture"),
    [
        *((plan, one) for plan in (PLAN, FLEET, SMALL) for one in ("waterfall", "ranges", "tornado")),
        (PLAN, "ladder"),
        (SMALL, "ladder"),
    ],
)  # fmt: skip
def test_no_label_is_cut_off_or_lies_on_another(
    plan: Plan, picture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = drawn(plan, picture, tmp_path / "a.png", monkeypatch)
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    ticks = [one.label1 for one in axes.xaxis.get_major_ticks() if low <= one.get_loc() <= high]
    legend = axes.get_legend()
    others = [*axes.get_yticklabels(), axes.xaxis.label, *axes.texts]
    others += legend.get_texts() if legend else []
    for text in (*ticks, *others):
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y0 >= -1 and box.y1 <= figure.bbox.y1 + 1, text.get_text()
        assert float(text.get_fontsize()) >= 6
    for labels in (ticks, axes.get_yticklabels()):
        boxes = [one.get_window_extent() for one in labels]
        assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))


def test_a_tick_is_labelled_with_its_own_value(tmp_path: Path) -> None:
    """A tick at 1,250 is not called 1,200."""
    plan = PLAN.replace(region="no", given={"mfu": (0.3, 0.4, 0.5)})
    for number, runs in enumerate((1, 2, 3, 5)):
        path = tmp_path / f"{number}.svg"
        plot(estimate(plan.replace(runs=runs)), path)
        ticks = [
            float(word.replace(",", "")) for word in words(path) if re.fullmatch(r"[\d,.]+", word)
        ]
        steps = {round(b - a, 6) for a, b in itertools.pairwise(ticks)}
        assert len(ticks) >= 3 and len(steps) == 1


def test_a_tornado_of_a_fleet_names_the_devices(tmp_path: Path) -> None:
    plot(estimate(FLEET), tmp_path / "a.svg", "tornado")
    said = words(tmp_path / "a.svg")
    assert "Google TPU v5p" in said and not any("assumption." in word for word in said)


def test_a_ladder_goes_from_most_to_least_by_name(places: Comparison, tmp_path: Path) -> None:
    plot(places, tmp_path / "a.svg")
    said = words(tmp_path / "a.svg")
    rungs = [word for word in said if word in ("Poland", "Virginia", "France")]
    assert rungs == ["Poland", "Virginia", "France"]


def test_the_ladder_of_a_plan_has_its_own_place_first_and_each_place_once() -> None:
    labels = [option.label for option in places_of(PLAN).options]
    assert labels == ["us-va", *LADDER]
    there = places_of(PLAN.replace(region="fr"))
    assert sorted(option.label for option in there.options) == sorted(LADDER)


def test_exact_and_small_answers_can_be_drawn(tmp_path: Path) -> None:
    plan = Plan(
        given={"device_hours": 3.5, "device_power_w": 200, "grid_gco2e_per_kwh": 500},
        only_given=True,
    )
    plot(estimate(plan), tmp_path / "a.svg")
    plot(estimate(plan), tmp_path / "b.svg", "ranges")
    assert "350 gCO2e" in words(tmp_path / "b.svg")
    alike = compare(plan, vary={"pue": [1, 2]})
    plot(alike, tmp_path / "c.svg")
    assert "pue 2" in words(tmp_path / "c.svg")


def test_a_ladder_of_a_footprint_is_refused(footprint: Footprint, tmp_path: Path) -> None:
    with pytest.raises(JoulecastError, match="--picture: ladder: is not a picture of this answer"):
        plot(footprint, tmp_path / "a.svg", "ladder")


def test_the_commands_draw(joulecast: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    args = ("--params", "7B", "--tokens", "2T", "--device", "h100-sxm", "--plot", str(file))
    done = joulecast("estimate", *args, "--picture", "ladder", "--quiet")
    assert done.returncode == 0 and done.stderr == f"wrote {file}\n"
    assert {"Sweden", "South Africa"} <= set(words(file))
    again = joulecast("compare", *args, "--vary", "region=fr,pl", "--quiet")
    assert again.returncode == 2 and "is there already; try another name, --force" in again.stderr
    forced = joulecast("compare", *args, "--vary", "region=fr,pl", "--quiet", "--force")
    assert forced.returncode == 0 and "Poland" in words(file)
