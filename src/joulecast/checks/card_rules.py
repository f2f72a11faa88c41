"""The rules for a model card.

What is stated twice is compared; what follows from other figures (hours x power x PUE x intensity,
6 x parameters x tokens, FLOP over hours) is computed and compared.  A difference that the rounding
of the figures explains is none.  The rules are in docs/method/checks.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import isclose, log
from typing import NamedTuple

from joulecast import units
from joulecast.answers.check import Finding, Reading
from joulecast.checks.cards import Card, Scope
from joulecast.checks.findings import (
    GRID_MARGIN,
    GRIDS,
    first_found,
    grids_of,
    near,
    phrases,
    two_digits,
)
from joulecast.data.library import DeviceMatch, Library
from joulecast.data.places import Place
from joulecast.errors import brief

#: Beyond the rounding of the figures, products agree within this.
LEAST_DIFFERENCE = 0.01

#: Utilisation of a device's dense peak that no training run reaches where nothing else is known.
MOST_UTILISATION = 0.85

#: Below this share of the peak the hours are not those of the FLOP.
LEAST_UTILISATION = 0.005

#: A device's mean power over its TDP, with the host's share, is not above this.
MOST_POWER = 2.5

#: FLOP over 6 x parameters x tokens, from one with attention to one with frozen layers.
FLOP_PER_6ND = (0.6, 1.8)

#: Words for parts of a whole: figures of different parts do not contradict.
_PARTS = {
    "energy": re.compile(
        r"\b(idle|dynamic|gpu|cpu|ram|dram|card|node|host|network|storage|cooling|machine|"
        r"overhead|building|site|facility|data cent(?:er|re)|grid|plug|meter|everything)s?\b",
        re.IGNORECASE,
    ),
    "emissions": re.compile(
        r"\b(idle|dynamic|embodied|manufacturing|making|equipment|operation|operational|"
        r"scope [123])\b",
        re.IGNORECASE,
    ),
}

#: Words for the power of all devices, or of what they stand in.
_OF_ALL = re.compile(
    r"\b(?:combined|total|altogether|whole|all|nodes?|servers?|machines?|racks?|system)\b",
    re.IGNORECASE,
)

#: Precisions as people write them, those of eight bits or fewer first.
_PRECISION = re.compile(r"(fp8|fp4|int8|8[\s-]bit)|(?:bf|fp|tf)\d\d|16[\s-]bit", re.IGNORECASE)

PUE_LEFT_OUT = "the PUE was left out"


def as_number(raw: str) -> float | None:
    """A scalar that YAML 1.1 reads as a number, or quoted digits; 1e9 is text to it."""
    if re.fullmatch(r"'\d+(\.\d+)?'|\"\d+(\.\d+)?\"", raw):
        return float(raw[1:-1])
    number = r"\d[\d_]*(\.[\d_]*([eE][+-]\d+)?)?"
    return float(raw.replace("_", "")) if re.fullmatch(number, raw) else None


def _first_number(raw: str) -> float | None:
    """What the Hub's client takes of a text: its first plain number."""
    found = re.search(r"\d+(?:\.\d+)?", raw)
    return float(found[0]) if found else None


class _Facts:
    """The figures of one scope, with those of the whole card behind them."""

    def __init__(self, scope: Scope, behind: Scope | None = None) -> None:
        self.name = scope.name
        self._own = scope.readings
        self._behind = behind.readings if behind else ()

    def all(self, name: str) -> list[Reading]:
        return [one for one in self._own if one.name == name]

    def own(self, name: str) -> Reading | None:
        return next(iter(self.all(name)), None)

    def any(self, *names: str) -> Reading | None:
        """The first of these figures, of this scope or else of the card."""
        for name in names:
            for one in (*self._own, *self._behind):
                if one.name == name:
                    return one
        return None


class _Product(NamedTuple):
    """A figure that follows from others."""

    value: float
    slack: float
    shown: str


