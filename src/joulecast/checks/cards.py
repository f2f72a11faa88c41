"""Reads the figures of a model card: front matter, labelled lines, tables and prose.

Three rules, no guessing beyond them.  A number's unit says what the number is; a label says it
where there is no unit; what neither names is not read.  Sections on something else (evaluation,
use, citation) and code are passed over.  Every figure read is kept with its line, so that a person
can see what was understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from joulecast.answers.check import UNIT, Reading
from joulecast.checks.figures import TIMES, around, figures
from joulecast.checks.markdown import blocks, cells_of, front_matter, plain, sentences


class Scope(NamedTuple):
    """Figures that belong together: those of the text, or of one row of a table."""

    name: str
    readings: tuple[Reading, ...]


class Card(NamedTuple):
    """What was read of a card: its front matter's field, its words and its figures."""

    field: Mapping[str, tuple[str, int]]
    words: tuple[Reading, ...]
    text: Scope
    rows: tuple[Scope, ...]

    @property
    def readings(self) -> list[Reading]:
        """All figures, in the order of their lines."""
        scopes = (self.text, *self.rows)
        return sorted((r for scope in scopes for r in scope.readings), key=lambda r: r.line)


#: Words of a label -> what a number without a unit of its own is there; the first that fits.
_LABELS: tuple[tuple[str, str], ...] = (
    ("pue", r"\bpue\b|power usage effectiveness"),
    ("intensity", r"intensity|emission factor|grid factor|carbon efficiency"),
    ("mfu", r"\bmfu\b|\bflops? utili[sz]ation"),
    ("peak", r"\bpeak\b.*flop|peak throughput|peak performance"),
    ("throughput", r"flop/s|flops per (?:gpu|second)|throughput"),
    ("offset", r"market|offset|net of|after compensation"),
    ("emissions", r"emission|carbon emitted|co2|footprint|carbon"),
    ("energy", r"energy|electricity"),
    ("tdp", r"\btdp\b|thermal design"),
    ("power", r"power|wattage|\bdraw\b"),
    ("device_hours", r"(?:gpu|tpu|device|chip|accelerator)[\s-]?(?:h(?:ou)?rs|days)"),
    ("hours", r"hours|time|duration|wall[\s-]?clock|^(?:number of |training |elapsed )?days$"),
    (
        "devices",
        r"(?:number|count) of (?:gpu|tpu|device|accel|chip)|"
        r"(?:gpu|device|accelerator)s? (?:count|used)|^#? ?(?:gpus|devices|accelerators|chips)$",
    ),
    ("active_params", r"active param|activated param"),
    ("params", r"param|model size"),
    ("tokens", r"tokens"),
    ("flop", r"flop|compute\b"),
)

_LABELLED = tuple((name, re.compile(pattern)) for name, pattern in _LABELS)

#: Labels whose value is words: hardware and place.
_NAMED = (
    (
        "hardware",
        re.compile(
            r"hardware|gpu type|gpu model|accelerator type|^gpus?$|^device$|^accelerators?$"
        ),
    ),
    ("place", re.compile(r"region|location|country|data[\s-]?cent(?:er|re)|^grid$|^where$")),
)

#: (What a unit says, what the label says) -> the label is more exact.
_SHARPER = {
    ("power", "tdp"),
    ("throughput", "peak"),
    ("hours", "device_hours"),
    ("mass", "emissions"),
    ("percent", "mfu"),
}

#: What a unit alone says -> what the word before the number makes of it.
_CLOSER = {"power": "tdp", "throughput": "peak"}

_NAMED_BEFORE = tuple(
    (name, re.compile(rf"{words}[^\d.;]{{0,25}}?(\d[\d.,]*\s?(?:%|W\b|TFLOP\S*)?)", re.IGNORECASE))
    for name, words in {
        "pue": r"\b(?:PUE|power usage effectiveness)\b",
        "mfu": r"\b(?:MFU|model FLOPs? utili[sz]ation)\b",
        "tdp": r"\bTDP\b",
        "peak": r"\bpeak\b",
    }.items()
)

