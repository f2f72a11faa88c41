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

from joulecast import units
from joulecast.answers.check import UNIT, Reading


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


_MASSES = {
    "t": 1000.0, "tonne": 1000.0, "tonnes": 1000.0, "ton": 1000.0, "tons": 1000.0,
    "metric ton": 1000.0, "metric tons": 1000.0, "kt": 1e6,
    "kg": 1.0, "kgs": 1.0, "kilogram": 1.0, "kilograms": 1.0,
    "g": 1e-3, "gram": 1e-3, "grams": 1e-3, "mg": 1e-6,
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), 0.45359237),
}  # fmt: skip
_ENERGIES = {
    "Wh": 1e-3, "kWh": 1.0, "KWh": 1.0, "kwh": 1.0, "MWh": 1e3, "GWh": 1e6, "TWh": 1e9,
    **{
        f"{size}watt{link}{hour}": factor
        for size, factor in (("kilo", 1.0), ("mega", 1e3), ("giga", 1e6))
        for link in ("-", " ", "")
        for hour in ("hour", "hours")
    },
}  # fmt: skip
_POWERS = {"W": 1.0, "watt": 1.0, "watts": 1.0, "Watt": 1.0, "Watts": 1.0, "kW": 1e3, "MW": 1e6}
_TIMES = {
    name: units.factor(unit) / units.hour
    for unit, names in {
        "s": ("s", "sec", "second", "seconds"),
        "min": ("min", "minute", "minutes"),
        "h": ("h", "hr", "hrs", "hour", "hours"),
        "d": ("d", "day", "days"),
        "week": ("week", "weeks"),
        "month": ("month", "months"),
    }.items()
    for name in names
}
#: Times that hours of devices are told in.
_LONG = {name: size for name, size in _TIMES.items() if size >= 1}

_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21}
_COUNTS = {
    "k": 1e3, "K": 1e3, "thousand": 1e3, "m": 1e6, "M": 1e6, "million": 1e6, "b": 1e9, "B": 1e9,
    "bn": 1e9, "billion": 1e9, "T": 1e12, "trillion": 1e12,
}  # fmt: skip


