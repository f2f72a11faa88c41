"""Ratios measured in one run: `make bench`.

Times on one machine say little about another; each figure therefore stands beside a yardstick
measured in the same run, in turn with it.
"""

from __future__ import annotations

import compileall
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from joulecast import Library, Plan, Sweep, estimate, model, solve, sweep, uncertainty
from joulecast.chain import chain
from joulecast.estimation import _drivers, drawn, quantities_of
from joulecast.laws.law import constants_of, laws_of
from joulecast.plan import varied
from joulecast.resolve import resolve

#: The yardstick of the whole process: two commands, NumPy imported, one model defined.
BASELINE = """
import numpy as np
import typer
from pydantic import BaseModel

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


class Run(BaseModel):
    params: float
    tokens: float
    device: str = "h100"


@app.command()
def estimate(params: float, tokens: float) -> None:
    run = Run(params=params, tokens=tokens)
    typer.echo(str(np.float64(6) * run.params * run.tokens))


@app.command()
def show(name: str = "h100") -> None:
    typer.echo(name)


app()
"""
PLAN = Plan(
    params="32.2B", tokens="6.6T", device="h100-sxm", device_count=1024, region="us", year=2025
)
COMMAND = [
    "estimate", "--params", "32.2B", "--tokens", "6.6T", "--device", "h100-sxm",
    "--device-count", "1024", "--region", "us", "--year", "2025",
]  # fmt: skip
PAIRS = 21


def main() -> None:
    """Measure and print every figure beside its limit."""
    print("figure                                           measured   limit")
    _process()
    _inside()
    _sweeps()


#: What of the command line is started -> its words and its limit over the yardstick app.
STARTS: dict[str, tuple[list[str], float]] = {
    "estimate --json": (["-m", "joulecast", *COMMAND, "--json"], 0.80),
    "--version": (["-m", "joulecast", "--version"], 0.50),
    "--help": (["-m", "joulecast", "--help"], 0.90),
    "import joulecast": (["-c", "import joulecast"], 0.15),
}

#: Answers once in a fresh interpreter: milliseconds from the plan to the footprint.
FIRST = """
import time
from joulecast import Plan, estimate
plan = Plan(params="32.2B", tokens="6.6T", device="h100-sxm", device_count=1024, region="us")
start = time.perf_counter()
estimate(plan)
print((time.perf_counter() - start) * 1e3)
"""


def _process() -> None:
    """Cold starts of an installed copy, in turn with the yardstick app."""
    with tempfile.TemporaryDirectory() as folder:
        site = _installed(Path(folder))
        script = Path(folder) / "baseline.py"
        script.write_text(BASELINE)
        theirs = [sys.executable, str(script), "estimate", "7e9", "2e12"]
        # Children compile nothing, and find the installed copy before an editable one.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPATH"] = str(site)
        try:
            _check_installed(site)
            for name, (words, limit) in STARTS.items():
                _start(name, [sys.executable, *words], theirs, limit)
            print(f"first estimate(), fresh interpreter [ms]         {_first():8.1f}")
            _lists([sys.executable, str(script), "--help"])
        finally:
            del os.environ["PYTHONPATH"]


def _installed(folder: Path) -> Path:
    """A wheel of this checkout, unpacked and compiled as an installer leaves it."""
    root = Path(__file__).parents[1]
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(root),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    compileall.compile_dir(str(site), quiet=1)
    return site


def _check_installed(site: Path) -> None:
    """Refuse to measure an editable install, or modules without byte code: both start slower."""
    ask = "import joulecast as j, numpy, typer; print(*(m.__cached__ for m in (j, numpy, typer)))"
    done = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True)
    ours, *others = map(Path, done.stdout.split())
    if site not in ours.parents:
        raise SystemExit(f"bench: measures {ours.parents[1]}, which is not the installed copy")
    missing = [path for path in (ours, *others) if not path.exists()]
    if missing:
        raise SystemExit(f"bench: no byte code beside {missing[0].parents[1]}: compileall makes it")