def _product(*factors: tuple[Reading | None, float]) -> _Product | None:
    """Readings to their powers, multiplied; None where one is missing."""
    value, slack = 1.0, 0.0
    parts: list[str] = []
    for reading, power in factors:
        if reading is None or reading.value <= 0:
            return None
        value *= reading.value**power
        slack += reading.slack
        parts.append(f"{'/ ' if power < 0 and parts else ''}{reading.shown}")
    shown = parts[0] + "".join(f" {p}" if p.startswith("/") else f" x {p}" for p in parts[1:])
    return _Product(value, slack, shown)


def _times(one: _Product, other: _Product | None, word: str = "") -> _Product:
    """A product with one more factor, if there is one."""
    if other is None:
        return one
    shown = f"{one.shown} x {word}{other.shown}"
    return _Product(one.value * other.value, one.slack + other.slack, shown)


def _agrees(stated: Reading, choices: Iterable[_Product]) -> bool:
    return any(not _apart(stated.value, stated.slack, one) for one in choices)


def _apart(stated: float, slack: float, follows: _Product) -> bool:
    """Whether two figures differ by more than their rounding."""
    return abs(log(stated / follows.value)) > slack + follows.slack + LEAST_DIFFERENCE


class CardChecker:
    """The rules for a model card."""

    def __init__(self, card: Card, library: Library) -> None:
        self.card = card
        self.library = library
        self.device = _device(card, library)
        self.place = _place(card, library)
        self.whole = _Facts(card.text)

    def findings(self) -> Iterator[Finding]:
        """Every contradiction, rule by rule."""
        yield from self._field_text()
        yield from self._field_amount()
        scopes = [self.whole, *(_Facts(row, self.card.text) for row in self.card.rows)]
        for facts in scopes:
            yield from self._bounds(facts)
            yield from self._no_unit(facts)
            yield from self._hours(facts)
            yield from self._energy(facts)
            yield from self._emissions(facts)
        yield from self._stated_twice()
        yield from self._table_total()
        yield from self._offsets()
        yield from self._grid()
        yield from self._tdp()
        yield from self._peak()
        yield from self._flop()
        yield from self._utilisation()

    # The field of the Hub.

    def _field_text(self) -> Iterator[Finding]:
        raw, line = self.card.field.get("emissions", ("", 0))
        bare = raw.strip("'\"")
        if raw and as_number(raw) is None:
            read = _first_number(bare)
            meant = _meant_grams(bare)
            write = "" if meant is None else f": write {meant:.0f}"
            yield Finding(
                "field_text",
                line,
                f"the field emissions is {raw}",
                "the Hub reads " + ("no number" if read is None else f"{brief(read)} g"),
                f"it takes the first plain number, in grams{write}",
            )
        place, line = self.card.field.get("geographical_location", ("", 0))
        if place.lower() in ("no", "off", "false", "n"):
            yield Finding(
                "field_text",
                line,
                f"geographical_location is {place}",
                "YAML reads false",
                f'quote it: "{place}"',
            )

    def _grams(self) -> tuple[float, int] | None:
        raw, line = self.card.field.get("emissions", ("", 0))
        grams = as_number(raw)
        return None if grams is None else (grams, line)

    def _field_amount(self) -> Iterator[Finding]:
        field = self._grams()
        if field is None or field[0] == 0:
            return
        grams, line = field
        other = self._total()
        if other is None:
            return
        ratio = other.value * 1000 / grams
        digits = re.sub(r"\D", "", f"{grams:.10g}").strip("0")
        slack = other.slack + min(0.02, 0.5 / int(digits or 1))
        if abs(log(ratio)) <= slack + 5 * LEAST_DIFFERENCE:
            return
        units_ = {1000: "kilograms", 1e6: "tonnes"}
        cause = next(
            (
                f"the field counts grams, this looks like {unit}: write {grams * size:.0f}"
                for size, unit in units_.items()
                if near(ratio, size, 0.35)
            ),
            f"the two differ by a factor of {two_digits(max(ratio, 1 / ratio))}",
        )
        stated = f"the field emissions is {brief(grams)}, which is grams"
        yield Finding(
            "field_unit" if "looks" in cause else "field_amount",
            line,
            stated,
            f"{other.shown} is {_mass(other.value)}",
            cause,
        )

    def _total(self) -> _Product | None:
        """The card's emissions [kg]: stated with a unit, or of its energy."""
        stated = [
            one
            for facts in (self.whole, *map(_Facts, reversed(self.card.rows)))
            for one in facts.all("emissions")
            if one.word != "bare"
        ]
        totals = [one for row in self.card.rows for one in row.readings
                  if one.name == "emissions" and _is_total(row) and one.word != "bare"]  # fmt: skip
        for one in (*totals, *stated):
            return _Product(one.value, one.slack, f"line {one.line} ({one.shown})")
        return next(iter(self._emitted(self.whole)), None)

    def _emitted(self, facts: _Facts) -> list[_Product]:
        """Energy x intensity [kg], in each way the card may be read; none where it says too little.

        A stated energy may be that of the machines or of the site.  Hours x power tells which;
        where nothing tells, both are taken for right.
        """
        intensity, pue = facts.any("intensity"), facts.any("pue")
        if intensity is None or intensity.word == "bare":
            return []
        if not GRIDS[0] <= intensity.value <= GRIDS[1]:
            return []  # a finding of its own
        overhead = _product((pue, 1)) if pue is not None and pue.value > 1 else None
        bases, energies = self._it_energies(facts), self._energies(facts, overhead)
        found: list[_Product] = []
        if not energies:
            found = [_times(base, overhead, "PUE ") for base in bases]
        for energy in energies:
            stated = _Product(energy.value, energy.slack, energy.shown)
            if overhead is None:
                found += [stated]
                continue
            of_machines = [b for b in bases if not _apart(energy.value, energy.slack, b)]
            of_site = [
                b
                for b in bases
                if not _apart(energy.value, energy.slack, _times(b, overhead, "PUE "))
            ]
            found += [_times(stated, overhead, "PUE ")] if of_machines or not of_site else []
            found += [stated] if of_site or not of_machines else []
        grid = _Product(intensity.value / 1000, intensity.slack, intensity.shown)
        return [_times(one, grid) for one in found]

    def _energies(self, facts: _Facts, overhead: _Product | None) -> list[Reading]:
        """Energies stated; without that of the machines where that of the site stands beside it."""
        stated = [one for one in facts.all("energy") if one.value > 0]
        if overhead is None:
            return stated
        sites = [one.value / overhead.value for one in stated]
        return [one for one in stated if not any(near(one.value, site, 0.02) for site in sites)]

    def _it_energies(self, facts: _Facts) -> list[_Product]:
        """Device-hours x power [kWh], in each way the hours may be read."""
        power = facts.any("power", "tdp")
        if power is None or power.value <= 0:
            return []
        kilowatts = _Product(power.value / 1000, power.slack, power.shown)
        if self._is_of_all(power):
            together = _product((facts.any("hours"), 1))
            return [_times(together, kilowatts)] if together else []
        return [_times(hours, kilowatts) for hours in self._device_hours(facts)]

    def _is_of_all(self, power: Reading) -> bool:
        """Whether a power is that of all devices: words say so, and one never draws as much."""
        tdps = self._tdps()
        return bool(tdps and power.value > MOST_POWER * max(tdps) and _OF_ALL.search(power.context))

    def _device_hours(self, facts: _Facts) -> list[_Product]:
        """As stated, or devices x hours; "hours used" beside a count may mean either."""
        stated = _product((facts.own("device_hours"), 1))
        if stated:
            return [stated]
        hours, count = facts.own("hours"), facts.any("devices")
        alone, product = _product((hours, 1)), _product((count, 1), (hours, 1))
        if alone is None or hours is None:
            return []
        if product is None:
            return [] if self._several() else [alone]
        vague = re.search(r"hours used|^hours$", hours.label.lower())
        return [product, alone] if vague else [product]

    def _several(self) -> bool:
        return bool(re.search(r"\bGPUs|\bTPUs", " ".join(w.shown for w in self.card.words)))

    # What cannot be.

    def _bounds(self, facts: _Facts) -> Iterator[Finding]:
        for pue in facts.all("pue"):
            if pue.value < 1:
                cause = "a PUE is facility over IT energy" + (
                    f": 1 / {pue.value:g} = {1 / pue.value:.2f} may be meant"
                    if pue.value > 0.4
                    else ""
                )
                yield Finding("pue", pue.line, f"PUE {pue.value:g}", "it is never below 1", cause)
            elif pue.value > 5:
                cause = "a share in percent is no PUE"
                yield Finding("pue", pue.line, f"PUE {pue.value:g}", "none is above 5", cause)
        for mfu in facts.all("mfu"):
            share = mfu.value if "%" in mfu.shown or mfu.value <= 1 else mfu.value / 100
            if share > self._most():
                cause = "counted against another peak, or with recomputation"
                yield Finding(
                    "utilisation",
                    mfu.line,
                    f"utilisation {mfu.shown}",
                    f"no training run is above {self._most():.0%} of the dense peak",
                    cause,
                )
        for grid in facts.all("intensity"):
            if grid.word != "bare" and grid.value > 0 and not GRIDS[0] <= grid.value <= GRIDS[1]:
                low = grid.value < GRIDS[0]
                meant = brief(grid.value * 1000 if low else grid.value / 1000)
                swap = "kg was meant for g" if low else "g was meant for kg"
                yield Finding(
                    "grid_unit",
                    grid.line,
                    f"intensity {grid.shown}",
                    f"grids lie within {GRIDS[0]:g} to {GRIDS[1]:g} g/kWh",
                    f"{swap}: {meant} g/kWh",
                )

    def _most(self) -> float:
        share = self.device.device.matmul_share if self.device else None
        return MOST_UTILISATION if share is None else max(share.value, 0.5)

    def _no_unit(self, facts: _Facts) -> Iterator[Finding]:
        for one in facts.all("emissions"):
            if one.word == "bare" and one.value > 0:
                yield Finding(
                    "no_unit",
                    one.line,
                    _stated(one),
                    "it has no unit",
                    "write g, kg or t of CO2e",
                )

    # Products.

    def _hours(self, facts: _Facts) -> Iterator[Finding]:
        stated, count, hours = facts.own("device_hours"), facts.any("devices"), facts.own("hours")
        follows = _product((count, 1), (hours, 1))
        if stated is None or follows is None or count is None:
            return
        if stated.value <= 0 or not _apart(stated.value, stated.slack, follows):
            return
        ratio = stated.value / follows.value
        cause = ""
        if near(ratio, count.value):
            cause = f"the hours were multiplied by {count.value:g} devices twice"
        elif near(ratio, 1 / count.value):
            cause = "the hours were not multiplied by the devices"
        yield self._differ("device_hours", stated, follows, f"{follows.value:,.0f} h", cause)

    def _energy(self, facts: _Facts) -> Iterator[Finding]:
        stated, bases = facts.own("energy"), self._it_energies(facts)
        if stated is None or stated.value <= 0:
            return
        if not bases:
            yield from self._energy_without_power(facts, stated)
            return
        pue = facts.any("pue")
        overhead = _product((pue, 1)) if pue is not None and pue.value > 1 else None
        choices = [*bases, *(_times(base, overhead, "PUE ") for base in bases)]
        if not _agrees(stated, choices):
            follows = choices[len(bases)]
            cause = self._cause(stated.value / follows.value, facts)
            yield self._differ("energy", stated, follows, _energy(follows.value), cause)

    def _energy_without_power(self, facts: _Facts, stated: Reading) -> Iterator[Finding]:
        """The mean power that energy and hours imply, against the device's."""
        hours, tdp = self._device_hours(facts), self._tdps()
        if not hours or not tdp:
            return
        watts = [stated.value / one.value * 1000 for one in hours]
        if any(0.1 * min(tdp) <= one <= MOST_POWER * max(tdp) for one in watts):
            return
        yield Finding(
            "energy",
            stated.line,
            f"{stated.shown} in {hours[0].shown}",
            f"that is {watts[0]:,.0f} W a device, whose TDP is {max(tdp):g} W",
            self._cause(watts[0] / (0.8 * max(tdp)), facts, 0.7),
        )

    def _emissions(self, facts: _Facts) -> Iterator[Finding]:
        stated = next((one for one in facts.all("emissions") if one.word != "bare"), None)
        choices = self._emitted(facts)
        if stated is None or stated.value <= 0 or not choices or _agrees(stated, choices):
            return
        cause = self._cause(stated.value / choices[0].value, facts)
        code = "pue_left_out" if cause == PUE_LEFT_OUT else "emissions"
        yield self._differ(code, stated, choices[0], _mass(choices[0].value), cause)

    def _differ(
        self, code: str, stated: Reading, follows: _Product, amount: str, cause: str
    ) -> Finding:
        ratio = stated.value / follows.value
        times = brief(float(f"{max(ratio, 1 / ratio):.3g}"))
        more = "more" if ratio > 1 else "less"
        return Finding(
            code,
            stated.line,
            _stated(stated),
            f"{follows.shown} is {amount}",
            cause or f"{times} times {more} than follows",
        )

    def _cause(self, ratio: float, facts: _Facts, slack: float = 0.04) -> str:
        """What most often makes a figure so many times too large or small."""
        pue, count, power = facts.any("pue"), facts.any("devices"), facts.any("power", "tdp")
        known: list[tuple[float, str]] = []
        if pue is not None and pue.value > 1:
            known += [
                (1 / pue.value, PUE_LEFT_OUT),
                (pue.value, "the PUE was applied twice"),
                (1 / pue.value**2, "it was divided by the PUE"),
            ]
        if count is not None and count.value > 1:
            known += [
                (count.value, f"the {count.value:g} devices were multiplied in twice: the hours "
                              "are device-hours already"),
                (1 / count.value, f"the {count.value:g} devices were left out"),
            ]  # fmt: skip
        for size in (1e3, 1e6):
            known += [
                (size, f"a factor of {size:,.0f}: a unit is off (k or M)"),
                (1 / size, f"a factor of {size:,.0f}: a unit is off (k or M)"),
            ]
        known += [(24.0, "a factor of 24: hours and days were mixed up")]
        known += [(1 / 24, "a factor of 24: hours and days were mixed up")]
        if power is not None:
            known += [
                (tdp / power.value, f"it was computed with {tdp:g} W, the TDP of {name}")
                for name, tdp in self._other_tdps()
            ]
        for size, cause in known:
            if not isclose(size, 1) and near(ratio, size, slack):
                return cause
        return ""

    # Between places of the card.

    def _stated_twice(self) -> Iterator[Finding]:
        """The whole's emissions and energy stated in several places."""
        for name, said in (("emissions", _mass), ("energy", _energy)):
            stated = [one for one in self.whole.all(name) if one.word != "bare" and one.value > 0]
            for one in stated[1:]:
                follows = _Product(
                    stated[0].value, stated[0].slack, f"line {stated[0].line} ({stated[0].shown})"
                )
                if not _of_the_same(one, stated[0]) or self._by_pue(one, stated[0]):
                    continue
                if _apart(one.value, one.slack, follows):
                    code = f"{name}_twice"
                    cause = self._cause(one.value / follows.value, self.whole)
                    yield self._differ(code, one, follows, said(follows.value), cause)

    def _by_pue(self, one: Reading, other: Reading) -> bool:
        """Whether two energies, or emissions, are with and without PUE."""
        pue = self.whole.any("pue")
        ratio = max(one.value / other.value, other.value / one.value)
        return pue is not None and pue.value > 1 and near(ratio, pue.value, 0.03)

    def _table_total(self) -> Iterator[Finding]:
        """The row named total against the sum of those above it."""
        for at, row in enumerate(self.card.rows):
            if not _is_total(row):
                continue
            parts = [part for part in self.card.rows[:at] if not _is_total(part)]
            for one in row.readings:
                if one.name not in ("emissions", "energy", "device_hours") or len(parts) < 2:
                    continue
                values = [_Facts(part).own(one.name) for part in parts]
                known = [value for value in values if value is not None]
                if len(known) < len(parts) or one.value <= 0:
                    continue
                value = sum(part.value for part in known)
                slack = sum(part.slack * part.value for part in known) / value if value else 0.0
                follows = _Product(value, slack, "the sum of the rows above it")
                if value > 0 and _apart(one.value, one.slack, follows):
                    shown = {"emissions": _mass, "energy": _energy}.get(one.name, _hours)
                    yield self._differ("table_total", one, follows, shown(value), "")

    def _offsets(self) -> Iterator[Finding]:
        """Emissions of zero by offsets, with nothing said of what was emitted."""
        stated = [one for one in self.card.readings if one.name == "emissions" and one.value > 0]
        field = self._grams()
        for word in self.card.words:
            if word.name == "offset" and not stated and not (field and field[0] > 0):
                yield Finding(
                    "offset",
                    word.line,
                    f"{word.label} {word.shown}",
                    "offsets do not lower what was emitted",
                    "state the location-based emissions, and offsets beside them",
                )

    # Against the tables.

    def _grid(self) -> Iterator[Finding]:
        grid = self.whole.own("intensity")
        if grid is None or self.place is None or grid.word == "bare":
            return
        if not GRIDS[0] <= grid.value <= GRIDS[1]:
            return
        low, high = grids_of(self.place, self.library)
        if low / GRID_MARGIN <= grid.value <= high * GRID_MARGIN:
            return
        yield Finding(
            "grid_place",
            grid.line,
            f"intensity {grid.shown}",
            f"the grid of {self.place.name} has had {low:.0f} to {high:.0f} gCO2e/kWh",
            "the intensity of another place, or of a contract",
        )

    def _tdps(self) -> list[float]:
        """TDP of the device, and of those its name could mean as well."""
        if self.device is None:
            return []
        found = [self.device.device, *(self.library.device(v).device for v in self.device.variants)]
        return [one.tdp_w.value for one in found if one.tdp_w is not None]

    def _other_tdps(self) -> list[tuple[str, float]]:
        if self.device is None:
            return []
        return [(d.id, d.tdp_w.value) for d in (self.device.device,) if d.tdp_w is not None]

    def _tdp(self) -> Iterator[Finding]:
        tdps, name = self._tdps(), self.device.device.name if self.device else ""
        if not tdps:
            return
        for one in self.whole.all("tdp"):
            if not any(near(one.value, tdp, 0.06) for tdp in tdps):
                other = self._whose(one.value)
                listed = " or ".join(f"{tdp:g}" for tdp in sorted(set(tdps)))
                cause = f"{one.value:g} W is that of {other}" if other else ""
                follows = f"that of {name} is {listed} W"
                yield Finding("tdp", one.line, f"TDP {one.shown}", follows, cause)
        power = self.whole.own("power")
        if power is None or self._is_of_all(power):
            return
        if power.value > MOST_POWER * max(tdps):
            follows = f"one {name} is rated {max(tdps):g} W"
            count = self.whole.any("devices")
            whole = count is not None and power.value <= MOST_POWER * max(tdps) * count.value
            cause = "it is the power of all devices" if whole else "the power of another device"
            yield Finding("tdp", power.line, f"power {power.shown}", follows, cause)

    def _whose(self, watts: float) -> str:
        """A device of the same maker whose TDP this is."""
        mine = self.device.device if self.device else None
        for key in self.library.device_ids:
            other = self.library.device(key).device
            same = mine is not None and other.vendor == mine.vendor and other.family != mine.family
            if same and other.tdp_w is not None and isclose(other.tdp_w.value, watts):
                return other.name
        return ""

    def _peak(self) -> Iterator[Finding]:
        if self.device is None:
            return
        device = self.device.device
        dense = device.peak("bf16")
        sparse = device.sparse_peak_tflops.get("bf16") or device.sparse_peak_tflops.get("fp16")
        for one in (*self.whole.all("peak"), *self.whole.all("throughput")):
            if dense is None or one.value <= dense.value * 1.02:
                continue
            is_sparse = sparse is not None and near(one.value, sparse.value, 0.02)
            eight = device.peak_tflops.get("fp8")
            said = self._said_precision(one)
            if said and eight is not None and near(one.value, eight.value, 0.02):
                continue
            cause = "the figure with sparsity, which training does not use" if is_sparse else ""
            yield Finding(
                "sparse_peak" if is_sparse else "peak",
                one.line,
                f"{one.shown} a device",
                f"the dense 16-bit peak of {device.name} is {dense.value:g} TFLOP/s",
                cause,
            )

    def _said_precision(self, one: Reading) -> bool:
        """Whether the last precision named before a figure, or else its label, is below 16 bits."""
        before, _, after = f"{one.label} {one.context}".partition(one.shown)
        named = [*_PRECISION.finditer(before)][-1:] or [*_PRECISION.finditer(after)][:1]
        return bool(named and named[0][1])

    def _flop(self) -> Iterator[Finding]:
        flop, tokens = self.whole.own("flop"), self.whole.own("tokens")
        params = self.whole.any("active_params", "params")
        follows = _product((params, 1), (tokens, 1))
        if flop is None or follows is None or flop.value <= 0:
            return
        ratio = flop.value / (6 * follows.value)
        if FLOP_PER_6ND[0] <= ratio <= FLOP_PER_6ND[1]:
            return
        cause = next(
            (
                text
                for size, text in (
                    (1 / 3, "2 x parameters x tokens is the forward pass alone"),
                    (1 / 6, "the 6 of forward and backward pass is missing"),
                    (1e3, "a factor of 1,000: tokens or FLOP in the wrong unit"),
                    (1e-3, "a factor of 1,000: tokens or FLOP in the wrong unit"),
                    (1e6, "a factor of 1,000,000: tokens or FLOP in the wrong unit"),
                    (1e-6, "a factor of 1,000,000: tokens or FLOP in the wrong unit"),
                )
                if near(ratio, size, 0.3)
            ),
            f"{two_digits(max(ratio, 1 / ratio))} times {'more' if ratio > 1 else 'less'}",
        )
        yield Finding(
            "flop",
            flop.line,
            f"{flop.shown}",
            f"6 x {follows.shown} is {two_digits(6 * follows.value)} FLOP",
            cause,
        )

    def _utilisation(self) -> Iterator[Finding]:
        """FLOP, or 6 x parameters x tokens, over hours and peak."""
        hours = self._device_hours(self.whole)
        if not hours or self.device is None:
            return
        flop, tokens = self.whole.own("flop"), self.whole.own("tokens")
        size = self.whole.any("active_params", "params")
        six = _Product(6, 0.0, "6")
        pair = _product((size, 1), (tokens, 1))
        count = _product((flop, 1)) or (pair and _times(six, pair))
        dense = self.device.device.peak("bf16")
        if not count or dense is None:
            return
        per_hour = units.hour * dense.value * 1e12
        shares = [count.value / (one.value * per_hour) for one in hours]
        share, most = shares[0], self._most()
        if any(LEAST_UTILISATION <= one <= most for one in shares):
            return
        cause = "hours of one device, or FLOP of more than this run"
        devices = self.whole.any("devices")
        wall_clock = " x " not in hours[0].shown
        if wall_clock and devices is not None and most < share <= most * devices.value:
            of_all = share / devices.value
            cause = f"the hours are wall-clock: times {devices.value:g} devices it is {of_all:.0%}"
        if share < LEAST_UTILISATION:
            cause = "device-hours multiplied by the devices twice, or FLOP in the wrong unit"
        times = f"{two_digits(share)} times" if share > 1 else f"{share:.2%} of"
        line = next(one.line for one in (flop, tokens, size) if one is not None)
        yield Finding(
            "utilisation",
            line,
            f"{count.shown} in {hours[0].shown}",
            f"that is {times} the dense peak of {self.device.device.name}",
            cause,
        )


