"""Tables of docs/method/use-phase.md, computed by `estimate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulecast import Plan, estimate
from joulecast.answers.footprint import UsePhase
from joulecast.answers.quantity import Quantity
from joulecast.data.library import Library
from joulecast.report.words import two

#: Known model -> device it is served on.
MODELS = {
    "llama-3.1-8b": "h100-sxm",
    "llama-3.1-70b": "h100-sxm",
    "llama-3.1-405b": "h100-sxm",
    "qwen3-30b-a3b": "h100-sxm",
}
BATCHES = (8, 64, 512)
ONE_REQUEST = {"output_tokens": 400, "prompt_tokens": 100}


def tables() -> str:
    """All tables, each under a line that says what it holds."""
    return "\n\n".join([_constants(), _batches(), _break_even(), _sizes()])


def _table(says: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join([f"{says}\n", *lines])


def _constants() -> str:
    library = Library.bundled()
    rows = []
    for name in (
        "use_memory_factor",
        "use_compute_factor",
        "use_waiting_time_s",
        "use_generation.blackwell",
        "use_spread.dense",
        "use_spread.moe",
    ):
        figure = library.default(name)
        span = "" if figure.low is None else f"{figure.low:.3g} to {figure.high:.3g}"
        rows.append((f"`{name}`", f"{figure.value:.3g}", span, figure.note))
    return _table("The fitted numbers:", ("name", "value", "5 % to 95 %", "what it is"), rows)


def _use(model: str, **said: Any) -> UsePhase:
    plan = Plan(model=model, device=MODELS[model], region="us-va", year=2024, use=said)
    use = estimate(plan).use_phase
    assert use is not None
    return use


def _result(use: UsePhase, name: str) -> Quantity:
    quantity = use.results[name]
    assert quantity is not None
    return quantity


def _batches() -> str:
    rows = []
    for model in MODELS:
        cells = [model]
        for batch in BATCHES:
            use = _use(model, batch=batch, **ONE_REQUEST)
            cells.append(two(_result(use, "device_energy_per_output_token_j").value))
        use = _use(model, **ONE_REQUEST)
        joules = _result(use, "device_energy_per_output_token_j")
        cells.append(f"{two(joules.p10)} to {two(joules.p90)}")
        cells.append(two(_result(use, "energy_per_request_wh").value))
        rows.append(cells)
    head = ["model", *(f"{batch} in flight" for batch in BATCHES), "unknown", "Wh a request"]
    says = (
        "Joules of the devices per generated token on H100 in Virginia, 2024; the last column is "
        "the site's energy of 400 tokens after a prompt of 100, at 64 requests in flight:"
    )
    return _table(says, head, rows)


def _break_even() -> str:
    rows = []
    for model in MODELS:
        cells = [model]
        for demand in ("1T/year", "10T/year", "100T/year"):
            use = _use(model, tokens=demand, batch="16..64..256", **ONE_REQUEST)
            days = _result(use, "break_even_days")
            cells.append(f"{two(days.value)} ({two(days.p10)} to {two(days.p90)})")
        rows.append(cells)
    head = ["model", "1e12 tokens a year", "1e13 a year", "1e14 a year"]
    says = (
        "Days of use that emit as much as training did, with 80 % prediction range, 16 to 256 "
        "requests in flight:"
    )
    return _table(says, head, rows)


def _sizes() -> str:
    use = _use("llama-3.1-70b", tokens="10T/year", batch=64, **ONE_REQUEST)
    rows = []
    for row in use.by_size:
        training, year = row["training_total_kgco2e"], row["operational_per_year_kgco2e"]
        days = row["break_even_days"]
        assert training is not None and year is not None and days is not None
        joules = row["energy_per_output_token_j"]
        assert joules is not None and row["params"] is not None
        cells = (row["params"], joules, training / 1000, year / 1000, days)
        rows.append([two(cell) for cell in cells])
    head = ["parameters", "J a token", "training, t", "a year of use, t", "break-even, days"]
    says = "A model of half and of twice the size on the tokens of Llama 3.1 70B, 1e13 a year:"
    return _table(says, head, rows)
