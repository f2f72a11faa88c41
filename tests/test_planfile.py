"""Plan files: both ways, and kind about mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate
from joulecast.plan import merged
from joulecast.plan.file import dump

FULL = """\
[model]
params = "70B"

[data]
tokens = "15T"

[hardware]
device = "h100-sxm"

[place]
region = "us-va"
year = 2024

[given]
mfu = [0.35, 0.43, 0.50]
pue = 1.1
"""


def written(folder: Path, text: str | bytes, name: str = "plan.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_is_the_plan_it_says(tmp_path: Path) -> None:
    plan = Plan.read(written(tmp_path, FULL))
    same = Plan(
        params=70e9, tokens=15e12, device="h100-sxm", region="us-va", year=2024,
        given={"mfu": [0.35, 0.43, 0.50], "pue": 1.1},
    )  # fmt: skip
    assert plan == same
    assert estimate(plan).to_json() == estimate(same).to_json()


def test_a_byte_order_mark_and_crlf_are_no_matter(tmp_path: Path) -> None:
    text = FULL.replace("\n", "\r\n").encode("utf-8-sig")
    assert Plan.read(written(tmp_path, text)) == Plan.read(written(tmp_path, FULL, "b.toml"))


def test_the_command_reads_a_file_and_flags_win(joulecast: Run, tmp_path: Path) -> None:
    path = written(tmp_path, FULL)
    from_file = joulecast("estimate", str(path), "--json")
    assert from_file.stdout.strip() == estimate(Plan.read(path)).to_json()
    flagged = joulecast("estimate", str(path), "--params", "7B", "--set", "pue=1.3", "--json")
    expected = Plan(
        params=7e9, tokens=15e12, device="h100-sxm", region="us-va", year=2024,
        given={"mfu": [0.35, 0.43, 0.50], "pue": 1.3},
    )  # fmt: skip
    assert flagged.stdout.strip() == estimate(expected).to_json()


def test_precedence_is_flag_set_file() -> None:
    base: dict[str, Any] = {"tokens": "1T", "params": "7B", "given": {"pue": 1.5}}
    assert merged(base, {}, {}).tokens == 1e12
    over = merged(base, {"tokens": "2T", "pue": "1.4"}, {})
    assert over.tokens is None and over.given == {"tokens": "2T", "pue": "1.4"}
    plan = merged(base, {"tokens": "2T"}, {"tokens": "3T"})
    assert estimate(plan).plan["tokens"] == 3e12
    # Another way to say the same thing replaces the file's way.
    assert merged(base, {}, {"unique_tokens": "1T", "epochs": 2}).tokens is None


def test_phases_sum_and_mix_their_precisions(tmp_path: Path) -> None:
    phases = '\n[[phase]]\ntokens = "{a}"\nprecision = "bf16"\n\n[[phase]]\ntokens = "{b}"\nprecision = "fp8"\nseq_len = 131072\n'  # fmt: skip
    head = '[model]\nparams = "7B"\n\n[hardware]\ndevice = "h100-sxm"\n'
    half = Plan.read(written(tmp_path, head + phases.format(a="1T", b="1T")))
    footprint = estimate(half)
    assert footprint.plan["tokens"] == 2e12
    speedup = next(a for a in footprint.assumptions if a.name == "precision_speedup")
    # Half the FLOP at 1 and half at 1.22 take (0.5 + 0.5 / 1.22) of the time.
    assert speedup.value == pytest.approx(1 / (0.5 + 0.5 / 1.22))
    swapped = Plan(
        params=7e9, device="h100-sxm",
        phases=[{"tokens": 1e12, "precision": "fp8"}, {"tokens": 1e12, "precision": "bf16"}],
    )  # fmt: skip
    assert estimate(swapped).total == footprint.total


@given(
    st.fixed_dictionaries(
        {
            "params": st.floats(1e6, 1e13),
            "tokens": st.floats(1e6, 1e14),
            "device": st.sampled_from(["h100-sxm", "a100-sxm-80"]),
            "given": st.dictionaries(
                st.sampled_from(["pue", "mfu", "grid_gco2e_per_kwh"]),
                st.sampled_from([0.5, "0.4..0.6", [0.3, 0.4, 0.5]]),
            ).filter(lambda d: "pue" not in d),
        },
        optional={
            "region": st.sampled_from(["fr", "us-va", "São Paulo"]),
            "runs": st.integers(1, 50),
            "project_factor": st.sampled_from([2, "1.5..2..4"]),
            "seq_len": st.sampled_from([4096, "512:128"]),
            "document_len": st.sampled_from([1, 1024, "2k"]),
            "mtp_depth": st.integers(0, 2),
            "only_given": st.booleans(),
            "phases": st.just([{"tokens": 5e11, "precision": "fp8"}]),
        },
    )
)
def test_what_is_saved_reads_back_the_same(values: dict[str, Any]) -> None:
    import tempfile

    plan = Plan(**values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.toml"
        plan.save(path)
        again = Plan.read(path)
        assert dump(again.said()) == dump(plan.said())
        for name in plan.fields:
            one, two = getattr(plan, name), getattr(again, name)
            assert list(one) == list(two) if isinstance(one, tuple) else one == two


def test_saving_never_writes_over_a_file(joulecast: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "precious")
    done = joulecast("estimate", "--flop", "1e22", "--save", str(path))
    assert done.returncode == 2
    assert done.stderr == f"error: {path}: is there already; try another name\n"
    assert path.read_text() == "precious"
    nowhere = tmp_path / "none" / "plan.toml"
    done = joulecast("estimate", "--flop", "1e22", "--save", str(nowhere))
    assert done.stderr == f"error: {nowhere}: the folder {nowhere.parent} does not exist\n"


def test_the_command_saves_what_was_asked(joulecast: Run, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    args = ("--params", "70B", "--tokens", "15T", "--device", "H100", "--set", "mfu=0.3..0.4")
    first = joulecast("estimate", *args, "--save", str(path), "--json")
    assert path.read_text() == (
        '[model]\nparams = "70B"\n\n[data]\ntokens = "15T"\n\n[hardware]\ndevice = "H100"\n\n'
        '[given]\nmfu = "0.3..0.4"\n'
    )
    assert joulecast("estimate", str(path), "--json").stdout == first.stdout


MISTAKES = [
    ("", "{path}: is empty; try [model]\\nparams = \"7B\""),
    ("   \n", "{path}: is empty; try [model]\\nparams = \"7B\""),
    (b"\x89PNG\r\n\x1a\n\x00\xff", "{path}: is not a text file"),
    (b"[model]\nparams = \"7B\"\x00", "{path}: is not a text file"),
    ("[model\nparams = 1", "{path}: is not TOML: Expected ']' at the end of a table declaration (at line 1, column 7)"),
    ('[model]\nparams = "7B"\nparms = "8B"', "{path}: line 3: parms: is not a key of [model]; try params, active_params"),
    ('[model]\nparams = "7B"\n[date]\ntokens = "2T"', "{path}: line 3: date: is not a section of a plan; try [data]"),
    ('[model]\ntokens = "7B"', "{path}: line 2: tokens: is not a key of [model]; try tokens under [data]"),
    ('[model]\nparams = "7B"\n[given]\npuee = 1.1', "{path}: line 4: puee: is not a key of [given]; try pue"),
    ('params = "7B"', "{path}: line 1: params: must stand in its section; try params under [model]"),
    ('model = "llama-3.1-8b"', "{path}: line 1: model: must be a section; try [model]"),
    ('[phase]\ntokens = "1T"', "{path}: line 1: phase: must be a section; try [[phase]]"),
    ('[fleet]\ndevice = "h100-sxm"', "{path}: line 1: fleet: must be a section; try [[fleet]]"),
    ('[[fleet]]\ndevice = "h100-sxm"\n[[fleet]]\ndevise = "h100-sxm"', "{path}: line 4: devise: is not a key of [fleet]; try device, device_count"),
    ('[[fleet]]\ndevice = "h100-sxm"\nshare = "1.5"', "fleet.share: 1.5: must be above 0 and at most 1; try 0.5"),
    ('[hardware]\ndevice = "h100-sxm"\n[[fleet]]\ndevice = "b200-sxm"', "device: h100-sxm: belongs to the entries of the fleet; try device under [[fleet]]"),
    ('[model]\nid = "gpt-3-175b"\nconfig = "config.json"', "{path}: [model] has both id and config: leave one out"),
    ('[model]\nparams = "7 kg"\n[data]\ntokens = "2T"', "params: 7 kg: has 'kg' after the number, expected a plain count; try 7B, 1.5T, 3e12"),
    ('[model]\nparams = true\n[data]\ntokens = "2T"', "params: True: is not a number"),
    ('[model]\nparams = [1, 2]', "params: is a list or an array: a plan holds one value, sweep takes many"),
    ('[model]\nparams = "7B"\n[data]\ntokens = "2T"\n[given]\nmfu = [0.5, 0.4, 0.3]', "mfu: [0.5, 0.4, 0.3]: is a range out of order; try 0.3..0.4..0.5"),
    ('[model]\nparams = "7B"\n[data]\ntokens = "2T"\n[run]\nonly_given = "maybe"', "only_given: maybe: must be true or false"),
    ('[model]\nparams = "7B"\n[data]\ntokens = "2T"\n[[phase]]\nprecision = "fp8"', "phase.tokens: is missing"),
    ('[model]\nparams = "7B"\n[data]\ntokens = "2T"\n[[phase]]\ntokens = "1T"', "tokens: 2e12: contradicts the phases = 1e12; try giving one of the two"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_in_a_file_is_named_with_its_line(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(JoulecastError) as error:
        estimate(Plan.read(path))
    assert str(error.value) == message.format(path=path)


def test_a_file_that_is_not_there_or_is_a_folder(joulecast: Run, tmp_path: Path) -> None:
    written(tmp_path, FULL, "my-plan.toml")
    missing = tmp_path / "myplan.toml"
    done = joulecast("estimate", str(missing))
    expected = f"error: {missing}: no such plan file; try {tmp_path / 'my-plan.toml'}\n"
    assert (done.returncode, done.stderr) == (2, expected)
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    done = joulecast("estimate", str(folder))
    assert done.stderr == f"error: {folder}: is a folder, expected a plan file\n"
