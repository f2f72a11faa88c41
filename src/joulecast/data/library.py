"""Look-up of devices, models, places, sources and defaults by the names people type."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from joulecast.data import instances, specs
from joulecast.data.instances import Reservation
from joulecast.data.places import Names, Places
from joulecast.data.records import Device, Figure, Instance, Model, Read, Record, Source
from joulecast.data.tables import DEFAULT_TABLES, check_listed
from joulecast.errors import SpecsError, UnknownNameError, nearest

if TYPE_CHECKING:
    from joulecast.validating.runs import ReportedRun

R = TypeVar("R", bound=Record)


class DeviceMatch(NamedTuple):
    """A device found, others the typed name could have meant, and other makers' of that name."""

    device: Device
    variants: tuple[str, ...] = ()
    namesakes: tuple[str, ...] = ()


class Library(Places):
    """All tables of hardware_specs, read once; a user's records are checked when they are used.

    `Library.bundled()` is the one that ships with the package; `Library.with_folder(path)`
    lays a user's own records over it.
    """

    @staticmethod
    def bundled() -> Library:
        """The tables of the package."""
        return _bundled()

    @staticmethod
    def with_folder(folder: Path) -> Library:
        """The tables of the package with a user's records laid over them, read anew once edited."""
        folder = folder.resolve()
        return _with_folder(folder, specs.stamp(folder))

    def with_calibration(self, entries: Mapping[str, Any]) -> Library:
        """The same tables with another fit in place of calibration.toml."""
        core = ChainMap({"calibration": entries}, self._core)  # type: ignore[arg-type]
        return Library(core, self._folder, self._zones, self._own)

    @property
    def digest(self) -> str:
        """Version of the data: the same digits, the same tables."""
        return str(self._core["digest"])

    # Sources and defaults.

    @property
    def source_keys(self) -> list[str]:
        """Keys of all sources."""
        return list(self._core["sources"])

    def source(self, key: str) -> Source:
        """Look up a source by its key."""
        sources = self._core["sources"]
        check_listed("source", key, sources, "sources.toml")
        return self._once(Source, key, lambda: Source.made_of({"key": key, **sources[key]}))

    def read_of(self, key: str) -> Read:
        """How a source is known: primary, secondary or recalled."""
        return cast("Read", self._core["sources"].get(key, {}).get("read", "primary"))

    def default(self, name: str) -> Figure:
        """Look up a default, such as ``network_share.cluster``."""
        return self._once(Figure, name, lambda: self._default(name))

    def _default(self, name: str) -> Figure:
        entry = self._default_entry(name)
        if entry is None:
            raise SpecsError("defaults.toml", name, "is missing")
        return Figure.made_of(entry)

    def has_default(self, name: str) -> bool:
        """Whether a default of this name exists."""
        return self._default_entry(name) is not None

    def _default_entry(self, name: str) -> Mapping[str, Any] | None:
        for table in DEFAULT_TABLES:
            entry: Any = self._core.get(table, {})
            for part in name.split("."):
                entry = entry.get(part) if isinstance(entry, Mapping) else None
            if isinstance(entry, Mapping) and "value" in entry:
                return entry
        return None

    def own_runs(self, name: str) -> Figure | None:
        """What a user's own past runs say, such as ``utilisation.h100-sxm.decoder``; else None."""
        entry: Any = self._core.get("own_runs")
        for part in name.split(".") if entry else ():
            entry = entry.get(part) if isinstance(entry, Mapping) else None
        return Figure.made_of(entry) if entry else None

    def defaults_of(self, name: str) -> dict[str, Any]:
        """All defaults of a quantity, as the tables hold them."""
        found: dict[str, Any] = {}
        for table in DEFAULT_TABLES:
            for key, entry in self._core.get(table, {}).get(name, {}).items():
                known = found.get(key, {})
                found[key] = {**known, **entry} if isinstance(entry, Mapping) else entry
        return found

    def laws(self, table: str, kind: type[R]) -> dict[str, R]:
        """Scaling laws of a table (``loss``, ``allocation``, ...); the first one answers."""
        laws: Mapping[str, Any] = self._core["scaling_laws"][table]
        return {key: kind.made_of(law) for key, law in laws.items()}

    # Devices and models.

    @property
    def device_ids(self) -> list[str]:
        """Ids of all devices."""
        return list(self._core["devices"])

    @property
    def model_ids(self) -> list[str]:
        """Ids of all known models."""
        return list(self._core.get("models", {}))

    def device(self, name: str) -> DeviceMatch:
        """Find a device by id, alias, full name or one of these without punctuation.

        The name of a cloud instance finds the device it holds.  Raises UnknownNameError with the
        nearest names.
        """
        reserved = self.reservation(name)
        typed = reserved.instance.device if reserved else name
        key = self._key("device", typed, self._core["devices"])
        device = self._record(Device, "devices", key)
        named = self._core["names_of_devices"]["alias"].get(specs.fold(typed), [])
        namesakes = tuple(other for other in named if other != key)
        return DeviceMatch(device, self._variants(typed, key), namesakes)

    @property
    def instance_ids(self) -> list[str]:
        """Names of all cloud instance types and TPU slices."""
        return list(self._core.get("instances", {}))

    def instance(self, key: str) -> Instance:
        """Row of the table of instances."""
        return Instance.made_of(instances.row(self._core, key))

    @cached_property
    def rented(self) -> Mapping[str, frozenset[str]]:
        """Device -> providers that rent it out, as far as the table of instances knows."""
        found: dict[str, set[str]] = {}
        for row in map(self.instance, self.instance_ids):
            found.setdefault(row.device, set()).add(row.provider)
        return {device: frozenset(providers) for device, providers in found.items()}

    def reservation(self, name: str) -> Reservation | None:
        """What a name stands for, where it is that of a cloud instance or a TPU slice."""
        if _meanings(self._core["names_of_devices"], name):
            return None
        return instances.find(self._core, name)

    def model(self, name: str) -> Model:
        """Find a known model by id, alias, full name or one of these without punctuation.

        Without punctuation the numbers must still be the model's: mamba28b could be several.
        Raises UnknownNameError with the nearest ids.
        """
        return self._record(Model, "models", self._key("model", name, self._core.get("models", ())))

    # Published training runs, read when one is asked for: no forecast rests on them.

    @property
    def run_ids(self) -> list[str]:
        """Ids of all published training runs."""
        return list(self._runs[specs.RUNS_TABLE])

    @property
    def runs(self) -> list[ReportedRun]:
        """All published training runs, in the order of their ids."""
        return [self.run(key) for key in sorted(self.run_ids)]

    def run(self, name: str) -> ReportedRun:
        """Find a published training run by id, name or one of these without punctuation.

        Raises UnknownNameError with the nearest ids.
        """
        from joulecast.validating.runs import ReportedRun

        key = self._key("run", name, self._runs[specs.RUNS_TABLE])
        record = self._record(ReportedRun, specs.RUNS_TABLE, key)
        if key in self._own.get(specs.RUNS_TABLE, {}):
            self._check_names_in(record)
        return record

    @cached_property
    def _runs(self) -> Mapping[str, Any]:
        ours, own = specs.load(self._folder, specs.RUNS), self._own.get(specs.RUNS_TABLE)
        if not own:
            return ours
        return {**ours, **specs.with_names({**ours[specs.RUNS_TABLE], **own})}

    def benchmark(self, table: str) -> Mapping[str, Mapping[str, str]]:
        """Rows of a table by their ids: ``benchmark_runs``, ``..._nodes``, ``throughput``."""
        rows: Mapping[str, Mapping[str, str]] = self._runs.get(table, {})
        return rows

    def _check_names_in(self, run: ReportedRun) -> None:
        """The device, model, place and sources of a user's own run are known ones."""
        where = f"reported_runs/{run.id}.toml"
        looked_up = {"device": self.device, "model": self.model, "place": self.place}
        for field, look in looked_up.items():
            name = getattr(run.before, field)
            try:
                if name is not None:
                    look(name)
            except UnknownNameError as problem:
                at = f"{where}: before.{field}"
                raise SpecsError(at, name, problem.why, problem.choices) from None
        for key in run.sources:
            check_listed(f"{where}: source", key, self._core["sources"], "sources.toml")

    def _key(self, kind: str, name: str, ids: Iterable[str]) -> str:
        """Id of the record that goes by a name."""
        names = (self._runs if kind == "run" else self._core)[f"names_of_{kind}s"]
        found = _meanings(names, name)
        if kind == "model" and found and not self._is_said(names, name, found):
            raise UnknownNameError(kind, name, "unknown model", self._near(names, name, ids, found))
        counted = None if found else re.fullmatch(r"(\d+)\s*[x×]\s*(.+)", name.strip())
        if kind == "device" and counted:
            count, device = counted.groups()
            way_on = f"--device {self._key(kind, device, ids)} --device-count {count}"
            raise UnknownNameError(kind, name, "holds a count", [way_on])
        if not found:
            rented = self.instance_ids if kind == "device" else []
            near = self._near(names, name, ids, others=rented)
            if kind == "device":
                near = self._of_one_maker(names, name, near)
            raise UnknownNameError(kind, name, f"unknown {kind}", near)
        if len(found) > 1:
            raise UnknownNameError(kind, name, f"could be several {kind}s", sorted(found))
        return found[0]

    def _near(
        self,
        names: Names,
        name: str,
        ids: Iterable[str],
        first: Iterable[str] = (),
        others: Iterable[str] = (),
    ) -> list[str]:
        """Ids to offer for a name that is none; `others` are names that are no ids."""
        close = nearest(name, [*ids, *names["alias"], *others])
        meant = ((_meanings(names, choice) or [choice])[0] for choice in close)
        choices = dict.fromkeys([*first, *meant])
        return list(choices) or [*ids][:3]

    def _of_one_maker(self, names: Names, name: str, near: list[str]) -> list[str]:
        """Devices to offer: those named by the same letters, then others of their maker."""
        if near and near[0] not in self._core["devices"]:
            return near  # an instance
        letters, number = _letters_and_number(name)
        kin = [form for form in names["loose"] if _letters_and_number(form)[0] == letters]
        kin.sort(key=lambda form: abs(_letters_and_number(form)[1] - number))
        close = [*nearest(specs.bare(name), kin), *kin] if letters else []
        found = [*dict.fromkeys(names["loose"][form][0] for form in close)][:3]
        offered = [key for key in dict.fromkeys([*found, *near]) if key in self._core["devices"]]
        makers = {key: self.device(key).device.vendor for key in offered}
        first = makers[offered[0]]
        return [key for key in offered if key in found or makers[key] == first][:3]

    def _is_said(self, names: Names, name: str, found: list[str]) -> bool:
        """Whether a model's name is written out, or its numbers are: mamba2-8b is no mamba-2.8b."""
        if any(specs.fold(name) in names[form] for form in ("exact", "alias")):
            return True
        models = {key: self._core["models"][key] for key in found}
        known = {
            form
            for key, others in specs.names_of(models).items()
            for form in (key, *others)
            if specs.bare(form) == specs.bare(name)
        }
        return any(_numbers(form) == _numbers(name) for form in known)

    def _record(self, kind: type[R], folder: str, key: str) -> R:
        """A record of a folder; one of a user's is checked, and ours where it cannot be read."""
        data = (self._runs if folder == specs.RUNS_TABLE else self._core)[folder]

        def make() -> R:
            if key not in self._own.get(folder, {}):
                with suppress(TypeError, ValueError):  # edited since it was built: said below
                    return kind.made_of(data[key])
            from joulecast.data.overlay import checked

            return checked(kind, folder, key, data[key], self._core)

        return self._once(kind, key, make)

    def _once(self, kind: type[R], key: str, make: Callable[[], R]) -> R:
        """A record made when it is first asked for."""
        if (kind, key) not in self._made:
            self._made[kind, key] = make()
        found: R = self._made[kind, key]
        return found

    def _variants(self, name: str, key: str) -> tuple[str, ...]:
        """Others the typed name could mean: the family, or the same device with other memory.

        A name that is an id or says the memory means one device alone.
        """
        devices = self._core["devices"]
        mine = devices[key]
        if specs.fold(name) == key or _memory(mine) in re.findall(r"\d+", name):
            return ()
        family = specs.bare(mine["family"])
        whole_family = _sans_maker(specs.bare(name), mine["vendor"]) == family
        return tuple(
            other
            for other, data in devices.items()
            if other != key and data.get("family") == mine["family"]
            if whole_family or _sans_memory(other, data) == _sans_memory(key, mine)
        )