def _of_the_same(one: Reading, other: Reading) -> bool:
    """Whether the words around two figures name the same parts of the whole, or none."""
    pattern = _PARTS[one.name]
    mine, theirs = (
        {found.lower() for found in pattern.findall(f"{each.label} {each.context}")}
        for each in (one, other)
    )
    return mine == theirs


def _stated(one: Reading) -> str:
    """A figure with what it is."""
    label = one.label or one.name.replace("_", "-")
    return one.shown if f"({label})" in one.shown else f"{label} {one.shown}"


def _is_total(row: Scope) -> bool:
    return "total" in row.name.lower() or row.name.lower() in ("sum", "all")


def _meant_grams(text: str) -> float | None:
    """The grams a text means, where that is plain."""
    found = re.fullmatch(r"([\d,]+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(g|kg|t|tonnes)?\b.*", text)
    if not found:
        return None
    size = {"kg": 1e3, "t": 1e6, "tonnes": 1e6}.get(found[2] or "", 1.0)
    return float(found[1].replace(",", "")) * size


def _mass(kilograms: float) -> str:
    for size, unit in ((1e3, "t"), (1.0, "kg"), (1e-3, "g")):
        if kilograms >= size:
            return f"{brief(float(f'{kilograms / size:.4g}'))} {unit}CO2e"
    return f"{kilograms * 1e3:.3g} gCO2e"


