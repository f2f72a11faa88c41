"""What each row of a table of past runs tells, beside what we expect of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from joulecast import units
from joulecast.arrays import Numbers
from joulecast.calibrating.fitting import Case
from joulecast.data.library import Library
from joulecast.data.reading import span
from joulecast.data.records import Device
from joulecast.errors import InputError, JoulecastError, brief
from joulecast.inputs.past_runs import PastRuns, Row
from joulecast.plan import Plan
from joulecast.resolve import Ledger, resolve
from joulecast.resolve.shares import ceiling_of, tuned_share
from joulecast.resolve.utilisation import DECODERS
from joulecast.scales import midpoint
from joulecast.terms import INPUTS
from joulecast.uncertainty import T90, T95, Z95

Kind = Literal["decoder", "other"]

#: Share of the squared scale of runs around the default that sister runs do not have in common: of
#: one team, cluster and code.  Of the errors of the published runs by families left out, scales of
#: Student's t with 4 degrees of freedom inside families over all: decoders 0.19 of 0.30, the rest
#: 0.42 of 0.67.
OF_RUN = 0.4

#: Scale [ln] of device power inside a cluster: watts of metered nodes, utilisation given, come out
#: with a typical factor of 1.06 (docs/method/energy.md).
POWER_OF_RUN = 0.07

#: Scale of ln(PUE - 1) from one figure of a site to another: 0.02 of a PUE of 1.1.  Judged.
PUE_OF_FIGURE = 0.20

#: Power above its rating by more is a mistake of unit or count.
MOST_OF_RATING = 1.3

#: 90 % point of a normal over its 95 % point.
OF_NORMAL = 0.7791

#: Tokens of a run of which only the speed is known: it cancels.
ANY_TOKENS = 1e12

#: Columns that go into the plan as they are.
PLANNED = (
    "model", "params", "active_params", "arch", "field", "tokens", "seq_len", "precision", "device",
)  # fmt: skip


#: Warnings of a forecast that are said of a past run too.
SAID = ("device_variant", "device_too_new", "moe_unsaid")


class Told(NamedTuple):
    """A past run beside what we expect of it; hours of devices, ln of ratios."""

    row: int
    run: str
    family: str
    device: Device
    kind: Kind
    utilisation: float
    device_hours: float
    default_hours: float
    case: Case
    power: Case | None
    pue: float | None


class Widths(NamedTuple):
    """Scales [ln] of what runs share and do not share, from the default's own spread."""

    cluster: float
    device: float
    kind: float
    noise: Mapping[str, float]

    def parts(self, device: str, kind: str, more: float = 0.0) -> dict[str, float]:
        """Parts of a run; `more` is what else may be off in its device."""
        parts = {"cluster": self.cluster, f"device {device}": math.hypot(self.device, more)}
        return parts | ({} if kind == "decoder" else {f"kind {kind}": self.kind})


def widths(library: Library) -> Widths:
    """The default's spread, taken apart."""
    scales = {
        kind: _scale(*library.default(f"utilisation.spread.{kind}").points[1:])
        for kind in ("decoder", "other")
    }
    device = math.hypot(
        library.default("utilisation.own.measured").value,
        library.default("utilisation.own.software").value,
    )
    shared = {kind: (1 - OF_RUN) * scale**2 for kind, scale in scales.items()}
    cluster = math.sqrt(max(shared["decoder"] - device**2, 0.0))
    kind = math.sqrt(max(shared["other"] - shared["decoder"], 0.0))
    noise = {kind: math.sqrt(OF_RUN) * scale for kind, scale in scales.items()}
    return Widths(cluster, device, kind, noise)


def _scale(low: float, high: float) -> float:
    return math.log(high / low) / (2 * T95)


def of_device(library: Library, device: Device) -> float:
    """What else may be off in a device: its class has few runs, its share was not measured."""
    few = f"utilisation.few_families.{device.device_class}"
    _, low, high = tuned_share(library, device).points
    of_class = library.default(few).points[1:] if library.has_default(few) else (1.0, 1.0)
    return math.hypot(_scale(*of_class), _scale(low, high))


