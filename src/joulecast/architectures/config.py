"""Strict access to one model's config: typed, bounded, with the library's defaults.

Every key is asked for by name.  `finish` then looks at those that nobody asked for: what cannot
change the count is passed over, what equals its default too, and anything else is refused.
"""

from __future__ import annotations

import difflib
import functools
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from joulecast.errors import InputError, UnknownNameError, nearest
from joulecast.notices import Notice

#: Nothing that anybody trains is larger; a slip of the keyboard is.
MOST_LAYERS = 10_000
LARGEST_SIZE = 10_000_000_000

#: What can be done where a config does not say enough.
WAYS_ON = (
    "--params with --active-params",
    "--flop",
    "joulecast.model_from_torch, which counts a real module",
)

#: Keys of every family that say how a model is run, not what it is made of.
HARMLESS = re.compile(
    r"_?(name_or_path|commit_hash|attn_implementation.*|architectures|model_type|auto_map|dtype|"
    r"torch_dtype|transformers_version|transformers\.js_config|problem_type|return_.*|output_(attentions|hidden_states|router_logits|past|scores)|"
    r"use_cache|cache_.*|.*_token_id|.*_token_index|(bos|eos|pad|sep|cls|mask|unk|image|video|audio)_token|token_id|id2label|label2id|"
    r"is_encoder_decoder|is_decoder|"
    r"chunk_size_feed_forward|.*dropout.*|.*pdrop.*|drop_path_rate|.*layerdrop|.*jitter.*|"
    r"initializer_.*|.*_initializer_range|init_.*|.*_init|.*_init_(scheme|std|scale|variance|floor|method|fn)|.*_init_variance_scale|"
    r".*_eps|.*_epsilon|eps|hidden_act.*|activation|activation_function|.*_activation|act_fn|"
    r".*_act|rope_.*|rotary_.*|partial_rotary_factor|.*_theta|.*rope.*_interval|no_rope_layers|"
    r"mrope_.*|position_embedding_type|pos_emb_type|alibi.*|relative_attention_.*|"
    r"max_position_embeddings|max_sequence_length|model_max_length|seq_length|original_max_.*|"
    r"n_ctx|context_length|"
    r"quantization.*|compression_config|pretraining_tp|tensor_parallel.*|ep_size|num_stages|"
    r".*_loss.*|.*_coef|.*_coefficient|.*_scaling|"
    r"(routed_scaling|scaling|.*_(alpha|beta)|residual_scaling)_factor|"
    r"(embedding|residual|attention|logits|lm_head|key|.*_in|.*_out)_multiplier|"
    r"(mlp|ssm)_multipliers|scale_.*|.*_scale|"
    r"scaling.*|attn_scale|norm_topk_prob|topk_method|topk_group|n_group|scoring_func|seq_aux|"
    r"query_pre_attn_scalar|.*soft_?cap.*|clip_qkv|.*limit.*|.*clamp.*|residual_in_fp32|"
    r".*_fp32.*|rescale_.*|time_step_(?!rank).*|time_step|use_mamba_kernels|use_mambapy|"
    r"use_associative_scan|mamba_ssm_cache_dtype|use_flash_attn|.*flash.*|"
    r"num_logits_to_keep|keys_to_ignore.*|gradient_checkpointing.*|task_specific_params|"
    r"finetuning_task|tokenizer_class|prefix|sep_token|pruned_heads|bad_words_ids|"
    r"suppress_tokens|begin_suppress_tokens|forced_.*|early_stopping|num_beams.*|length_penalty|"
    r"max_length|min_length|no_repeat_ngram_size|repetition_penalty|temperature|top_[kp]|"
    r"do_sample|num_labels|num_beam_groups|skip_bias_add(_qkv)?|masked_softmax_fusion|"
    r"bias_dropout_fusion|offset_alibi|predict_special_tokens|diversity_penalty|typical_p|num_return_sequences|encoder_no_repeat.*|"
    r"remove_invalid_values|exponential_decay.*|tf_legacy_loss|use_bfloat16|torchscript|summary_.*|"
    r"classifier_.*|pooler_.*|layer_norm_eps.*|cross_attention_hidden_size|tie_encoder_decoder|"
    r"gradient_.*|.*attention_softmax.*|reorder_and_upcast_attn|slow_but_exact|"
    r"apply_spec_augment|mask_(time|feature)_.*|median_filter_width|encoder_stride|"
    r"logit_scale|logits_.*|.*_std|bos|eos|pad|vision_.*_id|image_token.*|language|version|"
    r"license|base_model_.*|unsloth.*|attn_temperature_tuning|for_llm_compressor|"
    r"tokenizer_name|normalization_function|rms_norm|full_attn_mod|interpolate_factor|"
    r"initial_context_length|layernorm_.*_(alpha|beta)|postnorm|_.*)"
)

#: Names that sound as if they changed a count: refused where we do not know them.
_SOUNDS_LIKE_A_SIZE = re.compile(
    r"size|dim|num|^n_|layer|head|expert|rank|width|window|ratio|expand|group|block|chunk|"
    r"interval|freq|period|pattern|type|moe|mtp|nextn|kv|shar|loop|state|conv|bias|tie|inner|"
    r"channel|patch|step|vocab|depth|ffn|mlp|gate|adapter|lora|^d_"
)

