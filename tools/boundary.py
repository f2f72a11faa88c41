"""The boundary of a forecast, as one list: docs/method/life-cycle.svg and the table beside it.

Drawn by tools/build_docs.py.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

Status = Literal["on", "asked", "beside", "out"]

#: Status -> what it is called, fill, line and dashes.
LOOKS: dict[Status, tuple[str, str, str, str]] = {
    "on": ("in the total", "#d9ead3", "#38761d", ""),
    "asked": ("in the total if asked for", "#dbe7f6", "#1c4587", ""),
    "beside": ("beside the total", "#fff2cc", "#b45f06", ""),
    "out": ("not counted", "#f7f7f7", "#888888", "5 4"),
}


class Item(NamedTuple):
    """A part of the life cycle: what it is, whether it counts, and where or how."""

    name: str
    status: Status
    where: str


GROUPS: dict[str, tuple[Item, ...]] = {
    "Making": (
        Item("Devices", "on", "device_embodied_kgco2e"),
        Item("Hosts", "on", "host_embodied_kgco2e"),
        Item("Network and storage", "on", "network_embodied_share"),
        Item("Data-centre building", "asked", "--include-building"),
        Item("All that was bought", "asked", "--embodied-mode purchase"),
        Item("Hardware retired, kg", "beside", "ewaste_kg"),
        Item("Repairs, end of life", "out", "no source"),
    ),
    "The final run": (
        Item("Devices", "on", "device_power_w"),
        Item("Hosts, NICs, switches", "on", "host_power_w"),
        Item("Network and storage", "on", "network_share"),
        Item("Cooling, conversion", "on", "pue"),
        Item("Restarts, stalls", "on", "utilisation, goodput"),
        Item("Generation on site", "asked", "onsite_share"),
        Item("Water", "beside", "water_l, with a place"),
        Item("Grid losses", "out", "raise the intensity"),
    ),
    "Around the run": (
        Item("All of it together", "beside", "--project-factor"),
        Item("Searches, ablations", "beside", "[project]"),
        Item("Failed and early runs", "beside", "[project]"),
        Item("Evaluation", "beside", "[project]"),
        Item("Data preparation", "beside", "[project]"),
        Item("Post-training: SFT, RL", "beside", "[project]"),
        Item("Data, checkpoints kept", "beside", "storage_tb"),
        Item("Data moved", "beside", "transfer_tb"),
        Item("Staff, travel", "out", "outside"),
    ),
    "Use and accounts": (
        Item("Tokens served", "beside", "--use-tokens"),
        Item("By contract", "beside", "market_gco2e_per_kwh"),
        Item("Offsets", "beside", "never subtracted"),
        Item("Hire, power bill", "beside", "price_per_..."),
        Item("Users' devices", "out", "outside"),
        Item("Marginal emissions", "out", "another question"),
    ),
}

BOX_WIDTH, BOX_HEIGHT, GAP, TOP, LEFT = 212, 46, 8, 84, 16
FONT = "font-family='Helvetica, Arial, sans-serif'"


def figure() -> str:
    """The boundary as SVG text."""
    rows = max(len(items) for items in GROUPS.values())
    width = 2 * LEFT + len(GROUPS) * (BOX_WIDTH + 2 * GAP) - 2 * GAP
    height = TOP + rows * (BOX_HEIGHT + GAP) + 12
    lines = [
        "<svg xmlns='http://www.w3.org/2000/svg' role='img' "
        f"viewBox='0 0 {width} {height}' {FONT}>",
        "<title>What a forecast counts, by part of the life cycle</title>",
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>",
    ]
    for i, (label, fill, line, dashes) in enumerate(LOOKS.values()):
        x = LEFT + i * (BOX_WIDTH + 2 * GAP)
        lines.append(_box(x, 14, 22, 16, fill, line, dashes))
        lines.append(_text(x + 30, 27, label, 13, "#222222"))
    for column, (group, items) in enumerate(GROUPS.items()):
        x = LEFT + column * (BOX_WIDTH + 2 * GAP)
        lines.append(_text(x, TOP - 14, group, 16, "#222222", "bold"))
        for row, item in enumerate(items):
            y = TOP + row * (BOX_HEIGHT + GAP)
            _, fill, line, dashes = LOOKS[item.status]
            lines.append(_box(x, y, BOX_WIDTH, BOX_HEIGHT, fill, line, dashes))
            lines.append(_text(x + 10, y + 20, item.name, 14, "#222222"))
            lines.append(_text(x + 10, y + 37, item.where, 11, "#555555"))
    return "\n".join([*lines, "</svg>\n"])


def _box(x: int, y: int, width: int, height: int, fill: str, line: str, dashes: str) -> str:
    dashed = f" stroke-dasharray='{dashes}'" if dashes else ""
    return (
        f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='5' fill='{fill}' "
        f"stroke='{line}'{dashed}/>"
    )


def _text(x: int, y: int, text: str, size: int, colour: str, weight: str = "normal") -> str:
    return (
        f"<text x='{x}' y='{y}' font-size='{size}' font-weight='{weight}' fill='{colour}'>"
        f"{escape(text)}</text>"
    )


def table() -> str:
    """The same as a Markdown table, for those who cannot see the figure."""
    rows = [
        f"| {group} | {item.name} | {LOOKS[item.status][0]} | {_code(item.where)} |"
        for group, items in GROUPS.items()
        for item in items
    ]
    return "\n".join(
        ["", "| Part | What | Counts | By, or why not |", "|---|---|---|---|", *rows, ""]
    )


def _code(where: str) -> str:
    """Names of quantities and flags in code type."""
    return ", ".join(
        f"`{part}`" if "_" in part or "--" in part or "[" in part else part
        for part in where.split(", ")
    )