def _energy(kilowatt_hours: float) -> str:
    for size, unit in ((1e6, "GWh"), (1e3, "MWh"), (1.0, "kWh")):
        if kilowatt_hours >= size:
            return f"{brief(float(f'{kilowatt_hours / size:.4g}'))} {unit}"
    return f"{kilowatt_hours * 1e3:.3g} Wh"


def _hours(hours: float) -> str:
    return f"{hours:,.0f} h"


def _device(card: Card, library: Library) -> DeviceMatch | None:
    """The first device the card names where it speaks of hardware."""
    said = [word.shown for word in card.words if word.name == "hardware"]
    said += [raw for name, (raw, _) in card.field.items() if name == "hardware_used"]
    found: DeviceMatch | None = first_found(phrases(said), library.device)
    return found


def _place(card: Card, library: Library) -> Place | None:
    """The first place the card names as that of the run."""
    said = [word.shown for word in card.words if word.name == "place"]
    said += [raw.strip("'\"") for name, (raw, _) in card.field.items()
             if name == "geographical_location"]  # fmt: skip
    for text in said:
        for part in [text, *re.split(r"[,;()/]", text)]:
            name = part.strip().strip(".")
            found: Place | None = first_found([name], library.place) if name else None
            if found is not None:
                return found
    return None
