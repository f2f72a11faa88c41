"""The verb `cite`: a bibliography of exactly the data and formulas an answer rests on."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from joulecast._version import RELEASED, __version__
from joulecast.answers.footprint import Citation, Footprint
from joulecast.answers.optimum import Optimum
from joulecast.citing.markup import OWN_KEY, latex
from joulecast.data.records import Source
from joulecast.errors import InputError, nearest

TITLE = "joulecast: forecasting the footprint of training machine-learning models"
AUTHORS = "joulecast contributors"

#: Form -> what it is.
FORMS = {
    "text": "plain text",
    "bibtex": "BibTeX, for LaTeX",
    "csl": "CSL JSON, for Zotero, pandoc and word processors",
}


#: Answers that say what they rest on.
Sourced = Footprint | Optimum


class Bibliography(NamedTuple):
    """What to cite, and what must not be cited because nobody checked it."""

    data_digest: str
    cited: tuple[Citation, ...]
    unchecked: tuple[Citation, ...]

    @property
    def texts(self) -> list[str]:
        """Joulecast itself and what to cite with it, a line of text each."""
        own = (
            f"{AUTHORS} ({RELEASED[:4]}), {TITLE}. Version {__version__}, data {self.data_digest}."
        )
        return [own, *(one.text for one in self.cited)]


def cite(answer: Sourced | Sequence[Sourced], form: str = "text") -> str:
    """Everything an answer rests on, to be cited: its data, its formulas, joulecast itself.

    Parameters
    ----------
    answer
        What `estimate` (or `optimum`) gave, or several such answers.
    form
        ``text``, ``bibtex`` or ``csl`` (CSL JSON).

    Returns
    -------
    The bibliography.  Sources quoted from memory are not cited; where the form can carry a
    remark, they are listed apart as unchecked.

    Raises
    ------
    InputError
        For a form nobody has.

    >>> from joulecast import Plan, estimate
    >>> print(cite(estimate(Plan(flop=1e22, device="a100-sxm-80", region="fr")), "bibtex")[:16])
    @misc{joulecast,
    """
    answers = list(answer) if isinstance(answer, Sequence) else [answer]
    found = bibliography(answers)
    if form not in FORMS:
        raise InputError(
            "--format", form, "is no form of a bibliography", nearest(form, FORMS) or FORMS
        )
    return {"text": _text, "bibtex": bibtex, "csl": _csl}[form](found)


def bibliography(answers: Sequence[Sourced]) -> Bibliography:
    """Sources of some answers, each once, in the order in which they were used."""
    by_key = {one.key: one for answer in answers for one in answer.citations}
    cited = tuple(one for one in by_key.values() if one.read != "recalled")
    unchecked = tuple(one for one in by_key.values() if one.read == "recalled")
    digests = dict.fromkeys(answer.data_digest for answer in answers)
    return Bibliography(", ".join(digests), cited, unchecked)


def _text(found: Bibliography) -> str:
    lines = found.texts
    if found.unchecked:
        lines += ["", "Unchecked, so not to be cited before somebody reads them:"]
        lines += [f"  {one.text}" for one in found.unchecked]
    return "\n".join(lines)


def bibtex(found: Bibliography) -> str:
    """Entries for BibTeX and biber: the classic types alone, in plain ASCII where letters allow."""
    own = {
        "author": f"{{{AUTHORS}}}",
        "title": f"{{{TITLE}}}",
        "year": RELEASED[:4],
        "version": __version__,
        "note": f"Version {__version__}, data {found.data_digest}",
    }
    entries = [_entry("misc", OWN_KEY, own)]
    entries += [_entry(_kind(one.source), one.key, _fields(one.source)) for one in found.cited]
    entries += [f"% unchecked, so not cited: {latex(one.text)}" for one in found.unchecked]
    return "\n\n".join(entries)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    rows = [f"  {name:<{width}} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *rows, "}"])


def _kind(source: Source) -> str:
    if source.kind == "article" and source.journal:
        return "article"
    return "techreport" if source.kind in ("report", "datasheet", "standard") else "misc"


def _fields(source: Source) -> dict[str, str]:
    """Fields of an entry; a title in braces keeps its capitals."""
    kind = _kind(source)
    fields = {
        "author": " and ".join(_author(name) for name in source.names),
        "title": f"{{{latex(source.title)}}}",
        "year": str(source.year),
    }
    if kind == "article":
        fields["journal"] = latex(source.journal)
    elif kind == "techreport":
        fields["institution"] = latex(source.publisher)
        fields["type"] = {"standard": "Standard", "datasheet": "Data sheet"}.get(
            source.kind, "Report"
        )
    elif source.publisher and not arxiv_number(source):
        fields["howpublished"] = latex(source.publisher)
    if number := arxiv_number(source):
        fields |= {"eprint": number, "archiveprefix": "arXiv", "howpublished": f"arXiv:{number}"}
    if source.doi:
        fields["doi"] = source.doi
    if source.url:
        fields["url"] = source.url
    if remark := remarks(source):
        fields["note"] = latex(remark)
    return fields


def _author(name: str) -> str:
    """Organisations in braces, so that no style takes them for a person's names."""
    return latex(name) if "," in name or name == "others" else f"{{{latex(name)}}}"


def arxiv_number(source: Source) -> str:
    """The number of a preprint; empty for anything else."""
    if source.journal:
        return ""
    addresses = f"{source.doi} {source.url}".lower()
    found = re.search(r"arxiv(?:\.org/abs/|\.)(\d{4}\.\d{4,5})", addresses)
    return found[1] if found else ""


def remarks(source: Source) -> str:
    """Where in the source, when it was read, whether its title is its own, what is in doubt."""
    described = "titl" in source.note and "descri" in source.note
    parts = [
        source.locator,
        f"accessed {source.accessed}" if source.accessed else "",
        "title descriptive" if described else "",
        f"not confirmed: {source.unconfirmed}" if source.unconfirmed else "",
    ]
    said = "; ".join(part for part in parts if part)
    return said[:1].upper() + said[1:]


#: Kind of source -> type of CSL.
_CSL_TYPES = {
    "article": "article-journal",
    "report": "report",
    "datasheet": "report",
    "dataset": "dataset",
    "web": "webpage",
    "standard": "standard",
}


def _csl(found: Bibliography) -> str:
    own: dict[str, Any] = {
        "id": OWN_KEY,
        "type": "software",
        "author": [{"literal": AUTHORS}],
        "title": TITLE,
        "issued": {"date-parts": [[int(part) for part in RELEASED.split("-")]]},
        "version": __version__,
        "note": f"data {found.data_digest}",
    }
    entries = [own, *(_csl_entry(one) for one in found.cited)]
    return json.dumps(entries, indent=2, ensure_ascii=False)


def _csl_entry(citation: Citation) -> dict[str, Any]:
    source = citation.source
    preprint = arxiv_number(source)
    entry: dict[str, Any] = {
        "id": citation.key,
        "type": "article" if preprint else _CSL_TYPES[source.kind],
        "author": [_csl_name(name) for name in source.names],
        "title": source.title,
        "issued": {"date-parts": [[source.year]]},
        "publisher": "arXiv" if preprint else source.publisher,
        "number": f"arXiv:{preprint}" if preprint else "",
        "container-title": source.journal,
        "DOI": source.doi,
        "URL": source.url,
        "note": remarks(source),
    }
    return {name: value for name, value in entry.items() if value}


def _csl_name(name: str) -> dict[str, str]:
    family, comma, first = name.partition(",")
    return {"family": family, "given": first.strip()} if comma else {"literal": name}
