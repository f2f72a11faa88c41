"""Mixtures of experts: how each family's config says which layers have them, and how wide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from joulecast.architectures.blocks import Experts
from joulecast.architectures.config import Config


@dataclass(frozen=True, slots=True)
class Mixture:
    """The experts of a model, and in how many of its layers they stand."""

    experts: Experts
    layers: int


Reader = Callable[[Config, int], Mixture]


def _routed(config: Config, count: str, used: str = "num_experts_per_tok") -> tuple[int, int]:
    held, top = config.size(count), config.size(used)
    if top > held:
        raise config.error(used, top, f"uses more experts than the {held} there are")
    return held, top


def in_every_layer(config: Config, layers: int) -> Mixture:
    """Mixtral, OLMoE, Granite MoE and their like: one kind of layer."""
    held, used = _routed(config, "num_local_experts")
    return Mixture(Experts(held, used, config.size("intermediate_size")), layers)


def olmoe(config: Config, layers: int) -> Mixture:
    """OLMoE calls them num_experts."""
    held, used = _routed(config, "num_experts")
    return Mixture(Experts(held, used, config.size("intermediate_size")), layers)


def hunyuan(config: Config, layers: int) -> Mixture:
    """Hunyuan: one shared expert as wide as the others."""
    held, used = _routed(config, "num_experts", "moe_topk")
    width = config.size("intermediate_size")
    return Mixture(Experts(held, used, width, shared_width=width), layers)


def exaone(config: Config, layers: int) -> Mixture:
    """EXAONE: dense first layers, then routed and shared experts."""
    return _after_dense(config, layers, "num_experts", "num_shared_experts")


def minimax_m2(config: Config, layers: int) -> Mixture:
    """MiniMax-M2: as Mixtral; its routing bias is kept outside the parameters."""
    return in_every_layer(config, layers)


def granite_shared(config: Config, layers: int) -> Mixture:
    """Granite MoE with a shared block beside the experts."""
    held, used = _routed(config, "num_local_experts")
    shared = config.size("shared_intermediate_size", least=0)
    width = config.size("intermediate_size")
    return Mixture(Experts(held, used, width, shared_width=shared), layers)


def gpt_oss(config: Config, layers: int) -> Mixture:
    """Experts and router with biases (gpt-oss)."""
    held, used = _routed(config, "num_local_experts")
    config.agrees("experts_per_token", used)
    width = config.size("intermediate_size")
    return Mixture(Experts(held, used, width, router_bias=True, expert_bias=True), layers)


def qwen(count: str, *, shared: bool) -> Reader:
    """Every decoder_sparse_step-th layer but those in mlp_only_layers (Qwen)."""

    def read(config: Config, layers: int) -> Mixture:
        step = config.size("decoder_sparse_step", 1)
        dense = config.indices("mlp_only_layers", layers)
        sparse = sum(1 for at in range(layers) if at not in dense and (at + 1) % step == 0)
        held, used = _routed(config, count)
        width = config.size("moe_intermediate_size")
        beside = config.size("shared_expert_intermediate_size", least=0) if shared else 0
        experts = Experts(held, used, width, shared_width=beside, shared_gate=beside > 0)
        return Mixture(experts, sparse)

    return read


def deepseek(config: Config, layers: int) -> Mixture:
    """Dense first layers, then routed and shared experts (DeepSeek, Kimi, GLM, dots)."""
    config.must_be("moe_layer_freq", 1)
    return _after_dense(config, layers, "n_routed_experts", "n_shared_experts")


def after_one_dense(config: Config, layers: int) -> Mixture:
    """As DeepSeek's, but one dense layer where the config does not say (GLM-4.7-Flash, Kimi)."""
    config.must_be("moe_layer_freq", 1)
    return _after_dense(config, layers, "n_routed_experts", "n_shared_experts", 1)


def kimi(config: Config, layers: int) -> Mixture:
    """Kimi Linear: one dense layer where the config does not say."""
    config.must_be("moe_layer_freq", 1)
    return _after_dense(config, layers, "num_local_experts", "n_shared_experts", 1)


def lfm2(config: Config, layers: int) -> Mixture:
    """LFM2-MoE: dense first layers, no shared expert, a routing bias outside the parameters."""
    held, used = _routed(config, "num_experts")
    sparse = max(layers - config.size("num_dense_layers", least=0), 0)
    config.ignore("use_expert_bias")
    return Mixture(Experts(held, used, config.size("moe_intermediate_size")), sparse)


def _after_dense(config: Config, layers: int, experts: str, beside: str, dense: int = 0) -> Mixture:
    kinds = config.words("mlp_layer_types", layers, {"dense": "dense", "sparse": "sparse"})
    first = config.size("first_k_dense_replace", dense, least=0)
    sparse = max(layers - first, 0) if kinds is None else kinds.count("sparse")
    held, used = _routed(config, experts)
    width = config.size("moe_intermediate_size")
    shared = config.size(beside, 0, least=0) * width
    return Mixture(Experts(held, used, width, shared_width=shared), sparse)


def ernie(config: Config, layers: int) -> Mixture:
    """ERNIE 4.5: a range of layers, routed and shared experts, a routing bias."""
    start = config.size("moe_layer_start_index", 0, least=0)
    end = config.get("moe_layer_end_index", or_default=-1)
    every = config.size("moe_layer_interval", 1)
    if isinstance(end, bool) or not isinstance(end, int):
        raise config.error("moe_layer_end_index", end, "must be a whole number")
    last = layers - 1 if end == -1 else end
    sparse = sum(1 for at in range(layers) if start <= at <= last and (at + 1) % every == 0)
    held, used = _routed(config, "moe_num_experts", "moe_k")
    width = config.size("moe_intermediate_size")
    shared = config.size("moe_num_shared_experts", 0, least=0) * width
    return Mixture(Experts(held, used, width, shared_width=shared, router_bias=True), sparse)


def llama4(config: Config, layers: int) -> Mixture:
    """Interleaved experts with a shared one as wide as they are (Llama 4)."""
    config.ignore("use_qk_norm")  # its norm holds no weights
    step = config.size("interleave_moe_layer_step", 1)
    if config.get("moe_layers") is not None:
        sparse = len(config.indices("moe_layers", layers))
    else:
        sparse = len(range(step - 1, layers, step))
    held, used = _routed(config, "num_local_experts")
    width = config.size("intermediate_size")
    return Mixture(Experts(held, used, width, shared_width=width), sparse)


def jamba(config: Config, layers: int) -> Mixture:
    """Every expert_layer_period-th layer; a single expert is a dense layer (Jamba)."""
    period = config.size("expert_layer_period")
    offset = config.size("expert_layer_offset", least=0)
    if offset >= period:
        raise config.error("expert_layer_offset", offset, "must be below expert_layer_period")
    held, used = _routed(config, "num_experts") if config.size("num_experts") > 1 else (1, 1)
    sparse = len(range(offset, layers, period)) if held > 1 else 0
    return Mixture(Experts(held, used, config.size("intermediate_size")), sparse)


def nemotron(config: Config, layers: int) -> Mixture:
    """Plain experts, one shared, perhaps in a narrower space (Nemotron-H)."""
    held, used = _routed(config, "n_routed_experts")
    config.ignore("n_shared_experts", "moe_shared_expert_overlap")
    experts = Experts(
        held,
        used,
        config.size("moe_intermediate_size"),
        matrices=2,
        shared_width=config.size("moe_shared_expert_intermediate_size", least=0),
        latent=config.optional_size("moe_latent_size") or 0,
    )
    return Mixture(experts, layers)
