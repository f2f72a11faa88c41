"""A card beside what the tables know of its device and place, and what its figures come to.

Where a card may be read in several ways, what follows is a list: a figure that fits one of them
contradicts nothing.
"""

from __future__ import annotations

import re
from functools import cached_property

from joulecast.answers.check import Reading
from joulecast.checks.cards import Card, Scope
from joulecast.checks.findings import GRIDS, first_found, near, phrases
from joulecast.checks.products import Facts, Product, by_line, of, product
from joulecast.data.library import DeviceMatch, Library
from joulecast.data.places import Place

#: A device's mean power over its TDP, with the host's share, is not above this.
MOST_POWER = 2.5

#: Words for the power of all devices, or of what they stand in.
_OF_ALL = re.compile(
    r"\b(?:combined|total|altogether|whole|all|nodes?|servers?|machines?|racks?|system)\b",
    re.IGNORECASE,
)


class Known:
    """A card, its device and its place."""

    def __init__(self, card: Card, library: Library) -> None:
        self.card = card
        self.library = library
        self.match = _device(card, library)
        self.device = self.match.device if self.match else None
        self.place = _place(card, library)
        self.whole = Facts(card.text)

    @cached_property
    def tdps(self) -> list[float]:
        """TDP of the device, and of those its name could mean as well."""
        if self.match is None:
            return []
        found = [self.match.device, *(self.library.device(v).device for v in self.match.variants)]
        return [one.tdp_w.value for one in found if one.tdp_w is not None]

    def is_of_all(self, power: Reading) -> bool:
        """Whether a power is that of all devices: words say so, and one never draws as much."""
        tdps = self.tdps
        return bool(tdps and power.value > MOST_POWER * max(tdps) and _OF_ALL.search(power.context))

    def device_hours(self, facts: Facts) -> list[Product]:
        """As stated, or devices x hours; "hours used" beside a count may mean either."""
        stated = product(facts.own("device_hours"))
        if stated:
            return [stated]
        hours, count = facts.own("hours"), facts.any("devices")
        alone, together = product(hours), product(count, hours)
        if alone is None or hours is None:
            return []
        if together is None:
            return [] if self._several() else [alone]
        vague = re.search(r"hours used|^hours$", hours.label.lower())
        return [together, alone] if vague else [together]

    def _several(self) -> bool:
        return bool(re.search(r"\bGPUs|\bTPUs", " ".join(w.shown for w in self.card.words)))

    def it_energies(self, facts: Facts) -> list[Product]:
        """Device-hours x power [kWh], in each way the hours may be read."""
        power = facts.any("power", "tdp")
        if power is None or power.value <= 0:
            return []
        kilowatts = of(power, per=1000)
        if self.is_of_all(power):
            together = product(facts.any("hours"))
            return [together.times(kilowatts)] if together else []
        return [hours.times(kilowatts) for hours in self.device_hours(facts)]

    def emitted(self, facts: Facts) -> list[Product]:
        """Energy x intensity [kg], in each way the card may be read; none where it says too little.

        A stated energy may be that of the machines or of the site.  Hours x power tells which;
        where nothing tells, both are taken for right.
        """
        intensity = facts.any("intensity")
        if intensity is None or intensity.word == "bare":
            return []
        if not GRIDS[0] <= intensity.value <= GRIDS[1]:
            return []  # a finding of its own
        pue = overhead(facts)
        bases, energies = self.it_energies(facts), _energies(facts, pue)
        found: list[Product] = []
        if not energies:
            found = [base.times(pue, "PUE ") for base in bases]
        for energy in energies:
            stated = of(energy)
            if pue is None:
                found += [stated]
                continue
            of_machines = [base for base in bases if not base.apart(energy)]
            of_site = [base for base in bases if not base.times(pue, "PUE ").apart(energy)]
            found += [stated.times(pue, "PUE ")] if of_machines or not of_site else []
            found += [stated] if of_site or not of_machines else []
        return [one.times(of(intensity, per=1000)) for one in found]

    def total(self) -> Product | None:
        """The card's emissions [kg]: stated with a unit, or of its energy."""
        rows = [(row, Facts(row)) for row in self.card.rows]
        totals = [one for row, facts in rows if is_total(row)
                  for one in facts.with_unit("emissions")]  # fmt: skip
        scopes = (self.whole, *(facts for _, facts in reversed(rows)))
        stated = [one for facts in scopes for one in facts.with_unit("emissions")]
        for one in (*totals, *stated):
            return by_line(one)
        return next(iter(self.emitted(self.whole)), None)


def overhead(facts: Facts) -> Product | None:
    """The PUE, where it is known and adds anything."""
    pue = facts.any("pue")
    return product(pue) if pue is not None and pue.value > 1 else None


def _energies(facts: Facts, pue: Product | None) -> list[Reading]:
    """Energies stated; without that of the machines where that of the site stands beside it."""
    stated = [one for one in facts.all("energy") if one.value > 0]
    if pue is None:
        return stated
    sites = [one.value / pue.value for one in stated]
    return [one for one in stated if not any(near(one.value, site, 0.02) for site in sites)]


def is_total(row: Scope) -> bool:
    """Whether a row of a table is the sum of others."""
    return "total" in row.name.lower() or row.name.lower() in ("sum", "all")


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