def _numbers(name: str) -> list[str]:
    """Numbers of a name in their order: 2.8 in mamba-2.8b, 2 and 8 in mamba2-8b."""
    return re.findall(r"\d+(?:\.\d+)*", name)


def _memory(data: Mapping[str, Any]) -> str:
    """Memory of a device as its names say it: 80; empty where nobody published it."""
    memory = data.get("memory_gb")
    if memory is None:
        return ""
    return f"{memory['value'] if isinstance(memory, Mapping) else memory:g}"


def _sans_maker(name: str, vendor: str) -> str:
    """Name without what makers put before it: a100 for nvidiaa100, v100 for nvidiateslav100."""
    return name.removeprefix(specs.bare(vendor)).removeprefix("tesla")


def _sans_memory(key: str, data: Mapping[str, Any]) -> str:
    """Id without its memory: a100-sxm for both a100-sxm-40 and a100-sxm-80."""
    return key.removesuffix(_memory(data)).rstrip("-")


@cache
def _bundled() -> Library:
    folder = specs.bundled_folder()
    return Library(specs.load(folder), folder)


@lru_cache(maxsize=8)
def _with_folder(folder: Path, _: object) -> Library:
    from joulecast.data.overlay import read

    ours = _bundled()
    core, zones, own = read(folder, ours._core, ours._zones)
    return Library(core, ours._folder, zones, own)


def _letters_and_number(name: str) -> tuple[str, float]:
    """What a name begins with, and its first number: MI999 -> mi, 999."""
    letters, number = re.fullmatch(r"(\D*)(\d*).*", specs.bare(name)).groups()  # type: ignore[union-attr]
    return letters, float(number or 0)


def _meanings(names: Names, name: str) -> list[str]:
    """Ids that go by a name: exactly, else by alias, else without punctuation."""
    forms = (("exact", specs.fold(name)), ("alias", specs.fold(name)), ("loose", specs.bare(name)))
    return next((names[form][text] for form, text in forms if text in names[form]), [])
