"""The methods paragraph as plain text, one to a run."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from joulecast.answers.footprint import Footprint
from joulecast.citing.citing import bibliography, own_text
from joulecast.citing.markup import PLAIN
from joulecast.citing.methods import paragraphs


def write(footprints: Sequence[Footprint]) -> str:
    """Paragraphs, then what they cite."""
    blocks = [textwrap.fill(text, 80) for text in paragraphs(footprints, PLAIN)]
    found = bibliography(footprints)
    lines = [own_text(found.data_digest), *(one.text for one in found.cited)]
    return "\n\n".join([*blocks, "References", *lines])
