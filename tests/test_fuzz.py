"""Random plans, sensible and not: an answer that fits its schema or a kind error, nothing else."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any
from unittest.mock import patch

from conftest import fits
from hypothesis import example, given, settings
from hypothesis import strategies as st

from joulecast import JoulecastError, Plan, estimate
from joulecast.cli import main
from joulecast.terms import INPUTS

numbers = st.one_of(
    st.sampled_from(
        ["7B", "1.5T", "0", "-3", "1e300", "nan", "", "1,000", "8x22B", "2 weeks", "50%"]
    ),
    st.floats(1e-6, 1e26).map(lambda x: f"{x:.4g}"),
    st.tuples(st.floats(0.01, 5), st.floats(0.01, 5)).map(lambda p: f"{p[0]:.3f}..{p[1]:.3f}"),
    st.text(max_size=8),
)
words = st.one_of(
    st.sampled_from(
        [
            "h100-sxm", "A100", "TPUv4", "mi300x", "V100", "fr", "us", "us-va", "Georgia", "CA",
            "aws:us-east-1", "jean-zay", "moe", "enc-dec", "vision", "fp8", "full", "gcp", "direct",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
plans = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("params", "active_params", "trainable_params", "tokens", "unique_tokens", "epochs", "samples", "seq_len", "document_len", "mtp_depth", "flop", "hardware_flop", "device_count", "year", "runs", "project_factor"), numbers),
        **dict.fromkeys(("arch", "precision", "recompute", "device", "region", "provider", "grid_basis"), words),
        "only_given": st.booleans(),
        "national_average": st.booleans(),
        "given": st.dictionaries(st.sampled_from(sorted(INPUTS)), numbers, max_size=4),
    },
)  # fmt: skip
likely = st.fixed_dictionaries(
    {
        "params": st.sampled_from(["7B", "70B", "1M"]),
        "tokens": st.sampled_from(["2T", "15T", "1B"]),
    },
    optional={
        "device": st.sampled_from(["h100-sxm", "A100", "TPUv4", "mi300x", "cpu-laptop", "gb200"]),
        "region": st.sampled_from(
            ["fr", "us", "us-va", "aws:us-east-1", "jean-zay", "in", "ca-on"]
        ),
        "provider": st.sampled_from(["aws", "gcp", "azure"]),
        "year": st.integers(2000, 2035).map(str),
        "device_count": st.sampled_from(["1", "8", "512"]),
        "precision": st.sampled_from(["bf16", "fp8", "fp32", "fp4"]),
        "arch": st.sampled_from(["dense", "moe", "encoder", "enc-dec", "vision", "ssm"]),
        "active_params": st.sampled_from(["1M", "500K"]),
        "runs": st.sampled_from(["1", "20"]),
        "project_factor": st.sampled_from(["2", "1.5..2..4"]),
        "given": st.dictionaries(st.sampled_from(sorted(INPUTS)), numbers, max_size=2),
    },
)


@settings(max_examples=400)
@given(st.one_of(plans, likely))
@example({"params": "7B", "tokens": "2T", "given": {"goodput": "0.02..0.5..1.0"}})
def test_an_answer_or_a_kind_error(plan: dict[str, Any]) -> None:
    try:
        footprint = estimate(Plan(**plan))
    except JoulecastError as error:
        assert "\n" not in str(error)
        assert str(error).isprintable()
        return
    text = footprint.to_json()
    fits(json.loads(text), "estimate")
    assert footprint.explain()
    for quantity in footprint.quantities.values():
        if quantity is not None:
            assert quantity.p5 <= quantity.p50 <= quantity.p95


@settings(max_examples=100)
@given(st.one_of(plans, likely))
def test_the_command_says_what_python_says(plan: dict[str, Any]) -> None:
    args = ["joulecast", "estimate", "--json"]
    for name, value in plan.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "given":
            for key, text in value.items():
                if not text.strip() or "=" in text:
                    return  # NAME=VALUE cannot say it
                args += ["--set", f"{key}={text}"]
        elif isinstance(value, bool):
            args += [flag] if value else []
        else:
            args.append(f"{flag}={value}")
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        patch.object(sys, "argv", args),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stopped:
            code = stopped.code
    try:
        expected = estimate(Plan(**plan)).to_json()
    except JoulecastError as error:
        assert (code, out.getvalue()) == (2, "")
        assert err.getvalue() == f"error: {error}\n"
    else:
        assert code == 0
        assert out.getvalue().strip() == expected
