"""The methods paragraph as plain text, one to a run."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from joulecast.answers.footprint import Footprint
from joulecast.citing.citing import bibliography
from joulecast.citing.markup import PLAIN
from joulecast.citing.methods import paragraphs


def write(footprints: Sequence[Footprint]) -> str:
    """Paragraphs, then what they cite."""
    blocks = [textwrap.fill(text, 80) for text in paragraphs(footprints, PLAIN)]
    return "\n\n".join([*blocks, "References", *bibliography(footprints).texts])