def _any(names: Mapping[str, float]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


_NUMBER = (
    r"(?<![\w.,/\-])(?P<digits>(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+|\d+)(?:\.\d+)?)"
    r"(?P<power>[eE][+-]?\d+|\s?(?:x|\*)\s?10\s?\^?\s?\{?[+-]?\d+\}?)?"
)
_GAS = (
    r"\s?(?:of\s)?(?:CO2(?:[\s-]?eq?(?:uivalents?)?)?\b\.?|carbon(?: dioxide)?(?: equivalents?)?)"
)
_WORDS = rf"\s?(?P<count>{_any(_COUNTS)})?"

_EACH = r"(?:(?:/|per)\s?(?:GPU|TPU|device|chip|accelerator)\s?)?"

#: What may follow a number -> the quantity it then is; the first that fits counts.
_UNITS: tuple[tuple[str, str], ...] = (
    (
        "intensity",
        rf"\s?(?P<mass>{_any(_MASSES)})(?:{_GAS})?\s?(?:/|per)\s?(?P<per>{_any(_ENERGIES)})\b",
    ),
    ("emissions", rf"{_WORDS}\s?(?P<mass>{_any(_MASSES)}){_GAS}"),
    (
        "device_hours",
        rf"{_WORDS}\s?(?:[A-Z][\w-]*\s)?(?:GPU|TPU|gpu|device|chip|accelerator|core|[AHVBL]\d+)[\s-]?(?P<time>{_any(_LONG)})\b",
    ),
    ("energy", rf"\s?(?P<energy>{_any(_ENERGIES)})\b(?!\s?/)"),
    (
        "throughput",
        rf"\s?(?P<si>[GTPE])(?:FLOPS|FLOPs?\s?{_EACH}(?:/\s?s(?:ec)?\b|per second))",
    ),
    ("flop", rf"{_WORDS}\s?(?P<si>[kMGTPEZ])?FLOPs?\b(?!\s?/)"),
    ("power", rf"\s?(?P<watt>{_any(_POWERS)})\b"),
    ("tokens", rf"{_WORDS}\s?(?:training\s)?tokens\b"),
    ("active_params", rf"{_WORDS}\s?(?:active|activated)\s(?:parameters|params)\b"),
    ("params", rf"{_WORDS}\s?(?:total\s)?(?:parameters|params|weights)\b"),
    ("hours", rf"\s?(?P<time>{_any(_TIMES)})\b(?!\s+of\s+(?!comput|train|wall|[GT]PU))"),
    ("mass", rf"\s?(?P<mass>{_any(_MASSES)})\b"),
    ("mfu", r"\s?(?P<percent>%)\s?(?:MFU|model FLOPs? utili[sz]ation)\b"),
    ("percent", r"\s?(?P<percent>%)"),
    (
        "devices",
        r"(?:\s?[x*]\s?|\s)(?:(?:[A-Z]|\d+\w)[\w/-]*\s){0,4}?(?:GPUs?|TPUs?|accelerators|devices|chips)\b",
    ),
    ("bare", rf"{_WORDS}(?![\w%])"),
)
_FIGURE = re.compile(_NUMBER)
_FOLLOWED = tuple((name, re.compile(pattern)) for name, pattern in _UNITS)

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

#: Headings of what is not about the training run.
_ELSEWHERE = re.compile(
    r"evaluat|result|benchmark|usage|how to|use\b|uses\b|bias|risk|limitation|citation|cite|bibtex|"
    r"licen[sc]e|contact|author|example|inference|deployment|safety|acknowledg|changelog|glossary",
    re.IGNORECASE,
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


def read_card(text: str) -> Card:
    """All figures of a Markdown model card."""
    lines = text.splitlines()
    field, body = _front_matter(lines)
    readings: list[Reading] = []
    words: list[Reading] = []
    rows: list[Scope] = []
    for first, block in _blocks(lines, body):
        if block[0].lstrip().startswith("|"):
            _table(first, block, readings, words, rows)
            continue
        _paragraph([_plain(line) for line in block], first, readings, words)
    return Card(field, tuple(words), Scope("", tuple(readings)), tuple(rows))


def _front_matter(lines: list[str]) -> tuple[dict[str, tuple[str, int]], int]:
    """The keys of co2_eq_emissions as they are written, with their lines; where the body begins.

    A bare number stands under the key ``emissions``, which is how the Hub takes it.
    """
    if not lines or lines[0].strip() != "---":
        return {}, 0
    end = next((i for i, line in enumerate(lines[1:], 1) if line.strip() == "---"), len(lines))
    found: dict[str, tuple[str, int]] = {}
    inside = False
    for number, line in enumerate(lines[1:end], 2):
        key, colon, raw = line.partition(":")
        value = _yaml_value(raw)
        if colon and key.strip() == "co2_eq_emissions":
            inside = not value
            if value.startswith("{"):
                parts = (part.partition(":") for part in value.strip("{}").split(","))
                found |= {k.strip(): (_yaml_value(v), number) for k, _, v in parts}
            elif value:
                found["emissions"] = (value, number)
        elif inside and colon and line[:1].isspace():
            found[key.strip()] = (value, number)
        elif line.strip() and not line[:1].isspace():
            inside = False
    return found, end + 1


def _yaml_value(raw: str) -> str:
    """A scalar without its comment; quotes stay, for they change what YAML reads."""
    return re.sub(r"\s+#.*$", "", raw).strip()


def _blocks(lines: list[str], start: int) -> Iterator[tuple[int, list[str]]]:
    """Paragraphs and tables of the sections on the run, with the number of their first line."""
    told, fenced, first = True, False, 0
    block: list[str] = []
    elsewhere_depth = 0
    comment = False
    for number, line in enumerate([*lines[start:], ""], start + 1):
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            fenced = not fenced
        comment = comment or bare.startswith("<!--")
        hidden = fenced or comment or bare.startswith(("```", "~~~"))
        if "-->" in bare:
            comment = False
        heading = re.match(r"(#+)\s+(.*)", bare) if not hidden else None
        if heading:
            depth = len(heading[1])
            if told or depth <= elsewhere_depth:
                told = not _ELSEWHERE.search(heading[2])
                elsewhere_depth = depth
        starts_table = bare.startswith("|") and block and not block[-1].lstrip().startswith("|")
        ends_table = block and block[-1].lstrip().startswith("|") and not bare.startswith("|")
        if block and (not bare or heading or hidden or starts_table or ends_table):
            yield first, block
            block = []
        if bare and told and not heading and not hidden:
            first = first if block else number
            block.append(line)


def _plain(line: str) -> str:
    """A line without markup, with one way to write the gas, products and powers."""
    line = re.sub(r"CO\s?<sub>2</sub>|CO\s?\$?_?\{?[2₂]\}?\$?", "CO2", line)
    line = re.sub(r"CO2[\s-]?(?:\(eq?\)|eq?\b)", "CO2e", line)
    line = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", line)
    line = re.sub(r"<[^>]+>|\\(?:times|text|mathrm)\b|[*`$~≈]|(?<!\w)_|_(?!\w)|\{,\}", " ", line)
    line = line.replace("×", "x").replace("·", "*")
    line = re.sub(
        r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda match: "10^" + match[1].translate(_SUPERSCRIPTS), line
    )
    return re.sub(r"[ \t]+", " ", line).strip().lstrip("-+>• ")


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


#: Closes the last paragraph.
_END = "\0"


def _paragraph(lines: list[str], first: int, readings: list[Reading], words: list[Reading]) -> None:
    """Labelled lines one by one; what lies between them as prose, sentence by sentence."""
    prose: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, _END], first):
        label, value = _split_label(line)
        if not label and line != _END:
            prose.append((number, line))
            continue
        for sentence, at in _sentences(prose):
            if not _OF_OTHERS.search(_ASIDE.sub("", sentence)):
                _prose(sentence, at, readings, words)
        prose = []
        if label:
            _labelled(label, value, number, readings, words)


