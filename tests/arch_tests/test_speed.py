"""Reading and counting is quick, and loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from joulecast.architectures import read_architecture

LARGE = {
    "model_type": "deepseek_v3",
    "num_hidden_layers": 61,
    "architectures": ["DeepseekV3ForCausalLM"],
}


def test_reading_and_counting_takes_under_two_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LARGE))
    read_architecture(path).count(4096)
    best = 1.0
    for _ in range(30):
        start = time.perf_counter()
        read_architecture(path).count(4096)
        best = min(best, time.perf_counter() - start)
    assert best < 0.002


def test_nothing_heavy_is_loaded() -> None:
    script = (
        "import sys; from joulecast.architectures import read_architecture; "
        "read_architecture({'model_type': 'llama'}).count(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"torch", "transformers", "huggingface_hub", "scipy", "pandas", "typer"}
