"""The Markdown of a card: front matter, blocks of the sections on the run, cells, sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Headings of what is not about the training run.
_ELSEWHERE = re.compile(
    r"evaluat|result|benchmark|usage|how to|use\b|uses\b|bias|risk|limitation|citation|cite|bibtex|"
    r"licen[sc]e|contact|author|example|inference|deployment|safety|acknowledg|changelog|glossary",
    re.IGNORECASE,
)

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def front_matter(lines: list[str]) -> tuple[dict[str, tuple[str, int]], int]:
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


def blocks(lines: list[str], start: int) -> Iterator[tuple[int, list[str]]]:
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


def plain(line: str) -> str:
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


def sentences(prose: list[tuple[int, str]]) -> Iterator[tuple[str, list[int]]]:
    """Sentences of lines that run on, with the line of each of their characters."""
    text, at = "", []
    for number, line in prose:
        text += f"{line} "
        at += [number] * (len(line) + 1)
    start = 0
    for end in [*(m.end() for m in re.finditer(r"[.;!?]\s+(?=[A-Z(])", text)), len(text)]:
        yield text[start:end], at[start:end]
        start = end


def cells_of(first: int, block: list[str]) -> list[tuple[int, list[str]]]:
    """The rows of a table with their lines, the rule below its head left out."""
    rows = [[plain(cell) for cell in line.strip().strip("|").split("|")] for line in block]
    return [(first + i, row) for i, row in enumerate(rows) if not _is_rule(row)]


def _is_rule(row: list[str]) -> bool:
    return all(re.fullmatch(r":?-*:?", cell.replace(" ", "")) for cell in row)