#: A number of devices, or the name of one.
_HARDWARE = re.compile(
    r"\d\s?(?:x|\*)?\s?.*(?:GPU|TPU|[AHV]100|accelerator)|\bTPU\s?v\d|\b[ABHV]\d{2}0\b|\bMI\d{3}"
)

#: Sentences about another run, or about none.
_OF_OTHERS = re.compile(
    r"compared|comparison|versus|\bvs\b|instead of|for reference|average (?:car|person|household)|"
    r"equivalent to|evaluat|inference|would have|per query|flight",
    re.IGNORECASE,
)

#: What was included, or not, says nothing of whose figure it is.
_ASIDE = re.compile(r"\bincluding\b[^,;.]*|[^,;.]*\b(?:not )?included\b", re.IGNORECASE)

#: Before emissions of a contract, not of the grid.
_BY_CONTRACT = re.compile(r"market[\s-]based|\boffset|certificate", re.IGNORECASE)

#: Shorter times are those of a step, not of a run [h].
_LEAST_HOURS = 1 / 60

#: Quantities that one number in prose states only where it speaks of training.
_OF_TRAINING = ("tokens", "hours", "params", "active_params", "flop")

#: Closes the last paragraph.
_END = "\0"


class _Sheet(NamedTuple):
    """What has been read so far: figures, and words that name something."""

    readings: list[Reading]
    words: list[Reading]


def read_card(text: str) -> Card:
    """All figures of a Markdown model card."""
    lines = text.splitlines()
    field, body = front_matter(lines)
    sheet = _Sheet([], [])
    rows: list[Scope] = []
    for first, block in blocks(lines, body):
        if block[0].lstrip().startswith("|"):
            _table(first, block, sheet, rows)
        else:
            _paragraph([plain(line) for line in block], first, sheet)
    return Card(field, tuple(sheet.words), Scope("", tuple(sheet.readings)), tuple(rows))


def _table(first: int, block: list[str], sheet: _Sheet, rows: list[Scope]) -> None:
    """A table of two columns is labels and values; a wider one has a scope in each row."""
    body = cells_of(first, block)
    if len(body) < 2:
        return
    head = body[0][1]
    units_at = next((i for i, cell in enumerate(head) if cell.lower().startswith("unit")), None)
    if len(head) == 2 or units_at is not None:
        for number, row in body:
            if len(row) < 2 or any(char.isdigit() for char in row[0][:1]):
                continue
            unit = row[units_at] if units_at is not None and units_at < len(row) else ""
            _labelled(row[0], f"{row[1]} {unit}".strip(), number, sheet)
        return
    for number, row in body[1:]:
        mine = _Sheet([], sheet.words)
        for label, cell in zip(head[1:], row[1:], strict=False):
            _labelled(label, cell, number, mine)
        if mine.readings:
            rows.append(Scope(row[0] or f"line {number}", tuple(mine.readings)))


def _paragraph(lines: list[str], first: int, sheet: _Sheet) -> None:
    """Labelled lines one by one; what lies between them as prose, sentence by sentence."""
    prose: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, _END], first):
        label, value = _split_label(line)
        if not label and line != _END:
            prose.append((number, line))
            continue
        for sentence, at in sentences(prose):
            if not _OF_OTHERS.search(_ASIDE.sub("", sentence)):
                _prose(sentence, at, sheet)
        prose = []
        if label:
            _labelled(label, value, number, sheet)


def _split_label(text: str) -> tuple[str, str]:
    """``Label: value`` or ``Label = value``, if the label is short and is one."""
    match = re.match(r"([^:=.;]{2,60}?)\s*[:=]\s+(.+)|([^:=.;]{2,60}):$", text)
    if not match or not match[2]:
        return "", ""
    label = match[1].strip()
    known = _quantity_of(label) or any(pattern.search(label.lower()) for _, pattern in _NAMED)
    return (label, match[2]) if known else ("", "")


def _quantity_of(label: str) -> str:
    folded = label.lower()
    return next((name for name, pattern in _LABELLED if pattern.search(folded)), "")


