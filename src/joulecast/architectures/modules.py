"""The modules of a model by the names of its library, with the sizes of their matrices.

Only what adapters are put on, and what may be trained in full beside them: the count of a model is
made by the families' own terms.  Names are those of transformers 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from joulecast.architectures.config import Config
from joulecast.errors import UnknownNameError

Kind = Literal["linear", "head", "embedding"]


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its name, the width in and out of its matrix, and all of its weights.

    The rows of an embedding are its width in.
    """

    name: str
    n_in: int
    n_out: int
    weights: int
    kind: Kind = "linear"


@dataclass(frozen=True, slots=True)
class Names:
    """How a family calls its modules.

    `stacks` holds for each stack of layers the prefix with ``{i}``, the key of their number, and
    one line ``name in>out`` for each matrix, widths by letter: h the model's, q all query heads, k
    all key heads, f inside the feed-forward block.  `rest` are modules outside the layers, with the
    embedding and the head.
    """

    stacks: tuple[tuple[str, str, str], ...]
    rest: str
    inner: str = "intermediate_size"
    bias: bool | str = False


_ATTENTION = "self_attn.q_proj h>q\nself_attn.k_proj h>k\nself_attn.v_proj h>k\n"
_LLAMA_ATTENTION = _ATTENTION + "self_attn.o_proj q>h\n"
_GATED = "mlp.gate_proj h>f\nmlp.up_proj h>f\nmlp.down_proj f>h"
_PLAIN = "mlp.up_proj h>f\nmlp.down_proj f>h"
_LLAMA_REST = "model.embed_tokens v>h embedding\nlm_head h>v head"
_BART_ATTENTION = "{0}.k_proj h>h\n{0}.v_proj h>h\n{0}.q_proj h>h\n{0}.out_proj h>h\n"
_BART_SELF = _BART_ATTENTION.format("self_attn")
_BART_BOTH = _BART_SELF + _BART_ATTENTION.format("encoder_attn")
_BERT = (
    "attention.self.query h>h\nattention.self.key h>h\nattention.self.value h>h\n"
    "attention.output.dense h>h\nintermediate.dense h>f\noutput.dense f>h"
)


def _llama(
    mlp: str = _GATED, inner: str = "intermediate_size", layers: str = "num_hidden_layers"
) -> Names:
    return Names((("model.layers.{i}.", layers, _LLAMA_ATTENTION + mlp),), _LLAMA_REST, inner)


def _bart(prefix: str = "model.") -> Names:
    return Names(
        (
            (f"{prefix}encoder.layers.{{i}}.", "encoder_layers", f"{_BART_SELF}fc1 h>e\nfc2 e>h"),
            (f"{prefix}decoder.layers.{{i}}.", "decoder_layers", f"{_BART_BOTH}fc1 h>d\nfc2 d>h"),
        ),
        f"{prefix}shared v>h embedding\nlm_head h>v head",
        bias=True,
    )


def _bert(prefix: str) -> Names:
    return Names(
        ((f"{prefix}.encoder.layer.{{i}}.", "num_hidden_layers", _BERT),),
        f"{prefix}.embeddings.word_embeddings v>h embedding",
        bias=True,
    )


def _t5() -> Names:
    own = "".join(f"layer.0.SelfAttention.{name} h>q\n" for name in "qkv")
    own += "layer.0.SelfAttention.o q>h\n"
    cross = "".join(f"layer.1.EncDecAttention.{name} h>q\n" for name in "qkv")
    cross += "layer.1.EncDecAttention.o q>h\n"
    return Names(
        (
            ("encoder.block.{i}.", "num_layers", own + "layer.1.DenseReluDense.{ff}"),
            (
                "decoder.block.{i}.",
                "num_decoder_layers",
                own + cross + "layer.2.DenseReluDense.{ff}",
            ),
        ),
        "shared v>h embedding\nlm_head h>v head",
        "d_ff",
    )