def _start(name: str, ours: list[str], theirs: list[str], limit: float) -> None:
    for command in (ours, theirs):
        _run(command)
    pairs = [(_run(ours), _run(theirs)) for _ in range(PAIRS)]
    ratios = [one[0] / two[0] for one, two in pairs]
    _row(f"{name} over the yardstick app (median)", statistics.median(ratios), limit)
    low, _, high = statistics.quantiles(ratios, n=4)
    memory = statistics.median(one[1] / two[1] for one, two in pairs)
    peak = max(one[1] for one, _ in pairs)
    spread = f"{low:.2f} to {high:.2f}"
    print(f"  quartiles of {PAIRS} pairs {spread}; memory {memory:.2f} ({peak:.0f} MiB)")


def _first() -> float:
    """Median of milliseconds of a first answer."""
    command = [sys.executable, "-c", FIRST]
    runs = (subprocess.run(command, check=True, capture_output=True) for _ in range(11))
    return statistics.median(float(run.stdout) for run in runs)


def _lists(bare: list[str]) -> None:
    """`list` beside the yardstick app's `--help`, in turn with it."""
    for what in ("devices", "regions"):
        command = [sys.executable, "-m", "joulecast", "list", what]
        pairs = [(_run(command)[0], _run(bare)[0]) for _ in range(PAIRS)]
        _row(
            f"list {what} over the yardstick's --help",
            statistics.median(a / b for a, b in pairs),
            2.0,
        )


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds of processor time of one run, and its peak memory in MiB."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=os.environ)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _RSS_UNIT


_RSS_UNIT = 1024 if sys.platform != "darwin" else 1024**2


def _inside() -> None:
    library = Library.bundled()
    settled = resolve(PLAN, library)
    numbers = uncertainty.nominal(settled.only.ordered())
    floats = {name: float(number) for name, number in numbers.items()}

    def core() -> None:
        quantities_of(settled.middle, *drawn([settled]))
        _drivers(settled)

    bare = _best(lambda: chain(floats))
    inner = _best(core)
    whole = _best(lambda: estimate(PLAN, library))
    _row("chain + quantiles + shares [ms]", inner * 1e3, 2.0)
    _row("estimate(), library loaded [ms]", whole * 1e3, 5.0)
    print(f"chain + quantiles + shares over the bare chain   {inner / bare:8.1f}")
    print(f"estimate() over the bare chain on plain floats   {whole / bare:8.1f}")
    _counting()
    _inverse()
    _solving(library)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(50):
        estimate(PLAN, library)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / _RSS_UNIT
    print(f"memory grown over 50 estimates [MiB]             {grown:8.1f}")
    draws = np.asarray(drawn([settled])[0].base("total_kgco2e")).size
    print(f"draws in the sample                              {draws:8d}")


CONFIG = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 128256, "max_position_embeddings": 131072,
}  # fmt: skip


def _counting() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(CONFIG))
        _row("reading and counting a config [ms]", _best(lambda: model(path)) * 1e3, 2.0)


def _inverse() -> None:
    """Size and data of least carbon for 1e5 losses and demands."""
    laws = laws_of(Library.bundled())
    law = constants_of(laws.main)
    count = 100_000
    gaps = np.linspace(0.15, 1.0, count)
    served = np.geomspace(1e9, 1e17, count)
    once = _best(lambda: law.at_gap(gaps, served), repeats=20)
    floor = _best(lambda: np.exp(np.log(gaps)), repeats=20)
    _row("1e5 sizes of least carbon [ms]", once * 1e3, 50.0)
    print(f"the same over one log and one exp of each        {once / floor:8.1f}")


def _solving(library: Library) -> None:
    """10^5 inverse problems: a power, and what is no power."""
    limits = {"total": np.geomspace(5e4, 5e5, 100_000)}
    place = {"device": "h100-sxm", "region": "us"}
    questions = (
        ("params, mfu given", "params", Plan(**place, given={"mfu": "0.3..0.4..0.5"}), 20.0),
        ("params, default utilisation", "params", Plan(**place), 20.0),
        ("grid", "grid", PLAN, None),
    )
    for name, goal, plan, ratio in questions:
        ask = partial(solve, plan, goal, limits, ratio=ratio, confidence=90, library=library)
        spent = _best(ask, 10)
        _row(f"10^5 budgets, {name} [ms]", spent * 1e3, 50.0)