def _labelled(label: str, value: str, number: int, sheet: _Sheet) -> None:
    """Read the figures of a value; the first that has no unit takes its meaning from the label."""
    readings, words = sheet
    named = list(_words(label, value, number))
    words.extend(named)
    counted = re.match(
        r"(\d[\d,]*)\s?(?:x\s?|(?=[A-Z]))(?=[A-Za-z])(?!(?:nodes?|servers?|hosts?|pods?)\b)", value
    )
    if counted and named and named[0].name == "hardware":
        count = float(counted[1].replace(",", ""))
        readings.append(Reading("devices", count, counted[1] + " devices", number, 0.0, label))
    meant = _quantity_of(label)
    if meant == "offset":
        words.append(Reading("offset", 0.0, value, number, 0.0, label))
        return
    if meant == "emissions" and re.search(r"offset|net zero|carbon neutral", value.lower()):
        words.append(Reading("offset", 0.0, value, number, 0.0, label))
    unit = re.search(r"[(\[]([^)\]]+)[)\]]", label)
    if unit and re.fullmatch(r"[\d,.\s]+(?:[eE][+-]?\d+)?\s*", value):
        value = f"{value.strip()} {unit[1].removeprefix('in ')}"
    readings.extend(_named_before(value, [number] * len(value), readings))
    taken = False
    for found in figures(value, label, number):
        one = _settled(found, meant, taken)
        if one is not None and not _repeats(one, readings):
            taken = taken or one.name == meant
            readings.append(one)


def _settled(found: Reading, meant: str, taken: bool) -> Reading | None:
    """A figure with its label's help, or None where neither unit nor label names it."""
    name = found.name
    if (name, meant) in _SHARPER:
        return found._replace(name=meant)
    if name in ("mass", "percent") or (name == "bare" and (not meant or taken)):
        return None
    if name == "bare":
        # Hours and counts need no unit; a bare mass or energy might be anything.
        timed = meant in ("hours", "device_hours")
        unitless = UNIT.get(meant) == "" or timed or meant == "flop"
        in_days = timed and re.search(r"\bdays\b", found.label.lower())
        return found._replace(
            name=meant,
            value=found.value * (TIMES["days"] if in_days else 1.0),
            shown=f"{found.shown} ({found.label})",
            word="" if unitless else "bare",
        )
    return found


def _prose(text: str, at: list[int], sheet: _Sheet) -> None:
    """Figures of a sentence that their unit names, or, as a PUE, the word before them."""
    readings, words = sheet
    training = re.search(
        r"train|took|ran for|comput|pre-?train|fine-?tun|consum|used", text.lower()
    )
    if at:
        words.extend(_words("", text, at[0]))
    readings.extend(_named_before(text, at, readings))
    for found in figures(text, "", at):
        if found.name in ("bare", "mass", "percent", "power") and found.word != "watt":
            continue
        if found.name in _OF_TRAINING and not training:
            continue
        if found.name == "hours" and found.value < _LEAST_HOURS:
            continue
        before = found.context.partition(found.shown)[0]
        if found.name == "emissions" and _BY_CONTRACT.search(before):
            continue
        if not _repeats(found, readings):
            readings.append(found)


def _named_before(text: str, at: list[int], readings: list[Reading]) -> list[Reading]:
    """Figures whose name stands before them: a PUE of 1.2, MFU: 41 %."""
    found: list[Reading] = []
    for name, pattern in _NAMED_BEFORE:
        for match in pattern.finditer(text):
            one = next(figures(match[1], name, at[match.start(1)]), None)
            if one is None:
                continue
            one = one._replace(name=name, context=around(text, match.start(1)))
            if not _repeats(one, readings):
                found.append(one)
    return found


def _repeats(one: Reading, readings: list[Reading]) -> bool:
    """Whether the same figure was read before on the same line, perhaps by a closer name."""
    names = {one.name, _CLOSER.get(one.name, "")}
    return any(
        other.name in names and one.value == other.value and one.line == other.line
        for other in readings
    )


def _words(label: str, value: str, number: int) -> Iterator[Reading]:
    """The value of a label that names hardware or a place."""
    folded = label.lower()
    for name, pattern in _NAMED:
        if label and pattern.search(folded) and not re.search(r"hours|power|count|number", folded):
            yield Reading(name, 0.0, value.strip(), number, 0.0, label)
            return
    if not label and _HARDWARE.search(value):
        yield Reading("hardware", 0.0, value, number, 0.0)
