"""The tables of the pages are the code's."""

from __future__ import annotations

from pathlib import Path

import count_reference
import pytest


@pytest.mark.parametrize("path", count_reference.PAGES, ids=lambda path: path.stem)
def test_the_table_of_the_page_is_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == count_reference.page(path), (
        "stale: python tools/count_reference.py --docs"
    )