SWEPT = Plan(params=7e9, tokens=2e12, device="h100-sxm", region="us-va", year=2024)
DEVICES = (
    "h100-sxm", "a100-sxm-80", "tpu-v4", "mi300x", "v100-sxm2-32", "h200-sxm", "b200-sxm", "l40s",
    "t4", "gaudi2",
)  # fmt: skip
PLACES = ("fr", "pl", "de", "us-va", "us-ca", "se", "gb", "in", "aws:us-east-1", "jean-zay")
TO_PARQUET = """
import resource, sys
import numpy as np
import pyarrow.parquet
from joulecast import Plan, sweep
plan = Plan(device="h100-sxm", region="us-va", year=2024)
vary = {"params": np.geomspace(1e9, 1e12, 1000), "tokens": np.geomspace(1e10, 1e13, 10000)}
sweep(plan, vary).save(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _sweeps() -> None:
    """Many plans at once, beside the same product in plain NumPy and beside one plan at a time."""
    million = {"params": np.geomspace(1e9, 1e12, 1000), "tokens": np.geomspace(1e10, 1e13, 1000)}
    ours = _best(lambda: _total(sweep(SWEPT, million, ["total_kgco2e"], False)), 30)
    flat = _best(lambda: _flat(million["params"], million["tokens"]), 30)
    _row("10^6 deterministic rows over flat NumPy", ours / flat, 3.0)
    square = {"params": np.geomspace(1e8, 1e12, 100), "tokens": np.geomspace(1e10, 1e13, 100)}
    _row("10^4 uncertain rows, N x D [ms]", _uncertain(square), 5.0)
    four = {
        "params": np.geomspace(1e8, 1e12, 10), "tokens": np.geomspace(1e10, 1e13, 10),
        "device": DEVICES, "region": PLACES,
    }  # fmt: skip
    _row("10^4 uncertain rows, N x D x device x place [ms]", _uncertain(four), 60.0)
    _row("  its worst row against estimate() [%]", 100 * _worst(sweep(SWEPT, four)), 0.5)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", TO_PARQUET, str(Path(folder) / "rows.parquet")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    _row("10^7 rows to Parquet, peak memory [MB]", int(done.stdout) / _RSS_UNIT * 1.048576, 500.0)


def _uncertain(vary: Mapping[str, object]) -> float:
    """Milliseconds until all columns of one result are there."""

    def whole() -> None:
        table = sweep(SWEPT, vary, ["total_kgco2e"])
        for name in table.names:
            _ = table[name]

    return _best(whole, 30) * 1e3


def _total(table: Sweep) -> object:
    return table.grid("total_kgco2e_value")


def _flat(params: np.ndarray, tokens: np.ndarray) -> object:
    """The same product written out: FLOP, hours, energy, both kinds of emissions."""
    flop = 6.0 * params[:, None] * tokens
    hours = flop / (989.4e12 * 0.33) / 3600
    energy = hours * (0.6 + 0.2) * 1.1 * 1.25
    return energy * 0.35 + hours * 0.03


def _worst(table: Sweep, rows: int = 500) -> float:
    """The largest relative error of some rows, in the value and in its range."""
    worst = 0.0
    levels = {level: table.grid(f"total_kgco2e_{level}").ravel() for level in table.levels}
    for i in np.random.default_rng(1).choice(len(table), rows, replace=False):
        at = np.unravel_index(i, table.shape)
        values = {axis.name: axis.values[k] for axis, k in zip(table.axes, at, strict=True)}
        total = estimate(varied(SWEPT, values)).total
        assert total is not None
        for level, column in levels.items():
            worst = max(worst, abs(float(column[i]) / getattr(total, level) - 1))
    return worst


def _best(call: Callable[[], object], repeats: int = 300) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def _row(name: str, value: float, limit: float) -> None:
    verdict = "ok" if value <= limit else "MISSED"
    print(f"{name:<48} {value:8.2f}   {limit:5.2f}  {verdict}")


if __name__ == "__main__":
    main()
