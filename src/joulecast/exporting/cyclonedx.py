"""CycloneDX 1.6: a bill of materials of one model with the energy and emissions of its training."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from joulecast._version import __version__
from joulecast.answers.footprint import Assumption, Footprint, UsePhase
from joulecast.answers.quantity import Quantity
from joulecast.answers.shape import ten
from joulecast.citing.citing import TITLE
from joulecast.citing.methods import name_of
from joulecast.exporting.facts import is_fine_tuning, needed
from joulecast.exporting.tables import inputs_of

#: Namespace of our serial numbers: the same answer gets the same one.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "joulecast")


def write(footprint: Footprint) -> str:
    """The bill; it holds no time of day, so that the same answer gives the same bytes."""
    serial = uuid.uuid5(NAMESPACE, footprint.to_json())
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"tools": {"components": [_tool(footprint)]}},
        "components": [_model(footprint)],
    }
    return json.dumps(bill, indent=2, ensure_ascii=False)


def _tool(footprint: Footprint) -> dict[str, Any]:
    return {
        "type": "application",
        "name": "joulecast",
        "version": __version__,
        "description": TITLE.partition(": ")[2],
        "properties": [{"name": "joulecast:data", "value": footprint.data_digest}],
    }


def _model(footprint: Footprint) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": name_of(footprint),
        "modelCard": {
            "considerations": {
                "environmentalConsiderations": {"energyConsumptions": _spent(footprint)}
            },
            "properties": [_input(entry) for entry in inputs_of(footprint)],
        },
        "externalReferences": [
            {
                "type": "documentation",
                "url": one.source.url or f"https://doi.org/{one.source.doi}",
                "comment": f"{one.key}: {one.text}",
            }
            for one in footprint.citations
            if one.read != "recalled" and (one.source.url or one.source.doi)
        ],
    }


def _spent(footprint: Footprint) -> list[dict[str, Any]]:
    """The training and, where its demand is given, a year of use."""
    use = footprint.use_phase
    if use is None or use.results["energy_per_year_kwh"] is None:
        return [_training(footprint)]
    return [_training(footprint), _year_of_use(use)]


def _year_of_use(use: UsePhase) -> dict[str, Any]:
    energy, emits = (
        use.results[name] for name in ("energy_per_year_kwh", "operational_per_year_kgco2e")
    )
    assert energy is not None
    consumption = _consumption("inference", energy, emits, [("not stated", energy)])
    consumption["properties"] = [
        _property("basis", "forecast of one year of use, not measured; not part of the training"),
        _property("boundary", "operation, location-based, alone"),
        *_levels({"energy_kwh": energy, "operational_kgco2e": emits}),
    ]
    return consumption


def _consumption(
    activity: str, energy: Quantity, emits: Quantity | None, providers: list[tuple[str, Quantity]]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "activity": activity,
        "energyProviders": [
            {
                "organization": {"name": name},
                "energySource": "unknown",
                "energyProvided": {"value": ten(share.value), "unit": "kWh"},
            }
            for name, share in providers
        ],
        "activityEnergyCost": {"value": ten(energy.value), "unit": "kWh"},
    }
    if emits is not None:
        tonnes = ten(emits.to("t").value)
        found["co2CostEquivalent"] = {"value": tonnes, "unit": "tCO2eq"}
    return found


def _training(footprint: Footprint) -> dict[str, Any]:
    energy = needed(footprint, "energy_kwh", "cyclonedx")
    activity = "fine-tuning" if is_fine_tuning(footprint) else "training"
    providers = [
        (entry.plan.get("provider") or "not stated", entry.energy)
        for entry in footprint.entries
        if entry.energy is not None
    ]
    consumption = _consumption(activity, energy, footprint.total, providers)
    consumption["properties"] = _ranges(footprint)
    return consumption


def _ranges(footprint: Footprint) -> list[dict[str, str]]:
    """What the format has no field for: ranges, boundary, basis."""
    making = "and making of the hardware" if footprint.embodied else "alone"
    found = [
        _property("basis", "forecast before training, not measured"),
        _property("boundary", f"operation, location-based, {making}"),
        _property("range", "p10 to p90: 80 % prediction range"),
    ]
    shown = {name: footprint.quantities[name] for name in ("energy_kwh", "total_kgco2e")}
    return [*found, *_fleet(footprint), *_levels(shown)]


def _levels(quantities: Mapping[str, Quantity | None]) -> list[dict[str, str]]:
    return [
        _property(f"{name}:{level}", f"{ten(getattr(quantity, level)):.10g}")
        for name, quantity in quantities.items()
        if quantity is not None
        for level in ("p10", "p50", "p90")
    ]


def _fleet(footprint: Footprint) -> list[dict[str, str]]:
    """Each entry of a fleet with its energy and emissions."""
    if len(footprint.fleet) < 2:
        return []
    return [
        _property(f"fleet:{number}", "; ".join([part.label, *_amounts(part.quantities)]))
        for number, part in enumerate(footprint.fleet, start=1)
    ]


def _amounts(quantities: Mapping[str, Quantity | None]) -> list[str]:
    shown = (quantities[name] for name in ("energy_kwh", "total_kgco2e"))
    return [f"{ten(one.value):.10g} {one.unit}" for one in shown if one is not None]


def _input(entry: Assumption) -> dict[str, str]:
    """An input with its range and source."""
    span = "" if entry.low is None else f" ({entry.low:.6g} to {entry.high:.6g})"
    unchecked = " (unchecked)" if entry.read == "recalled" else ""
    value = f"{ten(entry.value):.10g} {entry.unit}".rstrip()
    span += f" of {entry.whose}" if entry.whose else ""
    return _property(
        f"input:{entry.name}", f"{value}{span}, {entry.basis}, {entry.source}{unchecked}"
    )


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"joulecast:{name}", "value": value}
