"""Adapters by PEFT's own rules: which modules they are put on, and how many weights they train.

>>> from joulecast.architectures import read_architecture
>>> llama = read_architecture({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64,
...     "intermediate_size": 128, "num_attention_heads": 4, "vocab_size": 1000})
>>> trained_params(llama, Adapter.of(8, "all-linear")).total
17408
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulecast.architectures.modules import Module
from joulecast.errors import InputError, UnknownNameError, nearest

if TYPE_CHECKING:
    from joulecast.architectures.sources import Architecture

#: Every matrix of the layers; the output head apart.
ALL_LINEAR = "all-linear"

#: Kinds of adapters that are counted.
KINDS = ("LORA",)

#: What would change the count and is not understood, unless it is off.
NOT_COUNTED = (
    "target_parameters", "trainable_token_indices", "use_qalora", "use_bdlora", "layer_replication",
    "megatron_config", "arrow_config", "auto_mapping",
)  # fmt: skip

#: Modules that PEFT finds by the name of the task -> their widths out.
CLASSIFIERS = ("classifier", "score")

#: No adapter_config.json is larger; a file that is, is not one.
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Adapter:
    """LoRA adapters: rank, target modules and what is trained besides.

    `targets` are names of modules or their endings, one pattern for whole names, or ``all-linear``;
    None is ``all-linear``.
    """

    rank: int
    targets: str | tuple[str, ...] = ALL_LINEAR
    exclude: str | tuple[str, ...] = ()
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    layers: tuple[int, ...] | None = None
    layers_pattern: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()
    dora: bool = False
    bias: str = "none"
    lora_bias: bool = False
    base: str | None = None

    @classmethod
    def of(cls, rank: int, targets: str | None = None) -> Adapter:
        """Adapters of a rank on the modules that text with commas names."""
        if targets is None or targets.strip().replace("_", "-") in (ALL_LINEAR, "all"):
            return cls(rank)
        names = tuple(name.strip() for name in targets.split(",") if name.strip())
        if not names:
            raise InputError("lora_targets", targets, "names no module", [ALL_LINEAR, "q_proj"])
        return cls(rank, names)


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights that adapters train: in all, and by the last name of the module."""

    total: int
    by_name: Mapping[str, int]
    notes: tuple[str, ...]


