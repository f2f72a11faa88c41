"""What was said of a plan on the command line, however it was parsed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from joulecast.cli.output import note
from joulecast.errors import InputError

if TYPE_CHECKING:
    from joulecast.answers.footprint import Footprint
    from joulecast.data.library import Library
    from joulecast.plan import Plan


def library(specs: Path | None) -> Library:
    """The package's data, with a folder of the user's over it if one was named."""
    from joulecast.data.library import Library

    return Library.bundled() if specs is None else Library.with_folder(specs)


class Asked(NamedTuple):
    """What was said of the plan: targets, flags, ``--set``, ``--specs``, ``--from``, ``--use-…``.

    `use` holds what was said of the use by the name of its flag.
    """

    targets: tuple[str, ...]
    flags: dict[str, Any]
    sets: dict[str, str]
    specs: Path | None
    exported: Path | None = None
    use: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def of(cls, targets: tuple[str, ...], flags: dict[str, Any], use: Mapping[str, Any]) -> Asked:
        """What was said, from the values of all flags of a plan and of its use, by name."""
        sets = assignments(flags.pop("set_") or [])
        return cls(targets, flags, sets, flags.pop("specs"), flags.pop("from_"), use)

    @property
    def library(self) -> Library:
        """The data to look things up in."""
        return library(self.specs)

    def plan(self, target: str | None = None) -> Plan:
        """The plan of a target (the first one where none is named) under the flags."""
        from joulecast.plan import merged

        if target is None and self.targets:
            target = self.targets[0]
        if self.exported is not None:
            return self._used(self._again(self.exported, target))
        base, model = fields_of(target)
        return self._used(merged(base, self.sets, {"model": model, **self.flags}))

    def plans(self) -> list[Plan]:
        """The plan of each target; one plan where none is named."""
        return [self.plan(target) for target in self.targets or (None,)]

    def forecasts(self) -> list[Footprint]:
        """The forecast of each plan."""
        from joulecast.estimation import estimate

        library = self.library
        return [estimate(plan, library) for plan in self.plans()]

    def _used(self, plan: Plan) -> Plan:
        """The plan with what the flags say of its use."""
        from joulecast.plan import with_use

        said = {name.removeprefix("use_"): value for name, value in self.use.items()}
        shown = bool(said.pop("use", False))
        return with_use(plan, said, shown)

    def _again(self, exported: Path, target: str | None) -> Plan:
        """The plan of an export under the flags; data that have changed since are said."""
        from joulecast.exporting.rereading import read
        from joulecast.plan import merged

        if target is not None:
            why = f"names a plan, and so does {target}"
            raise InputError("--from", exported, why, ["one of them"])
        found = read(exported)
        if found.data_digest not in (None, self.library.digest):
            made = f"{exported} was made with data {found.data_digest}"
            note(f"note: {made}, this answer with {self.library.digest}: numbers may differ")
        return merged(found.fields, self.sets, self.flags)


def fields_of(target: str | None) -> tuple[dict[str, Any], str | None]:
    """What a positional argument is: fields of a plan file, or the name of a known model."""
    if target is None:
        return {}, None
    path = Path(target)
    if path.suffix == ".toml" or (path.is_file() and path.suffix != ".json"):
        from joulecast.plan.file import read

        return read(path), None
    return {}, target


def varied(pairs: list[str] | None) -> dict[str, str]:
    """What ``--vary`` says, by name."""
    return assignments(pairs or [], "--vary", "region=fr,pl")


def budgets(pairs: list[str] | None) -> dict[str, str]:
    """What ``--max`` says, by name."""
    return assignments(pairs or [], "--max", "total=50t")


def assignments(pairs: list[str], flag: str = "--set", example: str = "pue=1.1") -> dict[str, str]:
    """NAME=VALUE pairs; a name given twice is a contradiction."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or not value:
            raise InputError(flag, pair, "is not NAME=VALUE", [f"{flag} {example}"])
        if name in given and given[name] != value:
            raise InputError(flag, pair, f"{name} was already set to {given[name]}")
        given[name] = value
    return given