NAMES: dict[str, Names] = {
    **dict.fromkeys(
        (
            "llama",
            "mistral",
            "ministral",
            "ministral3",
            "qwen2",
            "qwen3",
            "gemma",
            "gemma2",
            "gemma3_text",
            "vaultgemma",
            "granite",
            "olmo",
            "olmo2",
            "olmo3",
            "smollm3",
            "cohere",
            "cohere2",
            "seed_oss",
            "helium",
            "cwm",
            "exaone4",
            "ernie4_5",
            "internlm3",
            "stablelm",
            "hunyuan_v1_dense",
            "qwen2_vl_text",
            "qwen2_5_vl_text",
            "qwen3_vl_text",
        ),
        _llama(),
    ),
    **dict.fromkeys(("nemotron", "jais2", "arcee", "apertus"), _llama(_PLAIN)),
    "starcoder2": _llama("mlp.c_fc h>f\nmlp.c_proj f>h"),
    "phi": Names(
        (
            (
                "model.layers.{i}.",
                "num_hidden_layers",
                _ATTENTION + "self_attn.dense q>h\nmlp.fc1 h>f\nmlp.fc2 f>h",
            ),
        ),
        _LLAMA_REST,
        bias=True,
    ),
    "phi3": Names(
        (
            (
                "model.layers.{i}.",
                "num_hidden_layers",
                "self_attn.o_proj q>h\nself_attn.qkv_proj h>q+2k\n"
                "mlp.gate_up_proj h>2f\nmlp.down_proj f>h",
            ),
        ),
        _LLAMA_REST,
    ),
    **dict.fromkeys(
        ("glm", "glm4"),
        Names(
            (
                (
                    "model.layers.{i}.",
                    "num_hidden_layers",
                    _LLAMA_ATTENTION + "mlp.gate_up_proj h>2f\nmlp.down_proj f>h",
                ),
            ),
            _LLAMA_REST,
        ),
    ),
    # Mixtures: routed experts are parameters of one tensor, and no modules to put adapters on.
    **dict.fromkeys(("mixtral", "qwen3_moe", "olmoe", "phimoe"), _llama("")),
    "gpt2": Names(
        (
            (
                "transformer.h.{i}.",
                "num_hidden_layers",
                "attn.c_attn h>3h\nattn.c_proj h>h\nmlp.c_fc h>f\nmlp.c_proj f>h",
            ),
        ),
        "transformer.wte v>h embedding\nlm_head h>v head",
        "n_inner",
        bias=True,
    ),
    "gptj": Names(
        (
            (
                "transformer.h.{i}.",
                "num_hidden_layers",
                "attn.k_proj h>h\nattn.v_proj h>h\nattn.q_proj h>h\nattn.out_proj h>h\n"
                "mlp.fc_in h>f\nmlp.fc_out f>h",
            ),
        ),
        "transformer.wte v>h embedding\nlm_head h>v head",
        "n_inner",
    ),
    "gpt_neox": Names(
        (
            (
                "gpt_neox.layers.{i}.",
                "num_hidden_layers",
                "attention.query_key_value h>3h\nattention.dense h>h\n"
                "mlp.dense_h_to_4h h>f\nmlp.dense_4h_to_h f>h",
            ),
        ),
        "gpt_neox.embed_in v>h embedding\nembed_out h>v head",
        bias=True,
    ),
    "opt": Names(
        (
            (
                "model.decoder.layers.{i}.",
                "num_hidden_layers",
                f"{_BART_SELF}fc1 h>f\nfc2 f>h",
            ),
        ),
        "model.decoder.embed_tokens v>h embedding\nlm_head h>v head",
        "ffn_dim",
        bias=True,
    ),
    "bloom": Names(
        (
            (
                "transformer.h.{i}.",
                "num_hidden_layers",
                "self_attention.query_key_value h>3h\nself_attention.dense h>h\n"
                "mlp.dense_h_to_4h h>f\nmlp.dense_4h_to_h f>h",
            ),
        ),
        "transformer.word_embeddings v>h embedding\nlm_head h>v head",
        "",
        bias=True,
    ),
    "mpt": Names(
        (
            (
                "transformer.blocks.{i}.",
                "num_hidden_layers",
                "attn.Wqkv h>3h\nattn.out_proj h>h\nffn.up_proj h>f\nffn.down_proj f>h",
            ),
        ),
        "transformer.wte v>h embedding\nlm_head h>v head",
        "",
    ),
    "bert": _bert("bert"),
    "roberta": _bert("roberta"),
    "camembert": _bert("roberta"),
    "xlm-roberta": _bert("roberta"),
    "electra": _bert("electra"),
    "distilbert": Names(
        (
            (
                "distilbert.transformer.layer.{i}.",
                "num_hidden_layers",
                "attention.q_lin h>h\nattention.k_lin h>h\nattention.v_lin h>h\n"
                "attention.out_lin h>h\nffn.lin1 h>f\nffn.lin2 f>h",
            ),
        ),
        "distilbert.embeddings.word_embeddings v>h embedding",
        "hidden_dim",
        bias=True,
    ),
    "t5": _t5(),
    "mt5": _t5(),
    "umt5": _t5(),
    **dict.fromkeys(("bart", "mbart", "plbart", "pegasus", "marian", "blenderbot"), _bart()),
    "whisper": _bart(),
}