#: Names that older configs use and the library's classes still understand.
OLD_NAMES: dict[str, dict[str, str]] = {
    "bloom": {"n_embed": "hidden_size"},
    "falcon": {"n_embed": "hidden_size"},
    "lfm2": {"block_ff_dim": "intermediate_size", "tie_embedding": "tie_word_embeddings"},
    "lfm2_moe": {"tie_embedding": "tie_word_embeddings"},
    "nemotron_h": {
        "mamba_n_groups": "n_groups",
        "mamba_d_conv": "conv_kernel",
        "mamba_expand": "expand",
        "mamba_conv_bias": "use_conv_bias",
        "mamba_chunk_size": "chunk_size",
    },
}

#: A key so like one that is understood is a slip of it.
SLIP = 0.9

#: Keys of code that files bring under the name of a known type: another body than the library's.
OWN_BODIES: dict[str, tuple[str, ...]] = {
    "bert": ("alibi_starting_size",),
    "esm": ("add_bias_fnn",),
}

_SWITCHED_OFF = (None, False, 0, "", "none", "None")


class Config:
    """One model's config, read key by key."""

    def __init__(
        self, raw: Mapping[str, Any], fields: Mapping[str, Any], aliases: Mapping[str, str]
    ) -> None:
        self._fields = fields
        self._aliases = aliases
        self._written = {aliases.get(key, key): key for key in raw}
        self._values = _by_field(raw, aliases)
        self._asked = {"model_type"}
        self.model_type = str(raw.get("model_type"))
        self.known_as = self.model_type
        self.warnings: list[Notice] = []

    def warn(self, code: str, message: str) -> None:
        """Note something that the reader of the count should know."""
        self.warnings.append(Notice(code, message))

    def given(self, name: str) -> bool:
        """Say whether the config itself says something about `name`."""
        return self._values.get(self._field(name)) is not None

    def get(self, name: str, *, or_default: object = None) -> Any:
        """Return the value of a key, else the library's default, else `or_default`."""
        name = self._field(name)
        self._asked.add(name)
        value = self._values[name] if name in self._values else self._fields.get(name)
        return or_default if value is None else value

    def ignore(self, *names: str) -> None:
        """Pass over keys that change nothing in this model."""
        self._asked.update(self._field(name) for name in names)

    def size(self, name: str, default: int | None = None, *, least: int = 1) -> int:
        """Return a width or a number of things."""
        value = self.get(name, or_default=default)
        if value is None:
            raise self.error(name, None, "missing")
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(name, value, "must be a whole number")
        if value < least:
            raise self.error(name, value, f"must be at least {least}")
        if value > LARGEST_SIZE:
            raise self.error(name, value, "is larger than that of any model; check it")
        return value

    def optional_size(self, name: str, *, least: int = 1) -> int | None:
        """Return a size, or None where there is none."""
        return None if self.get(name) is None else self.size(name, least=least)

    @property
    def class_name(self) -> str:
        """The class that the file was saved from, if it says one."""
        names = self._values.get("architectures")
        return str(names[0]) if isinstance(names, list) and names else ""

    @property
    def hidden(self) -> int:
        """Width of the model."""
        return self.size("hidden_size")

    def heads(self, name: str, width: int) -> int:
        """Return a number of heads that share out a width."""
        count = self.size(name)
        if width % count:
            raise self.error(name, count, f"does not divide a width of {width}")
        return count

    def layers(self, name: str = "num_hidden_layers", default: int | None = None) -> int:
        """Return a number of layers."""
        value = self.size(name, default)
        if value > MOST_LAYERS:
            raise self.error(name, value, f"must be at most {MOST_LAYERS} layers")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a switch."""
        value = self.get(name, or_default=default)
        if not isinstance(value, bool):
            raise self.error(name, value, "must be true or false")
        return value

    def number(self, name: str) -> float:
        """Return a factor above 0 that need not be whole."""
        value = self.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(name, value, "must be a number")
        if not math.isfinite(value) or value <= 0:
            raise self.error(name, value, "must be a finite number above 0")
        return float(value)

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """Return one of a few words."""
        value = self.get(name, or_default=default)
        if not isinstance(value, str) or value not in choices:
            raise self.error(name, value, "is not a known choice", choices)
        return value

    def words(self, name: str, length: int, choices: Mapping[str, str]) -> list[str] | None:
        """Return one word per layer, old spellings turned into ours by `choices`."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.error(name, value, "must be a list with one name per layer")
        if len(value) > MOST_LAYERS:
            raise self.error(name, f"{len(value)} names", f"must be at most {MOST_LAYERS} layers")
        if length and len(value) != length:
            raise self.error(name, f"{len(value)} names", f"must name all {length} layers")
        for word in value:
            if word not in choices:
                raise self.error(name, word, "is a kind of layer we cannot count", choices)
        return [choices[word] for word in value]

    def kinds(
        self, name: str, layers: int, choices: Mapping[str, str], otherwise: Callable[[int], str]
    ) -> list[str]:
        """Return one word per layer; where the config has none, by the layer's position."""
        found = self.words(name, layers, choices)
        return [otherwise(at) for at in range(layers)] if found is None else found

    def indices(self, name: str, layers: int) -> set[int]:
        """Return the layers that a list names by their position."""
        value = self.get(name, or_default=[])
        if not isinstance(value, list) or any(
            isinstance(at, bool) or not isinstance(at, int) for at in value
        ):
            raise self.error(name, value, "must be a list of layer numbers")
        for at in value:
            if not 0 <= at < layers:
                raise self.error(name, at, f"is not one of the layers 0 to {layers - 1}")
        return set(value)

    def knows(self, name: str) -> bool:
        """Say whether the library's class has such a key."""
        return self._field(name) in self._fields

    def agrees(self, name: str, value: object) -> None:
        """Refuse a second spelling that says something else."""
        given = self.get(name)
        if given is not None and given != value:
            raise self.error(
                name, given, f"contradicts a value of {value} that follows from others"
            )

    def must_be(self, **wanted: object) -> None:
        """Refuse switches that turn the model into one we cannot count."""
        for name, only in wanted.items():
            value = self.get(name)
            if value is not None and value != only:
                raise self.error(name, value, "changes the model in a way we cannot count", WAYS_ON)

    def part(self, name: str, defaults: Mapping[str, Any]) -> Config:
        """Return a config inside this one (MPT's attn_config)."""
        value = self.get(name, or_default={})
        if not isinstance(value, Mapping):
            raise self.error(name, value, "must be an object")
        inner = Config(value, defaults, {})
        inner.model_type = self.model_type
        return inner

    def error(
        self, name: str, value: object, why: str, choices: Sequence[str] | Mapping[str, str] = ()
    ) -> InputError:
        """Build an error in the words of the config."""
        written = self._written.get(self._field(name), name)
        return InputError(written, value, why, list(dict.fromkeys(choices)))

    def finish(self) -> None:
        """Refuse what was not asked for and may change the count."""
        if self._values.get("auto_map"):
            for name in OWN_BODIES.get(self.known_as, ()):
                if name in self._values:
                    why = f"belongs to code of the file's own, which changes {self.model_type}"
                    raise self.error(name, self._values[name], why, WAYS_ON)
        for name, value in self._values.items():
            if name in self._asked or HARMLESS.fullmatch(name):
                continue
            if name in self._fields and (value is None or value == self._fields[name]):
                continue
            if any(value is off for off in _SWITCHED_OFF) or value in ([], {}):
                continue
            written = self._written[name]
            if self._is_never_read(name):
                self.warn("key_ignored", f"{written} is not read by the class of {self.model_type}")
                continue
            if name in self._fields or _SOUNDS_LIKE_A_SIZE.search(name.lower()):
                known = sorted(self._asked) if name in self._fields else self._spellings()
                raise UnknownNameError(
                    written,
                    value,
                    f"may change the count of {self.model_type!r} and is not understood",
                    [name for name in nearest(written, known) if name != written] or WAYS_ON,
                )
            self.warn("key_ignored", f"{written} is not known and was taken to change nothing")

    def _is_never_read(self, name: str) -> bool:
        """Whether the library's class is known to have no use for a key, and no slip of one it has.

        A file with model code of its own may read what the library's class does not.
        """
        own_code = self._values.get("auto_map")
        if isinstance(own_code, Mapping) and any("AutoModel" in str(key) for key in own_code):
            return False
        read = keys_read().get(self.known_as)
        if read is None or name in read or name in self._fields:
            return False
        return not difflib.get_close_matches(name, self._spellings(), n=1, cutoff=SLIP)

    def _spellings(self) -> list[str]:
        return [*self._fields, *self._aliases]

    def _field(self, name: str) -> str:
        return self._aliases.get(name, name)