def read_adapter(path: Path) -> Adapter:
    """Read PEFT's adapter_config.json.

    Raises InputError in one line for a file that is none, or of a kind that is not counted.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("model", path, "is too large for an adapter_config.json")
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise InputError("model", path, "cannot be read as text") from None
    except (ValueError, RecursionError):
        raise InputError("model", path, "is not JSON") from None
    if not isinstance(raw, dict):
        raise InputError("model", path, "must be a JSON object")
    return adapter_of(raw)


def adapter_of(raw: Mapping[str, Any]) -> Adapter:
    """The adapters that a config of PEFT says; raises InputError."""
    kind = raw.get("peft_type")
    if kind not in KINDS:
        why = "is not a kind of adapter that is counted"
        ways = ["LORA", "--method prefix", "--trainable-params"]
        raise InputError("peft_type", kind, why, ways)
    for name in NOT_COUNTED:
        if raw.get(name) not in (None, False, {}, []):
            why = "changes what is trained in a way that is not counted"
            raise InputError(name, _short(raw[name]), why, ["--trainable-params"])
    rank = raw.get("r", 8)
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise InputError("r", rank, "must be a whole number above 0")
    targets = raw.get("target_modules")
    if targets is None:
        ways = ["--lora-targets q_proj,v_proj", ALL_LINEAR]
        raise InputError("target_modules", None, "are missing: PEFT writes those it chose", ways)
    layers = raw.get("layers_to_transform")
    pattern = raw.get("layers_pattern") or ()
    return Adapter(
        rank,
        _names("target_modules", targets),
        _names("exclude_modules", raw.get("exclude_modules") or ()),
        dict(raw.get("rank_pattern") or {}),
        None if layers is None else (layers,) if isinstance(layers, int) else tuple(layers),
        (pattern,) if isinstance(pattern, str) else tuple(pattern),
        tuple(raw.get("modules_to_save") or ()),
        bool(raw.get("use_dora")),
        str(raw.get("bias", "none")),
        bool(raw.get("lora_bias")),
        raw.get("base_model_name_or_path") or None,
    )


def _names(key: str, said: object) -> str | tuple[str, ...]:
    if isinstance(said, str):
        return said
    if isinstance(said, Sequence) and all(isinstance(name, str) for name in said):
        return tuple(said)
    raise InputError(key, _short(said), "must be a list of names or one pattern")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def trained_params(architecture: Architecture, adapter: Adapter) -> Trained:
    """Count the weights that adapters train on a model.

    A target of n inputs and m outputs gets r (n + m) weights, r by the pattern that fits its name
    first; DoRA one more for each output.  Modules to save are trained as full copies.

    Raises
    ------
    UnknownNameError
        Where a target, or a module to save, is none of the model's, with the nearest.
    """
    modules = architecture.modules()
    targets = [module for module in modules if _is_target(module, adapter)]
    if not targets:
        said = adapter.targets if isinstance(adapter.targets, str) else ",".join(adapter.targets)
        raise UnknownNameError("lora_targets", said, "fits no module", _near(said, modules))
    if isinstance(adapter.targets, tuple) and adapter.layers is None:
        for name in adapter.targets:
            if not any(_ends(module.name, name) for module in modules):
                raise UnknownNameError("lora_targets", name, "fits no module", _near(name, modules))
    by_name: dict[str, int] = {}
    for module in targets:
        rank = _rank(module.name, adapter)
        sides = module.n_in + module.n_out
        weights = rank * sides + adapter.dora * module.n_out + adapter.lora_bias * module.n_out
        if adapter.bias == "lora_only":
            weights += module.weights - module.n_in * module.n_out
        last = module.name.rpartition(".")[2]
        by_name[last] = by_name.get(last, 0) + weights
    notes = [f"{len(targets)} modules of rank {adapter.rank}"]
    if adapter.bias == "all":
        biases = sum(m.weights - m.n_in * m.n_out for m in modules if m.kind == "linear")
        by_name["bias"] = biases
        notes.append("the biases of the layers")
    for name in adapter.saved:
        if name.endswith("norm"):
            why = "fits norms of every layer too, which are not counted one by one"
            raise InputError("modules_to_save", name, why, ["--trainable-params"])
        # By how the name ends, in the middle of a word too.
        saved = [module for module in modules if module.name.endswith(name)]
        if not saved and name in CLASSIFIERS:
            continue
        if not saved:
            raise UnknownNameError("modules_to_save", name, "is no module", _near(name, modules))
        by_name[name] = by_name.get(name, 0) + sum(module.weights for module in saved)
        notes.append(f"{name} as a full copy")
    return Trained(sum(by_name.values()), by_name, tuple(notes))


def _is_target(module: Module, adapter: Adapter) -> bool:
    """Whether PEFT puts an adapter on a module."""
    if _named(module.name, adapter.exclude):
        return False
    if adapter.targets == ALL_LINEAR:
        return module.kind == "linear"
    if not _named(module.name, adapter.targets):
        return False
    if adapter.layers is None or isinstance(adapter.targets, str):
        return True
    patterns = adapter.layers_pattern or ("[^.]*",)
    places = (
        re.match(rf".*\.{pattern}\.(\d+)\.", module.name)
        if adapter.layers_pattern
        else re.match(r".*\.[^.]*\.(\d+)\.", module.name)
        for pattern in patterns
    )
    return any(place is not None and int(place[1]) in adapter.layers for place in places)


def _named(name: str, said: str | tuple[str, ...]) -> bool:
    """Whether a list of names, or one pattern, means a module."""
    if isinstance(said, str):
        return re.fullmatch(said, name) is not None
    return any(_ends(name, one) for one in said)


def _ends(name: str, said: str) -> bool:
    return name == said or name.endswith(f".{said}")


def _rank(name: str, adapter: Adapter) -> int:
    """Rank of the adapter of a module: of the first pattern that its name ends in."""
    for pattern, rank in adapter.rank_pattern.items():
        if re.match(rf"(.*\.)?({pattern})$", name):
            return rank
    return adapter.rank


def _near(said: str, modules: Sequence[Module]) -> list[str]:
    """Last names of modules, the nearest ones first."""
    last = dict.fromkeys(m.name.rpartition(".")[2] for m in modules)
    return nearest(said.rpartition(".")[2], last) or list(last)[:7]


def head_params(architecture: Architecture, labels: int = 2) -> int:
    """Weights of a linear head for so many classes on the width of the model, its bias with it."""
    embedding = next(module for module in architecture.modules() if module.kind == "embedding")
    return embedding.n_out * labels + labels