def _sentences(prose: list[tuple[int, str]]) -> Iterator[tuple[str, list[int]]]:
    """Sentences of lines that run on, with the line of each of their characters."""
    text, at = "", []
    for number, line in prose:
        text += f"{line} "
        at += [number] * (len(line) + 1)
    start = 0
    for end in [*(m.end() for m in re.finditer(r"[.;!?]\s+(?=[A-Z(])", text)), len(text)]:
        yield text[start:end], at[start:end]
        start = end


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


def _labelled(
    label: str, value: str, number: int, readings: list[Reading], words: list[Reading]
) -> None:
    """Read the figures of a value; the first that has no unit takes its meaning from the label."""
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
    for found in _figures(value, label, number):
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
        plain = UNIT.get(meant) == "" or timed or meant == "flop"
        in_days = timed and re.search(r"\bdays\b", found.label.lower())
        return found._replace(
            name=meant,
            value=found.value * (_TIMES["days"] if in_days else 1.0),
            shown=f"{found.shown} ({found.label})",
            word="" if plain else "bare",
        )
    return found


#: (What a unit says, what the label says) -> the label is more exact.
_SHARPER = {
    ("power", "tdp"),
    ("throughput", "peak"),
    ("hours", "device_hours"),
    ("mass", "emissions"),
    ("percent", "mfu"),
}


def _prose(text: str, at: list[int], readings: list[Reading], words: list[Reading]) -> None:
    """Figures of a sentence that their unit names, or, as a PUE, the word before them."""
    training = re.search(
        r"train|took|ran for|comput|pre-?train|fine-?tun|consum|used", text.lower()
    )
    if at:
        words.extend(_words("", text, at[0]))
    readings.extend(_named_before(text, at, readings))
    for found in _figures(text, "", at):
        if found.name in ("bare", "mass", "percent", "power") and found.word != "watt":
            continue
        if found.name in _OF_TRAINING and not training:
            continue
        if found.name == "hours" and found.value < _LEAST_HOURS:
            continue
        if found.name == "emissions" and _BY_CONTRACT.search(
            found.context.partition(found.shown)[0]
        ):
            continue
        if not _repeats(found, readings):
            readings.append(found)


def _named_before(text: str, at: list[int], readings: list[Reading]) -> list[Reading]:
    """Figures whose name stands before them: a PUE of 1.2, MFU: 41 %."""
    found: list[Reading] = []
    for name, pattern in _NAMED_BEFORE:
        for match in pattern.finditer(text):
            one = next(_figures(match[1], name, at[match.start(1)]), None)
            if one is None:
                continue
            one = one._replace(name=name, context=_around(text, match.start(1)))
            if not _repeats(one, readings):
                found.append(one)
    return found


_NAMED_BEFORE = tuple(
    (name, re.compile(rf"{words}[^\d.;]{{0,25}}?(\d[\d.,]*\s?(?:%|W\b|TFLOP\S*)?)", re.IGNORECASE))
    for name, words in {
        "pue": r"\b(?:PUE|power usage effectiveness)\b",
        "mfu": r"\b(?:MFU|model FLOPs? utili[sz]ation)\b",
        "tdp": r"\bTDP\b",
        "peak": r"\bpeak\b",
    }.items()
)


def _repeats(one: Reading, readings: list[Reading]) -> bool:
    """Whether the same figure was read before on the same line, perhaps by a closer name."""
    names = {one.name, _CLOSER.get(one.name, "")}
    return any(
        other.name in names and one.value == other.value and one.line == other.line
        for other in readings
    )


