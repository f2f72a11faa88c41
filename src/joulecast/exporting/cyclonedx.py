"""CycloneDX 1.6: a bill of materials of one model with the energy and emissions of its training."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from joulecast._version import __version__
from joulecast.citing.citing import TITLE
from joulecast.citing.methods import name_of
from joulecast.exporting.needs import is_fine_tuning, needed
from joulecast.footprint import Assumption, Footprint, Quantity, ten

#: Namespace of our serial numbers: the same answer gets the same one.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "joulecast")


def write(footprints: Sequence[Footprint]) -> str:
    """The bill; it holds no time of day, so that the same answer gives the same bytes."""
    (footprint,) = footprints
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
                "environmentalConsiderations": {"energyConsumptions": [_training(footprint)]}
            },
            "properties": [_input(entry) for entry in footprint.assumptions],
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


def _training(footprint: Footprint) -> dict[str, Any]:
    energy = needed(footprint, "energy_kwh", "cyclonedx")
    kilowatt_hours = {"value": ten(energy.value), "unit": "kWh"}
    consumption: dict[str, Any] = {
        "activity": "fine-tuning" if is_fine_tuning(footprint) else "training",
        "energyProviders": [
            {
                "organization": {"name": footprint.plan.get("provider") or "not stated"},
                "energySource": "unknown",
                "energyProvided": kilowatt_hours,
            }
        ],
        "activityEnergyCost": kilowatt_hours,
    }
    if footprint.total is not None:
        tonnes = ten(footprint.total.to("t").value)
        consumption["co2CostEquivalent"] = {"value": tonnes, "unit": "tCO2eq"}
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
    for name in ("energy_kwh", "total_kgco2e"):
        quantity: Quantity | None = footprint.quantities[name]
        if quantity is not None:
            found += [
                _property(f"{name}:{level}", f"{ten(getattr(quantity, level)):.10g}")
                for level in ("p10", "p50", "p90")
            ]
    return found


def _input(entry: Assumption) -> dict[str, str]:
    """An input with its range and source."""
    span = "" if entry.low is None else f" ({entry.low:.6g} to {entry.high:.6g})"
    unchecked = " (unchecked)" if entry.read == "recalled" else ""
    value = f"{ten(entry.value):.10g} {entry.unit}".rstrip()
    return _property(
        f"input:{entry.name}", f"{value}{span}, {entry.basis}, {entry.source}{unchecked}"
    )


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"joulecast:{name}", "value": value}
