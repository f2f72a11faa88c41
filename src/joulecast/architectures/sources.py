"""From a file, a folder, a name on the Hub or a mapping to an architecture that can be counted."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from joulecast.architectures.config import WAYS_ON, config_of
from joulecast.architectures.families import BUILDERS, SAME_AS, TEXT_PARTS
from joulecast.architectures.layout import Convention, Layout, ModelCount, Notice
from joulecast.errors import InputError, UnknownNameError

#: No config is larger; a file that is, is not one.
MOST_BYTES = 8_000_000

#: Tokens in a sequence: beyond any context that anybody trains.
LONGEST = 1_000_000_000

#: Modules that predict further tokens: nobody trains with as many.
MOST_FURTHER = 64

SeqLen = int | tuple[int, int] | None

#: Keys of a whole model that its text part inherits where it does not have them.
_INHERITED = ("tie_word_embeddings", "pad_token_id")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model read from its config."""

    model_type: str
    layout: Layout
    seq_len: tuple[int, ...] | None = None

    def count(
        self, seq_len: SeqLen = None, attention: Convention = "causal", further_tokens: int = 0
    ) -> ModelCount:
        """Count parameters and FLOP.

        Parameters
        ----------
        seq_len
            Tokens in a sequence, or (encoder, decoder) for an encoder-decoder; the one given on
            reading, else the model's own up to 4096.
        attention
            "causal": the keys that mask and window allow; "full": the whole square.
        further_tokens
            Modules that predict tokens beyond the next in training (DeepSeek-V3 trains with 1),
            their weights included.
        """
        if attention not in ("causal", "full"):
            raise InputError("--attention", attention, "is not a known choice", ["causal", "full"])
        if not 0 <= further_tokens <= MOST_FURTHER:
            raise InputError("further_tokens", further_tokens, f"must be 0 to {MOST_FURTHER}")
        if further_tokens and not self.layout.further:
            raise InputError("further_tokens", further_tokens, "the model has no such modules")
        asked = self.seq_len if seq_len is None else _lengths(seq_len)
        lengths, notices = self._resolve(asked)
        for length, most in zip(lengths, self.layout.longest, strict=False):
            if length > most:
                raise InputError(
                    "--seq-len", length, f"is longer than the model's {most} positions", [str(most)]
                )
        layout = replace(self.layout, warnings=(*self.layout.warnings, *notices))
        return layout.count(lengths, attention, further_tokens)

    def _resolve(self, asked: tuple[int, ...] | None) -> tuple[tuple[int, ...], list[Notice]]:
        """Turn the lengths asked for into those of the model's sequences."""
        default = self.layout.default
        shown = ":".join(str(length) for length in default)
        if asked is None:
            return default, [] if self.layout.fixed else [_assumed(shown)]
        if self.layout.fixed:
            message = f"the config says how many tokens there are ({shown}); --seq-len is not used"
            return default, [] if asked == default else [Notice("seq_len_fixed", message)]
        if len(asked) > len(default):
            given = ":".join(str(length) for length in asked)
            raise InputError("--seq-len", given, "is two lengths, but the model reads one sequence")
        if len(asked) == len(default):
            return asked, []
        if self.layout.unit == "decoder_token":  # sound of a fixed length
            return (default[0], *asked), []
        message = f"{asked[0]} tokens each in encoder and decoder; give ENCODER:DECODER"
        return asked * 2, [Notice("seq_len_assumed", message)]


def _assumed(shown: str) -> Notice:
    return Notice("seq_len_assumed", f"no --seq-len given; counted at {shown} tokens")


def read_architecture(
    source: str | Path | Mapping[str, Any], seq_len: SeqLen = None
) -> Architecture:
    """Read a model's config.

    Parameters
    ----------
    source
        A config.json, a folder that holds one, ``hf:org/name``, or the config as a mapping.
    seq_len
        Tokens in a sequence, or (encoder, decoder), for counts that name none.

    Raises
    ------
    JoulecastError
        In one line: what cannot be read or counted, and the ways on.
    """
    raw = source if isinstance(source, Mapping) else _load(source)
    _check_type(raw)
    lengths = None if seq_len is None else _lengths(seq_len)
    raw, notices = _text_part(raw)
    model_type = _check_type(raw) or raw.get("_class_name")
    if not isinstance(model_type, str):
        raise InputError("model_type", None, "missing: not the config of a model", WAYS_ON)
    known_as = SAME_AS.get(model_type, model_type)
    builder = BUILDERS.get(known_as)
    if builder is None:
        raise UnknownNameError(
            "model_type",
            model_type,
            "is not one we can count from a config",
            [*_look_alikes(model_type), *WAYS_ON],
        )
    notices += _other_head(raw.get("architectures"))
    config = config_of({**raw, "model_type": known_as}, known_as)
    layout = builder(config)
    config.finish()
    warnings = (*notices, *config.warnings)
    layout = replace(layout, warnings=warnings)
    return Architecture(model_type, layout, lengths)


