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
    name: Format(meaning, f"joulecast.{module}", *rest)
    for name, meaning, module, *rest in (
        ("md", "the whole answer as Markdown", "exporting.md", ".md"),
        ("latex", "methods paragraph and table for a paper", "exporting.tex", ".tex", True),
        ("methods", "methods paragraph as plain text", "exporting.prose", ".txt", True),
        ("hf", "Hugging Face model card", "exporting.hf", ".md"),
        ("eu", "EU Model Documentation Form: compute, time, energy", "exporting.eu", ".md"),
        ("sci", "Software Carbon Intensity for AI", "exporting.sci", ".md"),
        ("checklist", "NeurIPS and ACL checklists", "exporting.checklist", ".md"),
        ("cyclonedx", "CycloneDX bill of materials of the model", "exporting.cyclonedx", ".json"),
        ("csv", "columns of CodeCarbon's emissions.csv", "exporting.csv_", ".csv", True),
        ("json", "the answer in full", "exporting.json_", ".json"),
        ("html", "one printable page, no network", "report.html", ".html", False, "report_html"),
    )
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
