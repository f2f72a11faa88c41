"""The rules for a model card.

What is stated twice is compared; what follows from other figures (hours x power x PUE x intensity,
6 x parameters x tokens, FLOP over hours) is computed and compared.  A difference that the rounding
of the figures explains is none.  The rules are in docs/method/checks.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from joulecast.answers.check import Finding
from joulecast.checks import (
    denominator_rules,
    field_rules,
    hardware_rules,
    place_rules,
    product_rules,
)
from joulecast.checks.cards import Card
from joulecast.checks.known import Known
from joulecast.checks.products import Facts
from joulecast.data.library import Library

#: Rules for the field of the Hub.
OF_FIELD = (field_rules.emissions_as_text, field_rules.place_as_bool, field_rules.amount)

#: Rules for the figures of the text, and for those of each row of a table.
OF_SCOPE = (
    place_rules.pue,
    hardware_rules.mfu,
    place_rules.grid_unit,
    product_rules.no_unit,
    product_rules.hours_of_devices,
    product_rules.energy_of_hours,
    product_rules.emissions_of_energy,
)

#: Rules for the card as a whole: between its places, and against the tables.
OF_CARD = (
    product_rules.stated_twice,
    product_rules.total_of_table,
    field_rules.offsets,
    place_rules.grid_of_place,
    hardware_rules.rated_power,
    hardware_rules.power,
    hardware_rules.peak,
    hardware_rules.flop,
    hardware_rules.utilisation,
    denominator_rules.mfu_beside,
)


def findings_of_card(card: Card, library: Library) -> Iterator[Finding]:
    """Every contradiction, rule by rule."""
    known = Known(card, library)
    for rule in OF_FIELD:
        yield from rule(known)
    for facts in (known.whole, *(Facts(row, card.text) for row in card.rows)):
        for each in OF_SCOPE:
            yield from each(known, facts)
    for rule in OF_CARD:
        yield from rule(known)
