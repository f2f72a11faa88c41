"""The version, in its one place."""

__version__ = "0.1.0"

#: Day of the version, as CITATION.cff says it.
RELEASED = "2026-11-22"