def told_of(table: PastRuns, library: Library) -> tuple[list[Told], list[str]]:
    """Every row beside what we expect of it, and what is to be said of rows in words.

    Raises JoulecastError naming the row where it cannot be used.
    """
    found: list[Told] = []
    remarks: dict[str, list[int]] = {}
    apart = widths(library)
    for row in table.rows:
        try:
            one, said = _told(row, library, apart)
        except JoulecastError as problem:
            where = f"{table.where} row {row.number}: {problem.field}"
            raise type(problem)(where, problem.value, problem.why, problem.choices) from None
        found.append(one)
        for words in said:
            remarks.setdefault(words, []).append(row.number)
    return found, [f"{_rows(numbers)}: {words}" for words, numbers in remarks.items()]


def _rows(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return f"row{'s' * (len(numbers) > 1)} {shown}{more}"


def _told(row: Row, library: Library, apart: Widths) -> tuple[Told, list[str]]:
    cells, remarks = row.cells, list[str]()
    if "device" not in cells:
        raise InputError("device", None, "is empty", ["h100-sxm"])
    if "year" not in cells:
        raise InputError("year", None, "is empty: the age of software hangs on it", ["2025"])
    said = {name: cells[name] for name in PLANNED if name in cells}
    if "training_flop" in cells:
        said["flop"] = cells["training_flop"]
    speed = _number(cells, "tokens_per_second_per_device")
    hours = _hours(cells)
    if "tokens" not in said and "flop" not in said and speed is not None:
        said["tokens"], hours = ANY_TOKENS, None
    ledger = resolve(Plan(year=_year(cells["year"]), **said), library).only
    known, device, size = ledger.middle.known, ledger.device, ledger.size
    assert device is not None and size is not None
    remarks += [n.message.partition(";")[0] for n in ledger.notices if n.code in SAID]
    if "device_hours" not in known:
        why = "no FLOP follows from what the row says"
        raise InputError("training_flop", None, why, ["params and tokens", "model and tokens"])
    if hours is None:
        tokens = ledger.data.get("tokens")
        if speed is None or tokens is None:
            ways = ["device_hours", "wall_clock_days and device_count"]
            raise InputError("device_hours", None, "is empty", ways)
        kept = _number(cells, "goodput") or library.default("goodput").value
        hours = tokens.value / (speed * kept) * units.second / units.hour
        remarks.append(f"hours from its speed, at a goodput of {kept:.3g}")
    default_hours = float(known["device_hours"]) / units.hour
    reached = float(known["utilisation"]) * default_hours / hours
    _check_ceiling(library, device, reached, hours)
    kind: Kind = "decoder" if size.arch in DECODERS else "other"
    name = str(cells.get("run", f"row {row.number}"))
    family = str(cells.get("family", f"row {row.number}"))
    parts = apart.parts(device.id, kind, of_device(library, device))
    y = math.log(default_hours / hours)
    case = Case(y, family, parts, apart.noise[kind])
    power = _power(cells, ledger, device, family, hours, remarks)
    pue = _number(cells, "pue")
    told = Told(
        row.number, name, family, device, kind, reached, hours, default_hours, case, power, pue
    )
    return told, remarks


def _year(raw: Any) -> Any:
    """A year, from a date too: 2025-03-01."""
    text = str(raw).strip()
    is_date = len(text) > 4 and text[:4].isdecimal() and text[4] in "-/."
    return text[:4] if is_date and text[4:] != ".0" else raw


def _number(cells: Mapping[str, Any], name: str) -> float | None:
    """A cell as a number of its quantity's unit; the middle of a range."""
    if name not in cells:
        return None
    term = INPUTS[name]
    low, value, high = span(term, cells[name])
    if value is None:
        assert low is not None and high is not None
        return midpoint(term.scale, low, high)
    return value


def _hours(cells: Mapping[str, Any]) -> float | None:
    """Device-hours, said or by days and devices; two that contradict are an error."""
    said = _number(cells, "device_hours")
    days = _number(cells, "wall_clock_days")
    if days is None and "wall_clock_hours" in cells:
        _, clock, _ = span(INPUTS["device_hours"], cells["wall_clock_hours"])
        days = None if clock is None else clock / 24
    count = _number(cells, "device_count")
    counted = None if days is None or count is None else days * 24 * count
    if said is not None and counted is not None and not 0.9 <= said / counted <= 1.1:
        why = f"contradicts {brief(counted)}, its days times its devices"
        raise InputError("device_hours", brief(said), why, ["leaving one out"])
    found = said if said is not None else counted
    if found is not None and found <= 0:
        raise InputError("device_hours", brief(found), "must be above 0")
    return found


def _check_ceiling(library: Library, device: Device, reached: float, hours: float) -> None:
    """No run uses more of its device than the best matrix product does."""
    best = ceiling_of(library, device)
    most = max(best.points[2], tuned_share(library, device).points[2])
    if reached > most:
        why = (
            f"would be a utilisation of {reached:.3g}; {device.name} reaches at most {most:.3g} of "
            "its dense peak: check hours, devices, tokens and active parameters"
        )
        raise InputError("device_hours", brief(hours), why)


def _power(
    cells: Mapping[str, Any],
    ledger: Ledger,
    device: Device,
    family: str,
    hours: float,
    remarks: list[str],
) -> Case | None:
    """What the run tells of its device's power: metered, or what a meter further out leaves."""
    known, datum = ledger.middle.known, ledger.data.get("device_power_w")
    watts = _number(cells, "device_power_w")
    energy = {name: _number(cells, f"{name}_kwh") for name in ENERGIES}
    if watts is None and energy["device_energy"] is not None:
        watts = energy["device_energy"] * 1000 / hours
    if watts is None:
        watts = _less_host(energy, _number(cells, "pue"), known, hours, remarks)
    if watts is None:
        return None
    if datum is None or datum.low is None or datum.high is None:
        remarks.append("no power to expect of its device: its meter tells nothing")
        return None
    rating = device.tdp_w.points[2] if device.tdp_w else math.inf
    if watts > MOST_OF_RATING * rating:
        why = f"is {watts / rating:.2g} times the rating of {device.name}, {rating:g} W"
        raise InputError("device_power_w", f"{watts:.4g} W", why)
    scale = math.log(datum.high / datum.low) / (2 * Z95) * (Z95 * OF_NORMAL / T90)
    noise = min(POWER_OF_RUN, math.sqrt(0.5) * scale)
    own = math.sqrt(scale**2 - noise**2)
    y = math.log(watts / datum.value)
    return Case(y, family, {f"device {device.id}": own}, noise)


ENERGIES = ("device_energy", "it_energy", "energy")


def _less_host(
    energy: Mapping[str, float | None],
    pue: float | None,
    known: Mapping[str, Numbers],
    hours: float,
    remarks: list[str],
) -> float | None:
    """Watts of a device from a machine's or a facility's energy, less what else we expect in it."""
    it = energy["it_energy"]
    if it is None and energy["energy"] is not None:
        if pue is None:
            remarks.append("energy without a PUE: not used for power")
            return None
        it = energy["energy"] / pue
    if it is None:
        return None
    host, network = (float(known[name]) for name in ("host_power_w", "network_share"))
    watts = it * 1000 / hours / (1 + network) - host / units.watt
    if watts <= 0:
        remarks.append("less energy than its hosts alone are expected to draw: not used for power")
        return None
    return watts


def pue_cases(told: list[Told], library: Library) -> list[Case]:
    """PUE of the runs on the scale ln(PUE - 1), each figure once: runs of one site share it."""
    least = library.default("pue_spread.least").value
    expected = math.log(library.default("pue").value - 1)
    figures = dict.fromkeys(max(one.pue, least) for one in told if one.pue is not None)
    scale = pue_scale(library)
    own = {"site": math.sqrt(scale**2 - PUE_OF_FIGURE**2)}
    return [
        Case(math.log(figure - 1) - expected, f"{figure:g}", own, PUE_OF_FIGURE)
        for figure in figures
    ]


def pue_scale(library: Library) -> float:
    """Scale of the default PUE on ln(PUE - 1)."""
    _, low, high = library.default("pue").points
    return math.log((high - 1) / (low - 1)) / (2 * Z95) * (Z95 * OF_NORMAL / T90)
