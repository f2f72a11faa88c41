"""From a file, a folder, a name on the Hub or a mapping to an architecture that can be counted."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulecast.answers.count import Convention, ModelCount
from joulecast.architectures.config import WAYS_ON, config_of
from joulecast.architectures.families import BUILDERS, SAME_AS, TEXT_DEFAULTS, TEXT_PARTS
from joulecast.architectures.layout import Layout, Mask, MaskKind, Term
from joulecast.errors import InputError, UnknownNameError
from joulecast.notices import Notice

if TYPE_CHECKING:
    from joulecast.architectures.modules import Module

#: No config is larger; a file that is, is not one.
MOST_BYTES = 8_000_000

#: Tokens in a sequence: beyond any context that anybody trains.
LONGEST = 1_000_000_000

#: Depth of multi-token prediction: nobody trains with as many modules.
DEEPEST = 64

SeqLen = int | tuple[int, int] | None

#: Wrappers whose class unties the head unless the whole model's config says otherwise.
UNTIED_OUTSIDE = ("qwen3_vl_moe",)

#: Keys of a whole model that its text part inherits where it does not have them.
_INHERITED = ("tie_word_embeddings", "pad_token_id")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model read from its config."""

    model_type: str
    layout: Layout
    seq_len: tuple[int, ...] | None = None
    raw: Mapping[str, Any] | None = None

    def without_weights(self) -> Architecture:
        """The same with no matrix multiplied: what attention and states take by themselves."""

        def bare(terms: tuple[Term, ...]) -> tuple[Term, ...]:
            return tuple(replace(term, matrix=0) for term in terms)

        layout = replace(
            self.layout, terms=bare(self.layout.terms), further=bare(self.layout.further)
        )
        return replace(self, layout=layout)

    def modules(self) -> list[Module]:
        """The modules that adapters can be put on; raises UnknownNameError where none is known."""
        from joulecast.architectures.modules import modules_of

        known_as = SAME_AS.get(self.model_type, self.model_type)
        return modules_of(config_of(self.raw or {"model_type": known_as}, known_as), known_as)

    @property
    def attention_layers(self) -> float:
        """Layers with attention that a token passes through."""
        return sum(term.times for term in self.layout.terms if term.per_key)

    def count(
        self,
        seq_len: SeqLen = None,
        attention: Convention = "causal",
        mtp_depth: int = 0,
        document_len: int | None = None,
    ) -> ModelCount:
        """Count parameters and FLOP.

        Parameters
        ----------
        seq_len
            Tokens in a sequence, or (encoder, decoder) for an encoder-decoder; the one given on
            reading, else the model's own up to 4096.
        attention
            "causal": the keys that mask and window allow; "full": the whole square.
        mtp_depth
            Depth of multi-token prediction: modules that predict tokens beyond the next in
            training (DeepSeek-V3 trains with 1), their weights included.
        document_len
            Tokens in a document, where sequences are packed with several and a mask keeps
            attention inside each; without it a query sees the whole sequence before it.
        """
        if attention not in ("causal", "full"):
            raise InputError("--attention", attention, "is not a known choice", ["causal", "full"])
        if not 0 <= mtp_depth <= DEEPEST:
            raise InputError("mtp_depth", mtp_depth, f"must be a whole number from 0 to {DEEPEST}")
        if mtp_depth and not self.layout.further:
            why = f"no modules that predict further tokens are known of {self.model_type}"
            raise InputError("mtp_depth", mtp_depth, why, ["leaving it out"])
        asked = self.seq_len if seq_len is None else _lengths(seq_len)
        lengths, notices = self._resolve(asked)
        for length, most in zip(lengths, self.layout.longest, strict=False):
            if length > most:
                raise InputError(
                    "--seq-len", length, f"is longer than the model's {most} positions", [str(most)]
                )
        layout = self.layout
        if document_len is not None:
            layout, apart = _packed(layout, document_len, lengths)
            notices += apart
        counted = layout.count(lengths, attention, mtp_depth)
        return counted.replace(warnings=(*self._own_notices(layout, counted, mtp_depth), *notices))

    def _own_notices(self, layout: Layout, counted: ModelCount, mtp_depth: int) -> list[Notice]:
        """Notices of the config; that on further tokens says what they would add."""
        own = []
        for notice in layout.warnings:
            if notice.code == "multi_token_prediction" and layout.further:
                if mtp_depth:
                    continue
                more = layout.count(counted.seq_len, counted.attention, 1).forward_flop_per_token
                gain = more / counted.forward_flop_per_token - 1
                message = (
                    "the modules that predict further tokens are left out, as in published "
                    f"counts; one adds {gain:.1%} to training FLOP (--mtp-depth 1)"
                )
                own.append(Notice(notice.code, message))
            else:
                own.append(notice)
        return own

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


#: Masks over single keys.  What works through whole blocks (states, lightning attention) takes a
#: packed sequence as it comes, whatever documents it holds.
_DIVISIBLE = ("causal", "window", "chunk", "both", "both_window")


