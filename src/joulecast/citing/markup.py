"""Plain text, Markdown and LaTeX: how each writes a number, a unit, a citation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from joulecast.answers.footprint import Citation
from joulecast.report.words import two

#: Key by which a bibliography names joulecast itself.
OWN_KEY = "joulecast"

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: "\\" + mark for mark in "&%$#_{}"},
}
_LETTERS = {
    "ß": r"{\ss}", "ø": r"{\o}", "Ø": r"{\O}", "æ": r"{\ae}", "Æ": r"{\AE}", "å": r"{\aa}",
    "Å": r"{\AA}", "ł": r"{\l}", "Ł": r"{\L}", "ı": r"{\i}", "œ": r"{\oe}", "Œ": r"{\OE}",
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "…": r"\ldots{}",
    "×": r"$\times$", "÷": r"$\div$", "°": r"\textdegree{}", "±": r"$\pm$", "·": r"$\cdot$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "μ": r"$\mu$", "µ": r"$\mu$",
    "₂": r"\textsubscript{2}", "²": r"\textsuperscript{2}", "€": r"\texteuro{}", "\u00a0": "~",
    "≥": r"$\geq$", "≤": r"$\leq$", "→": r"$\to$", "∞": r"$\infty$",
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r",
    "\u030c": "v", "\u0327": "c", "\u0328": "k", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u030b": "H",
}  # fmt: skip


def latex(text: str) -> str:
    r"""Text for LaTeX and BibTeX: specials escaped, accents as commands, line breaks as spaces.

    >>> latex("Jülich & 80 % of CO2_e")
    'J{\\"u}lich \\& 80 \\% of CO2\\_e'
    """
    return "".join(_letter(letter) for letter in " ".join(text.split()))


def _letter(letter: str) -> str:
    if unicodedata.category(letter).startswith("C"):  # a control character, which stops TeX
        return ""
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter in _LETTERS or letter.isascii():
        return _LETTERS.get(letter, letter)
    parts = unicodedata.normalize("NFD", letter)
    base, mark = parts[0], parts[1:]
    if mark in _ACCENTS and base.isascii():
        accent = _ACCENTS[mark]
        base = rf"\{base}" if base in "ij" and accent not in "ck" else base
        space = " " if accent.isalpha() and not base.startswith("\\") else ""
        return f"{{\\{accent}{space}{base}}}"
    return letter


def _two_or_whole(percent: float) -> str:
    return f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"


class Plain:
    """Text as an email has it."""

    times = "×"

    def text(self, text: str) -> str:
        """Words of a name, a place, a note."""
        return text

    def strong(self, text: str) -> str:
        """Words that matter most; already marked up."""
        return text

    def unit(self, unit: str) -> str:
        """Give a unit, such as tCO2e."""
        return unit

    def amount(self, number: str, unit: str) -> str:
        """Give a number with its unit, both marked up already; on one line where that can be."""
        return f"{number} {unit}".rstrip()

    def percent(self, share: float) -> str:
        """Give a share as a percentage of two figures.

        >>> Plain().percent(0.07)
        '7 %'
        """
        return f"{_two_or_whole(share * 100)} %"

    def number(self, value: float) -> str:
        """Two significant figures.

        >>> Plain().number(7.2272e23), Plain().number(886840)
        ('7.2 × 10²³', '890,000')
        """
        return self._power(two(value))

    def exactly(self, value: float, digits: int = 3) -> str:
        """Give a number that is an input: three figures, or all where it is whole; grouped.

        >>> Plain().exactly(616.0), Plain().exactly(9.894e14)
        ('616', '9.89 × 10¹⁴')
        """
        if value and (abs(value) >= 1e7 or abs(value) < 1e-3):
            mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
            if "." in mantissa:
                mantissa = mantissa.rstrip("0").rstrip(".")
            return self._power(f"{mantissa}e{int(exponent)}")
        rounded = value if value == int(value) else float(f"{value:.{digits}g}")
        return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.10g}"

    def _power(self, text: str) -> str:
        mantissa, mark, exponent = text.partition("e")
        if not mark or not exponent.lstrip("-").isdigit():
            return text
        return self.power(mantissa, exponent)

    def power(self, mantissa: str, exponent: str) -> str:
        """Give a number with a power of ten."""
        raised = exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{mantissa} × 10{raised}"

    def cite(self, citations: Sequence[Citation], own: bool = False) -> str:
        """Cite sources, and joulecast itself where it is the source."""
        names = [self.name(citation) for citation in citations]
        names += ["joulecast's own figure"] if own else []
        return f" ({'; '.join(names)})" if names else ""

    def cite_own(self) -> str:
        """Cite joulecast where its name stands already."""
        return ""

    def name(self, citation: Citation) -> str:
        """Give a source as a text refers to it."""
        return self.text(citation.source.label)


class Markdown(Plain):
    """Text as model cards and README files have it."""

    def text(self, text: str) -> str:
        """Words with Markdown's own marks escaped."""
        return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))

    def strong(self, text: str) -> str:
        """Bold."""
        return f"**{text}**"

    def name(self, citation: Citation) -> str:
        """Give a source with its address where it has one."""
        source = citation.source
        address = f"https://doi.org/{source.doi}" if source.doi else source.url
        label = self.text(source.label)
        return f"[{label}]({address})" if address else label


class Latex(Plain):
    """Text for a paper."""

    times = r"$\times$"

    def text(self, text: str) -> str:
        """Words with LaTeX's specials escaped."""
        return self.unit(latex(text))

    def strong(self, text: str) -> str:
        r"""In \textbf."""
        return rf"\textbf{{{text}}}"

    def unit(self, unit: str) -> str:
        """Give a unit with its subscript."""
        return unit.replace("CO2", r"CO\textsubscript{2}").replace("m3", r"m\textsuperscript{3}")

    def amount(self, number: str, unit: str) -> str:
        r"""Give a number with its unit, which no line breaks apart.

        >>> Latex().amount("63", "MWh")
        '63~MWh'
        """
        return f"{number}~{unit}" if unit else number

    def percent(self, share: float) -> str:
        r"""Give a share with a thin space.

        >>> Latex().percent(0.07)
        '7\\,\\%'
        """
        return rf"{_two_or_whole(share * 100)}\,\%"

    def power(self, mantissa: str, exponent: str) -> str:
        """Give a number in mathematics."""
        return rf"${mantissa} \times 10^{{{exponent}}}$"

    def cite(self, citations: Sequence[Citation], own: bool = False) -> str:
        r"""Cite by \cite with the keys of the bibliography."""
        keys = [citation.key for citation in citations] + ([OWN_KEY] if own else [])
        return rf"~\cite{{{','.join(keys)}}}" if keys else ""

    def cite_own(self) -> str:
        r"""Cite joulecast by \cite."""
        return self.cite([], own=True)


PLAIN, MARKDOWN, LATEX = Plain(), Markdown(), Latex()