#: Ends of the names of classes whose output we count: a word for each token, or a class of images.
_COUNTED_HEADS = (
    "LMHeadModel",
    "ForCausalLM",
    "ForMaskedLM",
    "ForConditionalGeneration",
    "ForImageClassification",
    "ForPreTraining",
    "MTModel",
    "Transformer2DModel",
)


def _other_head(names: object) -> list[Notice]:
    """Warn where the config belongs to a class with another output than the one counted."""
    name = names[0] if isinstance(names, list) and names else None
    if not isinstance(name, str) or name.endswith(_COUNTED_HEADS):
        return []
    return [Notice("head_assumed", f"{name} is counted with the output it is pretrained with")]


def _look_alikes(model_type: str) -> list[str]:
    """Offer a type only where it must have been meant: another model is no way on."""
    import difflib

    return difflib.get_close_matches(model_type, BUILDERS, n=1, cutoff=0.8)


def _check_type(raw: Mapping[str, Any]) -> str | None:
    model_type = raw.get("model_type")
    if model_type is not None and not isinstance(model_type, str):
        raise InputError("model_type", model_type, "must be a name")
    return model_type


def _text_part(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Notice]]:
    """Take the text model out of one for several kinds of input."""
    part, model_type = raw.get("text_config"), raw.get("model_type")
    if part is None and model_type in TEXT_PARTS and "vision_config" in raw:
        part = {key: value for key, value in raw.items() if not key.startswith("vision")}
        part["model_type"] = TEXT_PARTS[str(model_type)]
    if part is None:
        return raw, []
    if not isinstance(part, Mapping):
        raise InputError("text_config", part, "must be an object")
    inherited = {key: raw[key] for key in _INHERITED if key in raw and key not in part}
    kind = part.get("model_type") or TEXT_PARTS.get(str(model_type))
    notice = Notice(
        "text_part_only",
        f"{model_type} has parts for other input; only its text model ({kind}) is counted",
    )
    return {**inherited, **part, "model_type": kind}, [notice]


def _lengths(seq_len: int | tuple[int, int]) -> tuple[int, ...]:
    lengths = seq_len if isinstance(seq_len, tuple) else (seq_len,)
    for length in lengths:
        if isinstance(length, bool) or not isinstance(length, int) or length < 1:
            raise InputError("--seq-len", length, "must be a whole number of tokens", ["4096"])
        if length > LONGEST:
            raise InputError("--seq-len", length, "is longer than any sequence; check its unit")
    if not 1 <= len(lengths) <= 2:
        raise InputError("--seq-len", lengths, "must be one length or ENCODER:DECODER")
    return lengths


def _load(source: str | Path) -> Mapping[str, Any]:
    """Parse the file that `source` names."""
    name = str(source)
    path = _from_hub(name[3:]) if name.startswith("hf:") else Path(source)
    if path.is_dir():
        path = path / "config.json"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("config", path, "is too large for the config of a model")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError("config", path, "no such file", ["hf:org/name"]) from None
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "is not text"
        raise InputError("config", path, f"cannot be read: {why}") from None
    try:
        raw = json.loads(text)
    except RecursionError:
        raise InputError("config", path, "is nested too deeply for the config of a model") from None
    except ValueError as problem:
        raise InputError("config", path, f"is not JSON: {problem}") from None
    if not isinstance(raw, dict):
        raise InputError("config", path, "must be a JSON object")
    return raw


def _from_hub(name: str) -> Path:
    """Fetch, or find in the cache, the config of a model on the Hugging Face Hub."""
    if name.count("/") > 1 or not name.strip("/"):
        raise InputError("config", f"hf:{name}", "is not a name on the Hub", ["hf:org/name"])
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError:
        raise InputError(
            "config",
            f"hf:{name}",
            "needs the package huggingface_hub",
            ["pip install huggingface_hub", "the path of a config.json"],
        ) from None
    try:
        return Path(hub.hf_hub_download(name, "config.json"))
    except Exception as problem:  # its many errors have no base of their own
        why = str(problem).strip().split("\n")[0]
        raise InputError(
            "config",
            f"hf:{name}",
            f"not in the cache and the Hub cannot be reached or has no such model ({why})",
            ["the path of a config.json"],
        ) from None
