"""Mixtures of experts: how each family's config says which layers have them, and how wide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joulecast.architectures.blocks import Experts
from joulecast.architectures.config import Config


@dataclass(frozen=True, slots=True)
class Mixture:
    """The experts of a model, and in how many of its layers they stand."""

    experts: Experts
    layers: int


Reader = Callable[[Config, int], Mixture]


def routed(config: Config, count: str, used: str = "num_experts_per_tok") -> tuple[int, int]:
    """Experts held, and those that a token uses."""
    held, top = config.size(count), config.size(used)
    if top > held:
        raise config.error(used, top, f"uses more experts than the {held} there are")
    return held, top


def _wide(
    config: Config, count: str, *, used: str = "num_experts_per_tok",
    width: str = "intermediate_size", shared: str = "", **more: Any,
) -> Experts:  # fmt: skip
    """Experts with the keys of their number, width and what all tokens share."""
    held, top = routed(config, count, used)
    inner = config.size(width)
    beside = config.size(shared, least=0) if shared else 0
    return Experts(held, top, inner, shared_width=beside, **more)


def _narrow(
    config: Config, count: str, beside: str, *, used: str = "num_experts_per_tok", **more: Any
) -> Experts:
    """Experts with a width of their own, `beside` of which all tokens share."""
    held, top = routed(config, count, used)
    width = config.size("moe_intermediate_size")
    return Experts(held, top, width, shared_width=config.size(beside, 0, least=0) * width, **more)


def in_every_layer(
    count: str = "num_local_experts", *, used: str = "num_experts_per_tok", shared: str = ""
) -> Reader:
    """One kind of layer: Mixtral, OLMoE, Granite MoE and their like."""

    def read(config: Config, layers: int) -> Mixture:
        return Mixture(_wide(config, count, used=used, shared=shared), layers)

    return read


def gpt_oss(config: Config, layers: int) -> Mixture:
    """Experts and router with biases (gpt-oss)."""
    experts = _wide(config, "num_local_experts", router_bias=True, expert_bias=True)
    config.agrees("experts_per_token", experts.used)
    return Mixture(experts, layers)


def qwen(count: str, *, shared: bool) -> Reader:
    """Every decoder_sparse_step-th layer but those in mlp_only_layers (Qwen)."""

    def read(config: Config, layers: int) -> Mixture:
        step = config.size("decoder_sparse_step", 1)
        dense = config.indices("mlp_only_layers", layers)
        sparse = sum(1 for at in range(layers) if at not in dense and (at + 1) % step == 0)
        experts = _wide(
            config, count, width="moe_intermediate_size",
            shared="shared_expert_intermediate_size" if shared else "", shared_gate=shared,
        )  # fmt: skip
        return Mixture(experts, sparse)

    return read


def after_dense(
    count: str = "n_routed_experts", beside: str = "n_shared_experts", *, first: int = 0,
    every: str = "moe_layer_freq",
) -> Reader:  # fmt: skip
    """Dense first layers, `first` of them where the config does not say; then mixtures.

    DeepSeek, Kimi, GLM, dots; `every` is the key of a rhythm that must be one.
    """

    def read(config: Config, layers: int) -> Mixture:
        if every:
            config.must_be(**{every: 1})
        kinds = config.words("mlp_layer_types", layers, {"dense": "dense", "sparse": "sparse"})
        dense = config.size("first_k_dense_replace", first, least=0)
        sparse = max(layers - dense, 0) if kinds is None else kinds.count("sparse")
        return Mixture(_narrow(config, count, beside), sparse)

    return read


deepseek = after_dense()


def lfm2(config: Config, layers: int) -> Mixture:
    """Dense first layers, no shared expert, a routing bias outside the parameters (LFM2-MoE)."""
    sparse = max(layers - config.size("num_dense_layers", least=0), 0)
    config.ignore("use_expert_bias")
    return Mixture(_wide(config, "num_experts", width="moe_intermediate_size"), sparse)


def ernie(config: Config, layers: int) -> Mixture:
    """ERNIE 4.5: a range of layers, routed and shared experts, a routing bias."""
    start = config.size("moe_layer_start_index", 0, least=0)
    end = config.get("moe_layer_end_index", or_default=-1)
    every = config.size("moe_layer_interval", 1)
    if isinstance(end, bool) or not isinstance(end, int):
        raise config.error("moe_layer_end_index", end, "must be a whole number")
    last = layers - 1 if end == -1 else end
    sparse = sum(1 for at in range(layers) if start <= at <= last and (at + 1) % every == 0)
    experts = _narrow(
        config, "moe_num_experts", "moe_num_shared_experts", used="moe_k", router_bias=True
    )
    return Mixture(experts, sparse)


def llama4(config: Config, layers: int) -> Mixture:
    """Interleaved experts with a shared one as wide as they are (Llama 4)."""
    config.ignore("use_qk_norm")  # its norm holds no weights
    listed = config.get("moe_layers")
    step = config.size("interleave_moe_layer_step", 1, least=listed is None)
    if listed is not None:
        sparse = len(config.indices("moe_layers", layers))
    else:
        sparse = len(range(step - 1, layers, step))
    if not sparse:  # all of its layers are dense, and nobody asks for experts
        config.ignore("num_local_experts", "num_experts_per_tok", "intermediate_size")
        return Mixture(Experts(0, 0, 0), 0)
    return Mixture(_wide(config, "num_local_experts", shared="intermediate_size"), sparse)


def jamba(config: Config, layers: int) -> Mixture:
    """Every expert_layer_period-th layer; a single expert is a dense layer (Jamba)."""
    sparse = periodic(config, layers, "expert_layer_period", "expert_layer_offset")
    if config.size("num_experts") == 1:
        return Mixture(Experts(1, 1, config.size("intermediate_size")), 0)
    return Mixture(_wide(config, "num_experts"), sparse)


def periodic(config: Config, layers: int, every: str, first: str) -> int:
    """Count the layers that come again with a period, from an offset inside it."""
    period, offset = config.size(every), config.size(first, least=0)
    if offset >= period:
        raise config.error(first, offset, f"must be below {every}")
    return len(range(offset, layers, period))


def nemotron(config: Config, layers: int) -> Mixture:
    """Plain experts, one shared, perhaps in a narrower space (Nemotron-H)."""
    config.ignore("n_shared_experts", "moe_shared_expert_overlap")
    experts = _wide(
        config, "n_routed_experts", width="moe_intermediate_size", matrices=2,
        shared="moe_shared_expert_intermediate_size",
        latent=config.optional_size("moe_latent_size") or 0,
    )  # fmt: skip
    return Mixture(experts, layers)