def _by_field(raw: Mapping[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    """Values under the library's own names; two spellings must agree."""
    values: dict[str, Any] = {}
    for key, value in raw.items():
        name = aliases.get(key, key)
        if value is None and values.get(name) is not None:
            continue
        if values.get(name) is not None and values[name] != value:
            raise InputError(key, value, f"contradicts {name} = {values[name]}")
        values[name] = value
    return values


@functools.cache
def keys_read() -> dict[str, frozenset[str]]:
    """Model type -> keys that its class in the library reads: tools/build_keys_read.py."""
    path = Path(__file__).with_name("keys_read.json")
    table: dict[str, list[str]] = json.loads(path.read_text("utf-8"))["read"]
    return {name: frozenset(names) for name, names in table.items()}


@functools.cache
def defaults_table() -> dict[str, Any]:
    """Read the defaults of absent keys: tools/build_config_defaults.py."""
    path = Path(__file__).with_name("config_defaults.json")
    table: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return table


def config_of(raw: Mapping[str, Any], known_as: str) -> Config:
    """Build a config that reads like the library's class for the model type `known_as`."""
    entry = defaults_table()["models"].get(known_as, {"fields": {}, "aliases": {}})
    return Config(raw, entry["fields"], {**entry["aliases"], **OLD_NAMES.get(known_as, {})})