def _packed(
    layout: Layout, document_len: int, lengths: tuple[int, ...]
) -> tuple[Layout, list[Notice]]:
    """Let attention look over one document of a packed sequence in place of all of it."""
    if isinstance(document_len, bool) or not isinstance(document_len, int) or document_len < 1:
        raise InputError("document_len", document_len, "must be a whole number of tokens", ["1024"])
    if layout.fixed or len(lengths) > 1:
        why = "is for models that read one sequence of any length"
        ways_on = ["leaving it out"] if layout.fixed else ["--seq-len ENC:DEC of one document"]
        raise InputError("document_len", document_len, why, ways_on)

    def apart(terms: tuple[Term, ...]) -> tuple[Term, ...]:
        return tuple(
            replace(term, keys_of="document") if term.mask.kind in _DIVISIBLE else term
            for term in terms
        )

    def streams(sequence: tuple[int, ...]) -> dict[str, int]:
        return {**layout.streams(sequence), "document": min(document_len, sequence[0])}

    terms = apart(layout.terms)
    if terms == layout.terms:
        why = "no part looks back key by key: documents change nothing"
        return layout, [Notice("documents_apart", why)]
    message = (
        f"attention is counted inside documents of {document_len:,} tokens, "
        f"not across the whole sequence of {lengths[0]:,}"
    )
    notices = [Notice("documents_apart", message)] if document_len < lengths[0] else []
    packed = replace(layout, terms=terms, further=apart(layout.further), streams=streams)
    return packed, notices


def _assumed(shown: str) -> Notice:
    return Notice("seq_len_assumed", f"no --seq-len given; counted at {shown} tokens")


def read_architecture(
    source: str | Path | Mapping[str, Any], seq_len: SeqLen = None
) -> Architecture:
    """Read a model's config.

    Parameters
    ----------
    source
        A config.json, a folder that holds one, ``hf:org/name`` (with ``@revision`` if need be), or
        the config as a mapping.
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
        why, ways = "is not one we can count from a config", _look_alikes(model_type)
        raise UnknownNameError("model_type", model_type, why, [*ways, *WAYS_ON])
    notices += _other_head(raw.get("architectures"))
    named = {**raw, "model_type": known_as}
    config = config_of(named, known_as)
    layout = builder(config)
    # Gemma's key for the same thing, as the text part of PaliGemma has it.
    both = known_as == "gemma" and raw.get("use_bidirectional_attention") is True
    if raw.get("is_causal") is False or both:
        layout = _seen_both_ways(layout)
    config.finish()
    warnings = (*notices, *config.warnings)
    layout = replace(layout, warnings=warnings)
    return Architecture(model_type, layout, lengths, named)


#: Masks of a decoder -> what they are where its config says that it is not causal.
_BOTH_WAYS: dict[MaskKind, MaskKind] = {"causal": "both", "window": "both_window"}


def _seen_both_ways(layout: Layout) -> Layout:
    """A decoder whose tokens see what follows too, as embedding models made of one do."""

    def turned(term: Term) -> Term:
        kind = _BOTH_WAYS.get(term.mask.kind)
        if kind is None or term.keys_of:
            return term
        size = term.mask.size - (kind == "both_window")
        return replace(term, mask=Mask(kind, size))

    return replace(layout, terms=tuple(map(turned, layout.terms)))


#: Ends of the names of classes whose output we count: a word for each token, or a class of images.
_COUNTED_HEADS = (
    "LMHeadModel",
    "ForCausalLM",
    "ForMaskedLM",
    "ForConditionalGeneration",
    "ForImageClassification",
    "ForPreTraining",
    "MTModel",
    "EncoderModel",
    "ForAudioClassification",
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
    if part is None and model_type in TEXT_DEFAULTS and "hidden_size" not in raw:
        part = {**TEXT_DEFAULTS[str(model_type)], "model_type": TEXT_PARTS[str(model_type)]}
    if part is None and model_type in TEXT_PARTS and "vision_config" in raw:
        part = {key: value for key, value in raw.items() if not key.startswith("vision")}
        part["model_type"] = TEXT_PARTS[str(model_type)]
    if part is None:
        return raw, []
    if not isinstance(part, Mapping):
        raise InputError("text_config", part, "must be an object")
    inherited = {key: raw[key] for key in _INHERITED if key in raw and key not in part}
    # The outer class makes the head: what it says, or its own default, governs the tie.
    if raw.get("tie_word_embeddings") is not None:
        part = {**part, "tie_word_embeddings": raw["tie_word_embeddings"]}
    elif model_type in UNTIED_OUTSIDE:
        part = {**part, "tie_word_embeddings": False}
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


#: Errors of huggingface_hub, by the names they keep in all its versions, and what each means.
_HUB_SAYS = {
    "HFValidationError": "is not a name on the Hub",
    "GatedRepoError": "is gated: its terms must be accepted on the Hub, and HF_TOKEN set",
    "RepositoryNotFoundError": "no such model on the Hub, or a private one",
    "RevisionNotFoundError": "the model has no such revision",
    "LocalEntryNotFoundError": "not in the cache, and the Hub cannot be reached (offline?)",
    "OfflineModeIsEnabled": "not in the cache, and the Hub cannot be reached (offline?)",
    "EntryNotFoundError": "the model has no config.json",
}


def _from_hub(named: str) -> Path:
    """Fetch, or find in the cache, the config of a model on the Hugging Face Hub."""
    asked = f"hf:{named}"
    name, at, revision = named.partition("@")
    if name.count("/") > 1 or not name.strip("/") or (at and not revision):
        ways = ["hf:org/name", "hf:org/name@revision"]
        raise InputError("config", asked, "is not a name on the Hub", ways)
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError:
        ways = ["pip install huggingface_hub", "the path of a config.json"]
        raise InputError("config", asked, "needs the package huggingface_hub", ways) from None
    try:
        return Path(hub.hf_hub_download(name, "config.json", revision=revision or None))
    except Exception as problem:  # its many errors have no base of their own
        names = [kind.__name__ for kind in type(problem).__mro__]
        first_line = str(problem).strip().split("\n")[0]
        unknown = f"cannot be had from the Hub ({first_line or names[0]})"
        why = next((_HUB_SAYS[kind] for kind in names if kind in _HUB_SAYS), unknown)
        raise InputError("config", asked, why, ["the path of a config.json"]) from None
