#!/usr/bin/env bash
# PEFT 0.21.2 with transformers 5.24.0: a name in modules_to_save is compared with the end of a
# module's name, in the middle of a word too, while a name in target_modules must be a whole part of
# it.  "norm", meant for the last norm of a Llama, also copies and trains both norms of every layer.
#
# Seen: on a Llama of width 64 and 3 layers, modules_to_save=["norm"] trains 7 norms, 448 weights, in
# place of 1 with 64; "q_proj" in target_modules fits the 3 modules of that name and no other.
# What to do: save the last norm by a longer name ("model.norm"), and look at what is trained.
#
# Exits with 1 where the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 transformers==5.24.0 peft==0.21.2

cat > "$folder/app.py" <<'PYTHON'
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig

config = LlamaConfig(
    hidden_size=64,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=96,
    vocab_size=500,
    pad_token_id=0,
)


def trained(*saved: str) -> list[str]:
    base = AutoModelForCausalLM.from_config(config)
    lora = LoraConfig(r=8, target_modules=["q_proj"], modules_to_save=list(saved) or None)
    model = get_peft_model(base, lora)
    return [name for name, weight in model.named_parameters() if weight.requires_grad]


plain = len(trained())
print(f"{plain // 2} modules have adapters")
for name in ("norm", "model.norm"):
    print(f"{name}: {len(trained(name)) - plain} norms are trained")
PYTHON

seen=$("$folder/env/bin/python" "$folder/app.py" 2>/dev/null)
echo "$seen"
expected="3 modules have adapters
norm: 7 norms are trained
model.norm: 1 norms are trained"
[ "$seen" = "$expected" ] || { echo "changed: expected $expected" >&2; exit 1; }
