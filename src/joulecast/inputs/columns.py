"""What the columns of a table mean: names of flags, of quantities, or as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from joulecast.errors import InputError, UnknownNameError, nearest
from joulecast.plan import Plan
from joulecast.terms import INPUTS

#: Columns that name a row, the first of them that a table has.
NAMES = (
    "name", "run", "run name", "label", "id", "run id", "experiment", "experiment name", "job",
    "job name", "job id", "title",
)  # fmt: skip

#: Columns that say nothing of the run.
REMARKS = (
    "note", "notes", "comment", "comments", "remark", "remarks", "description", "link", "url",
    "owner", "user", "status", "team", "project", "dataset", "data set", "date",
)  # fmt: skip

#: Headers as people write them -> field of a plan or quantity.
MEANT: dict[str, str] = {
    **dict.fromkeys(
        ("gpu", "gpu type", "gpu model", "gpu name", "accelerator", "hardware", "chip", "card",
         "instance", "instance type"),
        "device",
    ),
    **dict.fromkeys(
        ("gpus", "no gpus", "n gpus", "num gpus", "number of gpus", "gpu count", "devices",
         "num devices", "number of devices", "accelerators", "world size", "cards", "count"),
        "device_count",
    ),
    **dict.fromkeys(("model name", "base model", "checkpoint"), "model"),
    **dict.fromkeys(
        ("parameters", "no parameters", "n params", "num params", "number of parameters",
         "model size", "size", "param count"),
        "params",
    ),
    **dict.fromkeys(("active parameters", "activated params"), "active_params"),
    **dict.fromkeys(
        ("trainable parameters", "trained parameters", "trained params"), "trainable_params"
    ),
    **dict.fromkeys(("training tokens", "n tokens", "num tokens", "total tokens"), "tokens"),
    **dict.fromkeys(("examples", "num samples", "n samples", "rows", "prompts"), "samples"),
    **dict.fromkeys(("tokens per sample", "mean length", "avg length"), "sample_tokens"),
    **dict.fromkeys(
        ("sequence length", "seq length", "max length", "max seq length", "context",
         "context length", "block size"),
        "seq_len",
    ),
    **dict.fromkeys(("num epochs", "n epochs", "passes"), "epochs"),
    **dict.fromkeys(("architecture", "type", "model type"), "arch"),
    **dict.fromkeys(("dtype", "numeric precision"), "precision"),
    **dict.fromkeys(("country", "location", "place", "site", "zone", "datacenter"), "region"),
    **dict.fromkeys(("cloud", "cloud provider"), "provider"),
    **dict.fromkeys(("batch", "global batch size", "global batch"), "global_batch_tokens"),
    **dict.fromkeys(("rank", "r"), "lora_rank"),
    **dict.fromkeys(("target modules", "targets"), "lora_targets"),
    **dict.fromkeys(("flops", "training flops", "training flop", "compute"), "flop"),
    **dict.fromkeys(
        ("gpu hours", "gpuh", "gpu h", "device hours", "accelerator hours", "chip hours"),
        "device_hours",
    ),
    **dict.fromkeys(
        ("days", "wall clock days", "duration", "wall clock", "wall time", "elapsed", "runtime"),
        "wall_clock_days",
    ),
    **dict.fromkeys(
        ("power", "watts", "gpu power", "mean power", "average power"), "device_power_w"
    ),
    **dict.fromkeys(("energy", "kwh", "energy consumed"), "energy_kwh"),
    **dict.fromkeys(("utilization", "gpu utilization"), "utilisation"),
    **dict.fromkeys(
        ("tokens s", "tokens per second", "tokens s gpu", "throughput"),
        "tokens_per_second_per_device",
    ),
    **dict.fromkeys(
        ("grid intensity", "carbon intensity", "g kwh", "gco2 kwh"), "grid_gco2e_per_kwh"
    ),
    **dict.fromkeys(("trials", "repeats", "number of runs", "num runs", "seeds"), "runs"),
    **dict.fromkeys(("failed", "failed share", "share failed"), "project_failed_runs"),
    **dict.fromkeys(("search", "search share"), "project_search"),
}  # fmt: skip

#: Letters behind a count -> how it is written.
LETTERS = {"k": "k", "m": "M", "b": "B", "t": "T", "thousand": "k", "million": "M",
           "millions": "M", "billion": "B", "billions": "B", "trillion": "T"}  # fmt: skip

#: A header with a unit in brackets.
UNIT = re.compile(r"^(.*?)\s*[\[(]\s*([^\])]+?)\s*[\])]\s*$")


class Column(NamedTuple):
    """What a column is: field or quantity, and the unit that its header says."""

    header: str
    name: str
    unit: str = ""

    def value(self, cell: Any) -> Any:
        """A cell in words that a plan reads: with the unit of the header where it has none."""
        if not self.unit or not _is_number(cell):
            return cell
        letters = LETTERS.get(self.unit.casefold())
        text = f"{cell}".strip()
        return f"{text}{letters}" if letters else f"{text} {self.unit}"


class Columns(NamedTuple):
    """Columns of a table: those of a plan, the one that names rows, those passed over."""

    used: dict[str, Column]
    name: str | None
    passed_over: tuple[str, ...]


def columns_of(headers: Iterable[str]) -> Columns:
    """Tell what each header means.

    Raises UnknownNameError for one that is no part of a plan and no remark, InputError where two
    mean the same.
    """
    heads = list(dict.fromkeys(headers))
    plain = {head: _plain(head) for head in heads}
    name = next((head for word in NAMES for head in heads if plain[head] == word), None)
    used: dict[str, Column] = {}
    passed: list[str] = []
    counted = any(_meaning(plain[head]) == "device_count" for head in heads)
    for head in heads:
        if head == name:
            continue
        if plain[head] in REMARKS:
            passed.append(head)
            continue
        column = _column(head, counted)
        twice = next((one for one in used.values() if one.name == column.name), None)
        if twice is not None:
            why = f"means {column.name}, and so does {twice.header!r}"
            raise InputError("column", head, why, ["one of the two"])
        used[head] = column
    return Columns(used, name, tuple(passed))


def _column(head: str, counted: bool) -> Column:
    found = _meaning(_plain(head))
    if found is not None:
        return Column(head, found)
    in_brackets = UNIT.match(head)
    stem, unit = (in_brackets[1], in_brackets[2]) if in_brackets else (head, "")
    if _plain(stem) in ("hours", "h") or (_plain(stem) == "time" and unit == "h"):
        # Of one device where their number stands in a column of its own, of all of them else.
        return Column(head, "wall_clock_days", "h") if counted else Column(head, "device_hours")
    found = _meaning(_plain(stem))
    if found is None:
        known = [*Plan.fields, *INPUTS, *MEANT]
        near = [MEANT.get(one, one) for one in nearest(_plain(stem).replace(" ", "_"), known)]
        ways = list(dict.fromkeys(near)) or ["params", "tokens", "device", "region"]
        raise UnknownNameError("column", head, "is no part of a plan", [*ways, "notes"])
    return Column(head, found, unit)


def _meaning(plain: str) -> str | None:
    """Field or quantity of a header without punctuation."""
    name = plain.replace(" ", "_")
    if name in Plan.fields or name in INPUTS:
        return name
    return MEANT.get(plain)


def _plain(head: str) -> str:
    """A header in small letters, its punctuation as single spaces; "#" is a number."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", head.replace("#", " no "))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", spaced.casefold()).split())


def _is_number(cell: Any) -> bool:
    if isinstance(cell, bool):
        return False
    if isinstance(cell, int | float):
        return True
    return re.fullmatch(r"[+-]?[\d.,_ ]+(e[+-]?\d+)?", str(cell).strip().casefold()) is not None
