"""The verb `export`: an answer in the form a reader asks for, one file to a format."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from joulecast.answers.footprint import Footprint
from joulecast.errors import InputError, nearest


class Format(NamedTuple):
    """A form of export: what it is for, where it is made, and the ending of its files.

    `writer` is a function of the module that takes a footprint and gives the text of the file; it
    takes a sequence of them where the format can hold `several`.
    """

    meaning: str
    module: str
    ending: str
    several: bool = False
    writer: str = "write"


#: Name -> format, in the order of the help.
FORMATS: dict[str, Format] = {
    "md": Format("the whole answer as Markdown", "joulecast.exporting.md", ".md"),
    "latex": Format(
        "methods paragraph and table for a paper", "joulecast.exporting.tex", ".tex", True
    ),
    "methods": Format("methods paragraph as plain text", "joulecast.exporting.prose", ".txt", True),
    "hf": Format("Hugging Face model card", "joulecast.exporting.hf", ".md"),
    "eu": Format(
        "EU Model Documentation Form: compute, time, energy", "joulecast.exporting.eu", ".md"
    ),
    "sci": Format("Software Carbon Intensity for AI", "joulecast.exporting.sci", ".md"),
    "checklist": Format("NeurIPS and ACL checklists", "joulecast.exporting.checklist", ".md"),
    "cyclonedx": Format(
        "CycloneDX bill of materials of the model", "joulecast.exporting.cyclonedx", ".json"
    ),
    "csv": Format(
        "columns of CodeCarbon's emissions.csv", "joulecast.exporting.csv_", ".csv", True
    ),
    "json": Format("the answer in full", "joulecast.exporting.json_", ".json"),
    "html": Format(
        "one printable page, no network", "joulecast.report.html", ".html", writer="report_html"
    ),
}


def export(footprint: Footprint | Sequence[Footprint], format: str) -> str:
    """An answer as the text of a file of some format.

    Parameters
    ----------
    footprint
        What `estimate` gave; several where the format can hold them.
    format
        One of `FORMATS`: md, latex, methods, hf, eu, sci, checklist, cyclonedx, csv, json, html.

    Raises
    ------
    InputError
        For a format nobody has, several answers in a format for one, or an answer that lacks what
        the format must say.

    >>> from joulecast import Plan, estimate
    >>> fp = estimate(Plan(flop=1e22, device="a100-sxm-80", region="fr", year=2024))
    >>> export(fp, "csv").splitlines()[0][:34]
    'timestamp,project_name,run_id,expe'
    """
    footprints = [footprint] if isinstance(footprint, Footprint) else list(footprint)
    if format not in FORMATS:
        near = nearest(format, FORMATS) or FORMATS
        raise InputError("--format", format, "is not a format of an export", near)
    chosen = FORMATS[format]
    if len(footprints) > 1 and not chosen.several:
        several = [name for name, other in FORMATS.items() if other.several]
        raise InputError("--format", format, "holds one run", several)
    write = getattr(import_module(chosen.module), chosen.writer)
    text: str = write(footprints if chosen.several else footprints[0])
    return text.rstrip("\n") + "\n"
