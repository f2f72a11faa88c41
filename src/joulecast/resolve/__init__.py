"""From a plan and the library to ledgers: the only room where strings choose and defaults apply.

What is given is taken; what is not is looked up or assumed, and every such choice is a Datum with
its source, or a warning, or both.
"""

from __future__ import annotations

from joulecast.resolve.ledger import Ledger
from joulecast.resolve.parts import Part
from joulecast.resolve.settled import Settled, resolve

__all__ = ["Ledger", "Part", "Settled", "resolve"]
