"""Count models of the transformers library, to hold our own counts against.

    pip install torch==2.13.0 transformers==5.23.0
    python tools/count_reference.py            # writes tests/data/architectures/counted.csv
    python tools/count_reference.py --compare  # and prints where our count differs
    python tools/count_reference.py --docs     # only the tables of docs/method

Builds each class on the meta device, where shapes are real and numbers are not, and runs one
forward pass under FlopCounterMode.  Its traps, and what is done about each:

- grouped matrix products, the library's default for experts, count as nothing: batched_mm;
- scaled_dot_product_attention counts as nothing on a CPU: eager attention;
- eager attention is the full square, windows and masks left out: the column says so;
- the backward pass of depthwise convolutions is inflated: only the forward pass is counted;
- the classes of Llama 4 and NLLB-MoE run every expert on every token: the idle ones are taken off.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src")]
CASES = ROOT / "tests/data/architectures/cases.jsonl"
OUT = ROOT / "tests/data/architectures/counted.csv"
REFERENCE = ROOT / "tests/data/architectures/reference.csv"
PUBLISHED = ROOT / "tests/data/architectures/published.jsonl"
#: Pages with the table, and the models each shows; all where none are named.
PAGES: dict[Path, tuple[str, ...]] = {
    ROOT / "docs/method/architectures.md": (),
    ROOT / "docs/method/compute.md": (
        "T5-base", "T5-11B", "GRU LM 2x512", "LSTM LM 2x1500", "gpt-oss-20b", "Qwen3-Next-80B-A3B",
        "Mamba-2.8B", "GPT-3 175B", "ViT-B/16 @224", "Mixtral-8x7B", "Llama-2-70B",
        "Llama-3.1-405B", "Llama-3.1-8B", "BERT-base", "DeepSeek-V3", "Qwen3-235B-A22B",
        "Mamba2-2.7B", "SmolLM2-135M", "Zamba2-7B", "Gemma-3-27B",
    ),
}  # fmt: skip

#: Published configs in the table of the page, at which length.
FURTHER = {
    "Falcon-180B": "2048",
    "Gemma-3-27B": "32768",
    "Kimi-K2": "4096",
    "DeepSeek-V2": "4096",
    "Llama-4-Maverick": "8192",
    "Zamba2-7B": "4096",
    "Nemotron-3-Nano-30B-A3B": "4096",
    "Granite-4.0-H-Small": "4096",
    "MiniMax-01": "8192",
    "RecurrentGemma-9B": "8192",
    "T5-11B": "512:114",
    "NLLB-200-3.3B": "256:256",
    "ModernBERT-base": "8192",
    "ViT-L/16": "197",
}
LONGER = {"Llama-3.1-8B": "131072", "Llama-3.1-405B": "131072"}
COLUMNS = ("model_type", "seq_len", "params", "forward_flop_full", "config")

#: The class that is trained, where it is not the decoder of the same name.
CLASSES = {
    **dict.fromkeys(
        ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra", "albert",
         "modernbert", "data2vec-text", "megatron-bert", "esm"),
        "AutoModelForMaskedLM",
    ),
    **dict.fromkeys(
        ("t5", "mt5", "umt5", "bart", "mbart", "m2m_100", "pegasus", "marian", "blenderbot",
         "blenderbot-small", "plbart", "nllb-moe", "switch_transformers"),
        "AutoModelForSeq2SeqLM",
    ),
    "whisper": "AutoModelForSpeechSeq2Seq",
    **dict.fromkeys(
        ("qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text", "qwen3_vl_moe_text"), "AutoModel"
    ),
    **dict.fromkeys(
        ("vit", "deit", "dinov2", "dinov2_with_registers"), "AutoModelForImageClassification"
    ),
}  # fmt: skip

#: Classes that look at values, to send tokens to experts or to see whether a mask is empty.
WITH_NUMBERS = ("nllb-moe", "switch_transformers", "megatron-bert")


def device(config: dict[str, Any]) -> str:
    """Where to build and run a model."""
    return "cpu" if config["model_type"] in WITH_NUMBERS else "meta"


def build(config: dict[str, Any]) -> Any:
    """The class, without numbers where it does not need them."""
    torch, transformers = import_module("torch"), import_module("transformers")
    masking_utils = import_module("transformers.masking_utils")
    mapping = import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING

    # It looks for packed sequences in the values of the positions; on this device there are none.
    vars(masking_utils)["find_packed_sequence_indices"] = lambda *_: None
    given = {key: value for key, value in config.items() if key != "model_type"}
    if CLASSES.get(config["model_type"]) == "AutoModelForImageClassification":
        given.setdefault("num_labels", 1000)
    read = mapping[config["model_type"]](**given)
    if config["model_type"] == "deit":  # it has two classifiers; the other one is distilled
        read.architectures = ["DeiTForImageClassification"]
    read._attn_implementation = "eager"
    read._experts_implementation = "batched_mm"
    for name in ("use_mamba_kernels", "use_mambapy", "use_associative_scan"):
        if hasattr(read, name):
            setattr(read, name, False)
    auto = getattr(transformers, CLASSES.get(config["model_type"], "AutoModelForCausalLM"))
    with torch.device(device(config)):
        model = auto.from_config(read)
    model._experts_implementation = "batched_mm"
    return model.eval()


def inputs(model: Any, config: dict[str, Any], seq_len: list[int]) -> dict[str, Any]:
    """One sequence of what the class reads."""
    torch = import_module("torch")

    def tokens(length: int) -> Any:
        return torch.zeros((1, length), dtype=torch.long, device=device(config))

    kind = CLASSES.get(config["model_type"])
    if kind == "AutoModelForSeq2SeqLM":
        return {"input_ids": tokens(seq_len[0]), "decoder_input_ids": tokens(seq_len[1])}
    if kind == "AutoModelForSpeechSeq2Seq":
        sound = torch.empty((1, model.config.num_mel_bins, 2 * seq_len[0]), device="meta")
        return {"input_features": sound, "decoder_input_ids": tokens(seq_len[1])}
    if kind == "AutoModelForImageClassification":
        edge = model.config.image_size
        image = torch.empty((1, model.config.num_channels, edge, edge), device="meta")
        return {"pixel_values": image}
    if kind == "AutoModel":
        return {
            "inputs_embeds": torch.zeros((1, seq_len[0], model.config.hidden_size), device="meta")
        }
    return {"input_ids": tokens(seq_len[0])}


def count(config: dict[str, Any], seq_len: list[int]) -> tuple[int, float]:
    """Parameters, and forward FLOP per unit of our own."""
    torch = import_module("torch")
    counter_mode = import_module("torch.utils.flop_counter").FlopCounterMode

    model = build(config)
    params = sum(parameter.numel() for parameter in model.parameters())
    counter = counter_mode(display=False)
    fed = inputs(model, config, seq_len)
    text = CLASSES.get(config["model_type"], "AutoModel") == "AutoModel"
    if text:
        fed["use_cache"] = False
    with counter, torch.no_grad():
        model(**fed)
    units = seq_len[-1] if config["model_type"] == "whisper" else sum(seq_len)
    flop = counter.get_total_flops() / units
    if CLASSES.get(config["model_type"]) == "AutoModel":  # a body without its head
        head = model.config.vocab_size * model.config.hidden_size
        params += 0 if getattr(model.config, "tie_word_embeddings", False) else head
        flop += 2 * head
    if config["model_type"] == "llama4_text":
        read = model.config
        idle = read.num_local_experts - read.num_experts_per_tok
        expert = 3 * read.hidden_size * read.intermediate_size
        flop -= 2 * idle * expert * len(read.moe_layers)
    if config["model_type"] == "nllb-moe":
        flop -= idle_nllb(model.config, seq_len) / units
    return params, flop


def idle_nllb(read: Any, seq_len: list[int]) -> float:
    """FLOP of all experts but two: the class tells them by a mask of zeros and ones."""
    flop = 0
    for stack, tokens in zip(("encoder", "decoder"), seq_len, strict=True):
        layers, step = getattr(read, f"{stack}_layers"), getattr(read, f"{stack}_sparse_step")
        expert = 4 * read.d_model * getattr(read, f"{stack}_ffn_dim")
        flop += tokens * (layers // step) * (read.num_experts - 2) * expert
    return flop


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--compare", action="store_true")
    options.add_argument("--only", default="")
    options.add_argument("--docs", action="store_true")
    args = options.parse_args()
    if args.docs:
        for path in PAGES:
            path.write_text(page(path), "utf-8")
        return
    torch, transformers = import_module("torch"), import_module("transformers")
    rows = []
    for line in CASES.read_text("utf-8").splitlines():
        case = json.loads(line)
        config, seq_len = case["config"], case["seq_len"]
        if args.only and args.only != config["model_type"]:
            continue
        try:
            params, flop = count(config, seq_len)
        except Exception as problem:
            print(config["model_type"], "not counted:", repr(problem)[:200])
            continue
        rows.append(
            (
                config["model_type"],
                ":".join(str(length) for length in seq_len),
                params,
                round(flop, 3),
                json.dumps(config, separators=(",", ":")),
            )
        )
        if args.compare:
            compare(config, seq_len, params, flop)
    if args.only:
        return
    with OUT.open("w", encoding="utf-8", newline="") as file:
        file.write(
            f"# tools/count_reference.py; torch {torch.__version__}, "
            f"transformers {transformers.__version__}, FlopCounterMode on the meta device; "
            "attention is the full square\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    print(f"{OUT.name}: {len(rows)} rows, {len({row[0] for row in rows})} model types")


def compare(config: dict[str, Any], seq_len: list[int], params: int, flop: float) -> None:
    """Print how far our count is off."""
    from joulecast.architectures import read_architecture
    from joulecast.errors import JoulecastError

    lengths = seq_len[0] if len(seq_len) == 1 else (seq_len[0], seq_len[1])
    try:
        ours = read_architecture(config).count(lengths, "full")
    except JoulecastError as refusal:
        print(f"{config['model_type']:18} refused: {refusal}")
        return
    off_params = ours.params_total - params
    off_flop = ours.forward_flop_per_token / flop - 1
    mark = "" if off_params == 0 and abs(off_flop) < 1e-3 else "  <<<"
    print(f"{config['model_type']:18} params {off_params:+.0f}  flop {100 * off_flop:+.4f} %{mark}")


def where_6nd_is_wrong(shown: tuple[str, ...] = ()) -> str:
    """The table of a page: exact training FLOP over 6ND, by the code."""
    from joulecast.architectures import read_architecture
    from joulecast.errors import JoulecastError

    text = [line for line in REFERENCE.read_text("utf-8").splitlines() if line[0] != "#"]
    cases = [
        (row["model"], json.loads(row["config"]), row["seq_len"]) for row in csv.DictReader(text)
    ]
    cases += [(name, config, LONGER[name]) for name, config, _ in cases if name in LONGER]
    for line in PUBLISHED.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["model"] in FURTHER:
            cases.append((row["model"], row["config"], FURTHER[row["model"]]))
    lines = []
    for name, config, written in cases:
        if shown and name not in shown:
            continue
        try:
            model = read_architecture(config)
        except JoulecastError:
            continue
        parts = [int(part) for part in written.split(":")]
        lengths = parts[0] if len(parts) == 1 else (parts[0], parts[1])
        causal, full = model.count(lengths), model.count(lengths, "full")
        if causal.flop_unit in ("sample", "decoder_token"):
            continue  # 6ND has no meaning there
        with_all = full.train_flop_per_token / (6 * full.params_total)
        active = (
            f"{_short(causal.params_active)}" if causal.params_active < causal.params_total else ""
        )
        lines.append(
            (
                causal.flop_per_6n,
                f"| {name} | {written} | {_short(causal.params_total)} | {active} | "
                f"{causal.flop_per_6n:.3f} | {full.flop_per_6n:.3f} | {with_all:.3f} |",
            )
        )
    head = (
        "| Model | Length | $N$ | $N_\\mathrm{active}$ | causal | full | full, with all $N$ |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(line for _, line in sorted(lines)) + "\n"


def _short(number: float) -> str:
    scale, letter = next((s, n) for s, n in ((1e12, "T"), (1e9, "B"), (1e6, "M")) if number >= s)
    return f"{number / scale:.3g}{letter}"


def page(path: Path) -> str:
    """A page with its table made anew."""
    before, rest = path.read_text("utf-8").split("<!-- table made by the code -->\n", 1)
    after = rest.split("<!-- end of the table -->\n", 1)[1]
    return (
        f"{before}<!-- table made by the code -->\n{where_6nd_is_wrong(PAGES[path])}"
        f"<!-- end of the table -->\n{after}"
    )


if __name__ == "__main__":
    main()