#: What a unit alone says -> what the word before the number makes of it.
_CLOSER = {"power": "tdp", "throughput": "peak"}


def _words(label: str, value: str, number: int) -> Iterator[Reading]:
    """The value of a label that names hardware or a place."""
    folded = label.lower()
    for name, pattern in _NAMED:
        if label and pattern.search(folded) and not re.search(r"hours|power|count|number", folded):
            yield Reading(name, 0.0, value.strip(), number, 0.0, label)
            return
    if not label and _HARDWARE.search(value):
        yield Reading("hardware", 0.0, value, number, 0.0)


#: A number of devices, or the name of one.
_HARDWARE = re.compile(
    r"\d\s?(?:x|\*)?\s?.*(?:GPU|TPU|[AHV]100|accelerator)|\bTPU\s?v\d|\b[ABHV]\d{2}0\b|\bMI\d{3}"
)


def _figures(text: str, label: str, at: int | list[int]) -> Iterator[Reading]:
    """Every number of a text with what follows it; `at` is its line, or that of each character."""
    for match in _FIGURE.finditer(text):
        digits, power = match["digits"], match["power"] or ""
        value = float(re.sub(r"[,\u00a0\u202f]", "", digits)) * 10.0 ** _exponent(power)
        for name, pattern in _FOLLOWED:
            after = pattern.match(text, match.end())
            if after is None:
                continue
            groups = after.groupdict()
            shown = text[match.start() : after.end()].strip(" .")
            number = at if isinstance(at, int) else at[match.start()]
            size = _size(groups)
            unit = "watt" if name == "power" else ""
            if name == "intensity":
                size = 1000 * _MASSES[groups["mass"]] / _ENERGIES[groups["per"]]
            elif name == "throughput":
                size = _PREFIXES[groups["si"]] / 1e12
            context = _around(text, match.start())
            yield Reading(name, value * size, shown, number, _slack(digits), label, unit, context)
            break


def _around(text: str, at: int) -> str:
    """The part of a sentence in which a figure stands, between semicolons."""
    start = text.rfind(";", 0, at) + 1
    end = text.find(";", at)
    return text[start : len(text) if end < 0 else end]


def _size(groups: Mapping[str, str | None]) -> float:
    """What a number is multiplied by for what follows it."""
    size = 1.0
    for key, table in _TABLES.items():
        word = groups.get(key)
        size *= table[word] if word else 1.0
    return size / 100 if groups.get("percent") else size


_TABLES = {
    "count": _COUNTS,
    "mass": _MASSES,
    "energy": _ENERGIES,
    "watt": _POWERS,
    "time": _TIMES,
    "si": _PREFIXES,
}


def _exponent(power: str) -> int:
    found = re.search(r"[+-]?\d+\}?$", power)
    return int(found[0].rstrip("}")) if found else 0


#: No rounding is taken to hide more than this.
_MOST_SLACK = 0.02


def _slack(digits: str) -> float:
    """Half a unit of the last digit that is not a trailing zero, as a share of the number."""
    plain = re.sub(r"\D", "", digits).lstrip("0").rstrip("0" if "." not in digits else "")
    return min(_MOST_SLACK, 0.5 / int(plain)) if plain else 0.0


def _table(
    first: int,
    block: list[str],
    readings: list[Reading],
    words: list[Reading],
    rows: list[Scope],
) -> None:
    """A table of two columns is labels and values; a wider one has a scope in each row."""
    cells = [[_plain(cell) for cell in line.strip().strip("|").split("|")] for line in block]
    body = [(first + i, row) for i, row in enumerate(cells) if not _is_rule(row)]
    if len(body) < 2:
        return
    head = body[0][1]
    units_at = next((i for i, cell in enumerate(head) if cell.lower().startswith("unit")), None)
    if len(head) == 2 or units_at is not None:
        for number, row in body:
            if len(row) < 2 or any(char.isdigit() for char in row[0][:1]):
                continue
            unit = row[units_at] if units_at is not None and units_at < len(row) else ""
            _labelled(row[0], f"{row[1]} {unit}".strip(), number, readings, words)
        return
    for number, row in body[1:]:
        mine: list[Reading] = []
        for label, cell in zip(head[1:], row[1:], strict=False):
            _labelled(label, cell, number, mine, words)
        if mine:
            rows.append(Scope(row[0] or f"line {number}", tuple(mine)))


def _is_rule(row: list[str]) -> bool:
    return all(re.fullmatch(r":?-*:?", cell.replace(" ", "")) for cell in row)
