"""What stands beside the run: data kept and moved, and the parts of the project."""

from __future__ import annotations

from joulecast.errors import InputError, UnknownNameError, brief
from joulecast.plan import StorageMedium, is_published
from joulecast.resolve.ledger import Ledger
from joulecast.terms import PROJECT_MEANINGS, PROJECT_SHARES

#: What says that data are kept; each with what to try where it is missing.
KEPT = {"storage_tb": "100", "storage_months": "12"}

#: Where nothing is said, data that are kept for months lie on hard disks.
USUAL_MEDIUM: StorageMedium = "hdd"


def resolve(ledger: Ledger) -> None:
    """Enter how data are kept and moved, where they are."""
    _storage(ledger)
    if ledger.given("transfer_tb"):
        figure = ledger.library.default("transfer_kwh_per_gb")
        ledger.assume("transfer_kwh_per_gb", figure, "assumption.transfer")


def _storage(ledger: Ledger) -> None:
    plan, library = ledger.plan, ledger.library
    said = [name for name in KEPT if ledger.given(name)]
    medium = plan.storage_medium or (USUAL_MEDIUM if said else None)
    ledger.resolved["storage_medium"] = medium
    if medium is None or not said:
        return
    for name, example in KEPT.items():
        if name not in said:
            value = brief(ledger.data[said[0]].value)
            raise InputError(said[0], value, f"needs {name}", [f"--set {name}={example}"])
    why = "" if plan.storage_medium else "hard disks, as nothing else was said; "
    for name in ("storage_w_per_tb", "storage_embodied_kgco2e_per_tb"):
        figure = library.default(f"{name}.{medium}")
        figure = figure.replace(note=why + figure.note)
        ledger.assume(name, figure, f"assumption.{name}.{medium}")
    ledger.assume("storage_copies", library.default("storage_copies"), "assumption.storage_copies")
    ledger.assume("lifetime_years", library.default("lifetime_years"), "assumption.lifetime_years")
    if plan.only_given:
        ledger.settle("storage_copies", 1.0, "nothing added that was not given")


def take_share(ledger: Ledger, name: str, raw: object) -> bool:
    """Enter the published share of a part of the project; False where a number was given."""
    if not is_published(name, raw):
        return False
    part = PROJECT_SHARES[name]
    if not ledger.library.has_default(name):
        why = f"no figure for {PROJECT_MEANINGS[part]} was published that we could read"
        raise UnknownNameError(name, raw, why, [f"--set {name}=0.2"])
    ledger.assume(name, ledger.library.default(name), f"assumption.{name}", essential=True)
    return True


def check_project(ledger: Ledger) -> None:
    """A factor for the whole project leaves no room for its parts."""
    parts = [name for name in PROJECT_SHARES if ledger.has(name)]
    if parts and ledger.has("project_factor"):
        value = brief(ledger.data["project_factor"].value)
        why = f"cannot be combined with {parts[0]}, which is a part of it"
        raise InputError("project_factor", value, why, ["giving one of the two"])