def modules_of(config: Config, known_as: str) -> list[Module]:
    """List the modules of a model, in the order of its layers.

    Raises UnknownNameError for a family whose modules are not known by name.
    """
    names = NAMES.get(known_as)
    if names is None:
        why = "is counted, but its modules are not known by name"
        raise UnknownNameError("lora_targets", known_as, why, ["--trainable-params"])
    widths = _widths(config, names)
    found: list[Module] = []
    for prefix, key, lines in names.stacks:
        layers = config.layers(key, _twin(config, key))
        shapes = list(_shapes(lines, config, widths))
        for layer in range(layers):
            found += [
                Module(prefix.format(i=layer) + name, n_in, n_out, n_in * n_out + n_out * bias)
                for name, n_in, n_out, bias in shapes
            ]
    for line in names.rest.splitlines():
        name, shape, kind = line.split()
        found.append(_outside(name, shape, kind, widths))
    return found


def _twin(config: Config, key: str) -> int | None:
    """Layers of a stack that the config does not number: those of the other."""
    twins = {"num_decoder_layers": "num_layers"}
    return config.layers(twins[key]) if key in twins else None


def _outside(name: str, shape: str, kind: str, widths: Mapping[str, int]) -> Module:
    first, second = (widths[letter] for letter in shape.split(">"))
    return Module(name, first, second, first * second, "head" if kind == "head" else "embedding")


def _shapes(
    lines: str, config: Config, widths: Mapping[str, int]
) -> Iterator[tuple[str, int, int, int]]:
    """Name, width in, width out and whether there is a bias, of the matrices of a layer."""
    gated = "gated" in str(config.get("feed_forward_proj", or_default=""))
    for line in lines.splitlines():
        if "{ff}" in line:
            stem = line.partition("{ff}")[0]
            names = ["wi_0", "wi_1"] if gated else ["wi"]
            yield from ((stem + name, widths["h"], widths["f"], 0) for name in names)
            yield stem + "wo", widths["f"], widths["h"], 0
            continue
        name, _, shape = line.partition(" ")
        n_in, n_out = (_width(part, widths) for part in shape.split(">"))
        yield name, n_in, n_out, int(widths["bias"])


def _width(said: str, widths: Mapping[str, int]) -> int:
    """A width such as ``q+2k``."""
    total = 0
    for part in said.split("+"):
        times = int(part[:-1] or 1)
        total += times * widths[part[-1]]
    return total


def _widths(config: Config, names: Names) -> dict[str, int]:
    """Widths by letter."""
    hidden = config.size("d_model") if config.knows("d_model") else config.hidden
    heads = config.size("num_attention_heads") if config.knows("num_attention_heads") else 1
    dim = config.optional_size("head_dim") if config.knows("head_dim") else None
    dim = dim or (config.size("d_kv") if config.knows("d_kv") else hidden // heads)
    kv = config.optional_size("num_key_value_heads") if config.knows("num_key_value_heads") else 0
    inner = config.size(names.inner, 4 * hidden) if names.inner else 4 * hidden
    widths = {"h": hidden, "q": heads * dim, "k": (kv or heads) * dim, "f": inner}
    for letter, key in (("e", "encoder_ffn_dim"), ("d", "decoder_ffn_dim")):
        if config.knows(key):
            widths[letter] = config.size(key)
    if config.knows("vocab_size"):
        widths["v"] = config.size("vocab_size")
    return {**widths, "bias": bool(names.bias)}
