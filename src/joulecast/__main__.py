"""`python -m joulecast`."""

from __future__ import annotations

from joulecast.cli import main

main()
