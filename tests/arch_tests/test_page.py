"""The page's table is the code's."""

from __future__ import annotations

import count_reference


def test_the_table_of_the_page_is_up_to_date() -> None:
    assert count_reference.PAGE.read_text("utf-8") == count_reference.page(), (
        "stale: python tools/count_reference.py --docs"
    )
