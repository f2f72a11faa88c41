"""Published speeds of training steps: what tables of makers and users say of a device.

A table is of steps alone, mostly tuned: it lies above whole jobs by one factor for all tables.
What remains by device tells of the share of its peak that a tuned training can use.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from joulecast.answers.transfer import Platform, Transfer
from joulecast.compute import attention_share
from joulecast.performance import expected_utilisation, size_factor
from joulecast.plan import Plan
from joulecast.resolve import resolve
from joulecast.resolve.shares import age_of, ceiling_of, share_is_assumed, tuned_share
from joulecast.resolve.utilisation import LARGE_MODEL_PARAMS
from joulecast.uncertainty import T90, T95, Z95
from joulecast.validating.scoring import family_weights, window

if TYPE_CHECKING:
    from joulecast.data.library import Library

#: Standard deviations, ln: of a row around its device; of what may be off in the share of peak of a
#: device that nobody measured, and of one measured; of tables over whole jobs around a third; of
#: mixtures of experts around what dense models keep.  Judged.
ROW = 0.35
UNMEASURED, MEASURED = 0.40, 0.15
TABLES = (math.log(1.3), 0.20)
EXPERTS = 0.50

#: Ways of training that the default utilisation forecasts at 16 bit or with a known gain.
PRECISIONS = ("bf16", "fp16", "fp8")


#: Source of shares of peak that this fit gave, which it does not start from.
FIT = "joulecast-throughput-fit"


class Speed(NamedTuple):
    """A published speed: ln of the utilisation reached over the steady one that we expect.

    That of the class of device or of other measurements where the record's share is from this
    very fit, `own` being what the record adds to it.
    """

    id: str
    family: str
    device: str
    measured_share: bool
    experts: bool
    utilisation: float
    error: float
    own: float


def speeds(library: Library) -> list[Speed]:
    """Published speeds on devices whose peak is known, beside what is expected of whole jobs."""
    return [
        speed
        for name, row in library.benchmark("throughput").items()
        if row["precision"] in PRECISIONS
        if (speed := _speed(name, row, library)) is not None
    ]


def _speed(name: str, row: Mapping[str, str], library: Library) -> Speed | None:
    device = library.device(row["device"]).device
    peak = device.peak("bf16")
    if peak is None:
        return None

    def default(name: str) -> float:
        return library.default(name).value

    active, size = float(row["active_params"] or LARGE_MODEL_PARAMS), peak.value * 1e12
    if row["counted"] == "6 N":
        reached = 6 * active * float(row["tokens_per_s_per_device"]) / size
        length = float(row["seq_len"] or 0)
        left_out = float(attention_share(active, length, default("attention_share")))
    else:
        reached, left_out = float(row["tflops_per_device"]) / peak.value, 0.0
    gain = 1.0
    if row["precision"] == "fp8":
        own = device.precision_speedup.get("fp8")
        gain = (own or library.default("precision_speedup.fp8")).value
    kept = size_factor(
        active, size, default("utilisation.size.half_params"), default("utilisation.size.exponent")
    )
    record = tuned_share(library, device)
    fitted = record.source == FIT
    share = ceiling_of(library, device).value if fitted else record.value
    expected = float(
        expected_utilisation(
            share,
            default("utilisation.of_tuned") / default("goodput"),
            default(f"utilisation.kind.{'other' if row['arch'] == 'encoder' else 'decoder'}"),
            age_of(library, device, int(row["year"])),
            default("utilisation.age_slope"),
            kept,
        )
    )
    return Speed(
        name,
        row["family"],
        device.id,
        not (fitted or share_is_assumed(device)),
        row["arch"] == "moe",
        reached,
        math.log(reached * (1 + left_out) / (expected * gain)),
        math.log(record.value / share),
    )


class Fit(NamedTuple):
    """ln of tables over whole jobs, of experts over dense models, of each device's own part.

    `sd` is the standard deviation of each device's.
    """

    tables: float
    experts: float
    devices: Mapping[str, float]
    sd: Mapping[str, float]

    def of(self, speed: Speed) -> float:
        """What is expected of a row, as its `error`."""
        return self.tables + self.experts * speed.experts + self.devices.get(speed.device, 0.0)


def fit(rows: Sequence[Speed]) -> Fit:
    """Least squares with pulls, each family of one weight; devices pulled to their records."""
    devices = sorted({row.device for row in rows})
    measured = {row.device: row.measured_share for row in rows}
    weight = np.sqrt(family_weights([f"{row.family}" for row in rows])) / ROW
    count = len({row.family for row in rows})
    weight *= math.sqrt(count) / math.sqrt(float(np.sum((weight * ROW) ** 2)))
    design = np.array(
        [[1.0, row.experts, *(row.device == device for device in devices)] for row in rows]
    )
    room = [TABLES[1], EXPERTS, *(MEASURED if measured[d] else UNMEASURED for d in devices)]
    around = np.array([TABLES[0], *[0.0] * (len(room) - 1)])
    pulls = np.diag(1 / np.array(room))
    table = np.vstack([design * weight[:, None], pulls])
    told = np.concatenate([np.array([row.error for row in rows]) * weight, pulls @ around])
    found = np.linalg.lstsq(table, told, rcond=None)[0]
    sd = np.sqrt(np.diag(np.linalg.inv(table.T @ table)))
    return Fit(
        float(found[0]),
        float(found[1]),
        dict(zip(devices, found[2:].tolist(), strict=True)),
        dict(zip(devices, sd[2:].tolist(), strict=True)),
    )


def shares(library: Library) -> dict[str, tuple[float, float, float]]:
    """Value, 5 % and 95 % points of the tuned share of devices that nothing else measured."""
    rows = speeds(library)
    found = fit(rows)
    open_ = {row.device for row in rows if not row.measured_share}
    points = {}
    for name in sorted(open_):
        prior = ceiling_of(library, library.device(name).device).value
        value, factor = prior * math.exp(found.devices[name]), math.exp(Z95 * found.sd[name])
        points[name] = (value, value / factor, min(1.0, value * factor))
    return points


#: How the id of a device begins -> the platform whose software it runs.
PLATFORMS = {
    "ascend910a": "Ascend 910A", "ascend910b": "Ascend 910B", "trainium": "Trainium",
    "mi": "Instinct", "gaudi": "Gaudi", "max": "GPU Max", "gh200": "GH200",
}  # fmt: skip


def platforms(library: Library) -> list[Platform]:
    """Scores by platform: of each row what a forecast says that never saw its family."""
    rows = speeds(library)
    errors = _left_out(rows)
    table = library.benchmark("throughput")
    found: dict[str, list[Speed]] = {}
    for row in rows:
        name = next((p for id_, p in PLATFORMS.items() if row.device.startswith(id_)), row.device)
        found.setdefault(name, []).append(row)
    scores = []
    for name, own in found.items():
        inside: dict[str, list[bool]] = {}
        off: dict[str, list[float]] = {}
        for row in own:
            down, up = _ends(table[row.id], library)
            off.setdefault(row.family, []).append(-errors[row.id])
            inside.setdefault(row.family, []).append(down <= errors[row.id] <= up)
        low, high = window(len(off), 0.8)
        scores.append(
            Platform(
                name,
                len(own),
                len(off),
                math.exp(float(np.mean([np.mean(np.abs(one)) for one in off.values()]))),
                math.exp(float(np.median([np.mean(one) for one in off.values()]))),
                float(sum(np.mean(one) for one in inside.values())),
                low,
                high,
            )
        )
    return sorted(scores, key=lambda one: -one.rows)


def _ends(row: Mapping[str, str], library: Library) -> tuple[float, float]:
    """Ends of the 80 % range of the default utilisation of a run like a row, ln over its value."""
    active = float(row["active_params"] or LARGE_MODEL_PARAMS)
    plan = Plan(
        params=max(active, float(row["params"] or active)),
        active_params=active,
        tokens=1e12,
        arch=row["arch"],
        device=row["device"],
        year=int(row["year"]),
    )
    value, low, high = resolve(plan, library).only.data["utilisation"].levels
    to_80 = T90 / T95
    return math.log(low / value) * to_80, math.log(high / value) * to_80


def _left_out(rows: Sequence[Speed]) -> dict[str, float]:
    """Reached over forecast, ln, of each row by a fit that never saw its family."""
    errors: dict[str, float] = {}
    for family in dict.fromkeys(row.family for row in rows):
        seen = fit([row for row in rows if row.family != family])
        errors |= {row.id: row.error - seen.of(row) for row in rows if row.family == family}
    return errors


def summary(library: Library) -> list[Transfer]:
    """Scores of published speeds: each family left out, and by the records as shipped."""
    rows = speeds(library)
    whole = fit(rows)
    left_out = _left_out(rows)
    plain = Fit(whole.tables, whole.experts, {}, {})
    return [
        _scored("families", rows, left_out.values()),
        _scored("shipped", rows, [row.error - row.own - plain.of(row) for row in rows]),
    ]


def _scored(way: str, rows: Sequence[Speed], errors: Iterable[float]) -> Transfer:
    """Of each family the mean error, families of one weight; forecast over measured."""
    found: dict[str, list[float]] = {}
    for row, error in zip(rows, errors, strict=True):
        found.setdefault(row.family, []).append(-error)
    factor = math.exp(float(np.mean([np.mean(np.abs(own)) for own in found.values()])))
    median = math.exp(float(np.median([np.mean(own) for own in found.values()])))
    return Transfer("speeds of tables", way, len(rows), factor, median)
