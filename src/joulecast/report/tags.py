"""Pieces of a page: text that is safe, sections, tables, and how they look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def text(value: object) -> str:
    """A value as text of a page."""
    return escape(str(value), quote=True)


def code(name: str) -> str:
    """A name in typewriter, which may break after an underscore."""
    return f"<code>{text(name).replace('_', '_<wbr>')}</code>"


def section(title: str, *content: str, note: str = "") -> str:
    """A part of a page under a heading, with a note where there is one."""
    said = f'<p class="note">{text(note)}</p>' if note else ""
    return f"<section>\n<h2>{text(title)}</h2>\n{said}{''.join(content)}\n</section>"


#: Heads of columns that hold a range, which stays on one line.
_SPANS = ("80 % range", "5 % to 95 %", "Its P10 to P90", "Answer times")


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "", right: Sequence[int] = ()
) -> str:
    """A table of cells that are HTML already; `right` are the columns of figures."""
    marks = ["num" if i in right else "span" if h in _SPANS else "" for i, h in enumerate(head)]
    top = "".join(
        f'<th scope="col" class="{m}">{text(h)}</th>' for h, m in zip(head, marks, strict=True)
    )
    lines = []
    for cells in rows:
        first = f'<th scope="row">{cells[0]}</th>'
        rest = "".join(
            f'<td class="{mark}" data-label="{text(label)}">{cell}</td>'
            for label, mark, cell in zip(head[1:], marks[1:], cells[1:], strict=True)
        )
        lines.append(f"<tr>{first}{rest}</tr>")
    return (
        f'<table class="{kind}">\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(lines)}\n</tbody>\n</table>"
    )


def folded(title: str, content: str) -> str:
    """What is shown when somebody opens it."""
    return f"<details>\n<summary>{text(title)}</summary>\n{content}\n</details>"


def in_cell(*content: str) -> str:
    """A part of somebody else's page, whose own looks stay as they are."""
    body = "\n".join(filter(None, content))
    return f'<div class="joulecast">\n<style>.joulecast{{{_CELL}{STYLE}}}</style>\n{body}\n</div>'


#: Beside STYLE, whose rules for the whole of a page mean nothing inside another.
_CELL = "background:#fff;color:#111;padding:.5rem 1rem;max-width:64rem"

STYLE = """
:root{color-scheme:light;font-size:16px}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:#111;
 font:1rem/1.45 system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
main,footer{max-width:64rem;margin:0 auto;padding:1rem}
h1{font-size:1.35rem;line-height:1.3;margin:1rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .4rem;padding-top:.4rem;border-top:1px solid #bbb}
.headline strong{font-size:2.2rem;line-height:1.15;display:block}
.note{color:#444;margin:.2rem 0 .6rem;font-size:.92rem}
small{display:block;color:#444;font-size:.84rem;font-weight:400}
code,pre{font-family:ui-monospace,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
code{overflow-wrap:break-word}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;font-weight:400;
 border-bottom:1px solid #ddd;overflow-wrap:break-word}
thead th{font-weight:600;border-bottom:1px solid #777;vertical-align:bottom}
.num{text-align:right;font-variant-numeric:tabular-nums}
.span{white-space:nowrap}
.wide td:last-child:not(.num){min-width:9.5rem}
.hand td,.hand th{border-bottom:0;padding-top:.1rem;padding-bottom:.1rem}
.hand tbody th{width:1.2rem}
.bars td:last-child,.bars thead th:last-child{width:34%;padding-right:0}
.given{width:auto;min-width:60%}
svg.bar{display:block;width:100%;height:1.25rem}
ul,ol{padding-left:2rem;margin:.3rem 0}
li{margin:.25rem 0;overflow-wrap:anywhere}
footer{color:#444;font-size:.9rem}
@media (max-width:40rem){
 .headline strong{font-size:1.8rem}
 .wide thead,.bars thead,.hand thead{position:absolute;left:0;clip-path:inset(50%);
  width:1px;height:1px;overflow:hidden}
 .wide tr,.bars tr{display:block;border-bottom:1px solid #bbb;padding:.4rem 0}
 .wide tbody th,.wide td,.bars tbody th,.bars td{display:block;border:0;padding:.05rem 0;
  text-align:left;width:auto;white-space:normal}
 .wide tbody th,.bars tbody th{font-weight:600}
 .wide td:not(:empty)::before,.bars td:not(:last-child):not(:empty)::before{
  content:attr(data-label) ": ";color:#444}
 .bars td:last-child{width:100%}
 .hand tr{display:grid;grid-template-columns:1.2rem 5.5rem 1fr}
 .hand td:last-child{grid-column:3;padding-top:0}
 .hand td:empty{display:none}
}
@media print{
 @page{margin:14mm}
 :root{font-size:9pt}
 .wide{font-size:.86rem}
 main,footer{max-width:none;padding:0}
 h2,.note{break-after:avoid}
 h2{margin-top:1.1rem}
 tr,li,.hand{break-inside:avoid}
 thead{display:table-header-group}
 pre{background:none;border:1px solid #bbb}
}
"""
