"""Which layers of a decoder look how far back: from the config to a mask per layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from joulecast.architectures.config import Config
from joulecast.architectures.layout import CAUSAL, Mask

#: Kinds of attention layers as configs spell them -> ours.
FULL_ATTENTION = {"full_attention": "full", "attention": "full"}
ATTENTION_TYPES = {**FULL_ATTENTION, "sliding_attention": "sliding", "chunked_attention": "chunked"}

Masks = Counter[Mask]
Reader = Callable[[Config, int], Masks]


def everywhere_causal(config: Config, layers: int) -> Masks:
    """Every layer sees all that came before."""
    config.words("layer_types", layers, FULL_ATTENTION)
    return Counter({CAUSAL: layers})


def one_window(config: Config, layers: int) -> Masks:
    """Every layer has the same window, if there is one."""
    window = _window(config)
    return _by_layer(config, layers, lambda at: window > 0)


def window_if_used(config: Config, layers: int) -> Masks:
    """One window for all, behind a switch (Qwen3-MoE)."""
    config.ignore("max_window_layers")
    if not config.flag("use_sliding_window"):
        config.ignore("sliding_window")
        return everywhere_causal(config, layers)
    return one_window(config, layers)


def window_after(config: Config, layers: int) -> Masks:
    """A window in the layers from max_window_layers on, behind a switch (Qwen2, Qwen3)."""
    return _switched(config, layers, lambda at, first: at >= first)


def window_before(config: Config, layers: int) -> Masks:
    """A window in every other layer before max_window_layers, behind a switch (Qwen2-MoE)."""
    return _switched(config, layers, lambda at, last: (at + 1) % 2 > 0 and at < last)


def _switched(config: Config, layers: int, slides: Callable[[int, int], bool]) -> Masks:
    kinds = config.words("layer_types", layers, ATTENTION_TYPES)
    limit = config.size("max_window_layers", layers, least=0)
    if not config.flag("use_sliding_window"):
        config.ignore("sliding_window")
        if kinds and set(kinds) != {"full"}:
            raise config.error("layer_types", "sliding_attention", "needs use_sliding_window")
        return everywhere_causal(config, layers)
    window = _window(config)
    return _by_layer(config, layers, lambda at: window > 0 and slides(at, limit))


def dots_windows(config: Config, layers: int) -> Masks:
    """A window in the layers from max_window_layers on, without a switch (dots.llm1)."""
    limit = config.size("max_window_layers", layers, least=0)
    window = _window(config)
    return _by_layer(config, layers, lambda at: window > 0 and at >= limit)


def every_nth_full(period: int) -> Reader:
    """A window in all layers but every `period`-th (Gemma, Cohere, OLMo 3, gpt-oss)."""

    def read(config: Config, layers: int) -> Masks:
        pattern = config.size("sliding_window_pattern", period)
        config.ignore("_sliding_window_pattern")
        return _by_layer(config, layers, lambda at: (at + 1) % pattern > 0)

    return read


def every_fourth_from_first(config: Config, layers: int) -> Masks:
    """A window in all layers but the first and every fourth after it (CWM)."""
    return _by_layer(config, layers, lambda at: at % 4 > 0)


def every_nth_full_if_windowed(config: Config, layers: int) -> Masks:
    """As every_nth_full with the config's own pattern; no window means none anywhere (EXAONE)."""
    written = config.get("sliding_window_pattern", or_default=0)
    if isinstance(written, str):  # "LLLG": local, local, local, global
        pattern = len(written)
    else:
        pattern = config.size("sliding_window_pattern", 0, least=0)

    def slides(at: int) -> bool:
        return _window(config) > 0 and pattern > 0 and (at + 1) % pattern > 0

    return _by_layer(config, layers, slides)


def window_without_positions(config: Config, layers: int) -> Masks:
    """A window, behind a switch, in layers without rotary positions (SmolLM3)."""
    kinds = config.words("layer_types", layers, ATTENTION_TYPES)
    used = config.flag("use_sliding_window")
    if kinds is None:  # what is listed holds; the switch makes the list where there is none
        kinds = ["full" if has or not used else "sliding" for has in _rotary_layers(config, layers)]
    if "sliding" not in kinds:
        config.ignore("sliding_window")
    return _masks(config, kinds)


def chunks_with_positions(config: Config, layers: int) -> Masks:
    """Chunked attention in layers with rotary positions (Llama 4)."""
    kinds = config.words("layer_types", layers, ATTENTION_TYPES)
    if kinds is None:
        kinds = ["chunked" if has else "full" for has in _rotary_layers(config, layers)]
    if config.get("attention_chunk_size") is None:
        kinds = ["full"] * layers
    return _masks(config, kinds)


def _rotary_layers(config: Config, layers: int) -> list[bool]:
    given = config.get("no_rope_layers")
    every = config.size("no_rope_layer_interval", 4)
    if not given:
        return [(at + 1) % every != 0 for at in range(layers)]
    if not isinstance(given, list) or len(given) != layers:
        raise config.error("no_rope_layers", given, f"must be a list of {layers} numbers, 0 or 1")
    return [bool(has) for has in given]


def alternating_types(config: Config, layers: int) -> Masks:
    """Kinds and repeats, as GPT-Neo writes them: [[["global", "local"], 12]]."""
    groups = config.get("attention_types")
    names: list[str] = []
    try:
        for kinds, repeats in groups:
            if not 0 < repeats <= layers:
                raise ValueError
            names += [str(kind) for kind in kinds] * repeats
    except (TypeError, ValueError):
        names = []
    if len(names) != layers or not set(names) <= {"global", "local"}:
        raise config.error("attention_types", groups, f"must name all {layers} layers")
    config.ignore("attention_layers")
    window = config.size("window_size")
    local = names.count("local")
    return Counter({Mask("window", window): local, CAUSAL: layers - local})


def _window(config: Config) -> int:
    """Tokens a window reaches over; 0 where there is none."""
    return config.optional_size("sliding_window", least=0) or 0


def _by_layer(config: Config, layers: int, slides: Callable[[int], bool]) -> Masks:
    """A window where the config says so, layer by layer, or else by a layer's position."""
    kinds = config.kinds(
        "layer_types", layers, ATTENTION_TYPES, lambda at: "sliding" if slides(at) else "full"
    )
    return _masks(config, kinds)


def _masks(config: Config, kinds: list[str]) -> Masks:
    found: Masks = Counter()
    for kind, count in Counter(kinds).items():
        if kind == "sliding":
            found[Mask("window", config.size("sliding_window"))] += count
        elif kind == "chunked":
            found[Mask("chunk", config.size("attention_chunk_size"))] += count
        else:
            found[CAUSAL] += count
    config.ignore("sliding_window", "attention_chunk_size")
    return found
