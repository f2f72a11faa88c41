"""What is trained: parameters, tokens and the FLOP they need."""

from __future__ import annotations

from typing import NamedTuple

from joulecast.errors import InputError
from joulecast.resolve.ledger import Ledger
from joulecast.uncertainty import Datum

#: Kind of model -> rule for FLOP per parameter and token.
RULES = {
    "dense": "decoder",
    "moe": "decoder",
    "encoder": "decoder",
    "recurrent": "decoder",
    "ssm": "decoder",
    "enc-dec": "enc-dec",
    "vision": "vision",
}


class Size(NamedTuple):
    """What hardware needs to know of the model."""

    arch: str
    params: float | None
    active_params: float | None


def resolve(ledger: Ledger) -> Size:
    """Enter params, tokens and the FLOP rule."""
    plan = ledger.plan
    _tokens(ledger)
    arch = _arch(ledger)
    if ledger.has("tokens") and (ledger.has("params") or ledger.has("active_params")):
        if arch in RULES:
            rule = RULES[arch]
            figure = ledger.library.default(f"flop_per_param_token.{rule}")
            ledger.assume("flop_per_param_token", figure, f"rule.flop.{rule}")
        elif not ledger.has("flop_per_param_token", "tokens") and not _later_stage(ledger):
            raise InputError(
                "arch", arch, "has no rule for FLOP from counts", ["--flop FLOP", "--arch vision"]
            )
    recompute = plan.recompute or "none"
    figure = ledger.library.default(f"recompute_factor.{recompute}")
    if plan.recompute is not None:
        figure = figure.model_copy(update={"note": f"{recompute} recomputation"})
    ledger.assume("recompute_factor", figure, f"rule.recompute.{recompute}", essential=True)
    params, active = _value(ledger, "params"), _value(ledger, "active_params")
    _check_ratio(ledger, params, active)
    ledger.resolved |= {
        "model": plan.model,
        "arch": arch,
        "params": params if params is not None else active,
        "active_params": active if active is not None else params,
        "tokens": _value(ledger, "tokens"),
        "seq_len": plan.seq_len,
        "epochs": plan.epochs,
        "recompute": recompute,
    }
    return Size(arch, params if params is not None else active, active or params)


def _tokens(ledger: Ledger) -> None:
    """tokens, or unique tokens x epochs."""
    plan = ledger.plan
    if plan.unique_tokens is not None and not ledger.has("tokens"):
        epochs = plan.epochs or 1.0
        ledger.data["tokens"] = Datum(
            "tokens",
            plan.unique_tokens * epochs,
            unknown="given.tokens",
            basis="given",
            given=True,
            note=f"{plan.unique_tokens:.5g} unique x {epochs:g} epochs",
        )


def _arch(ledger: Ledger) -> str:
    plan = ledger.plan
    params, active = _value(ledger, "params"), _value(ledger, "active_params")
    if params is not None and active is not None and active > params:
        raise InputError(
            "active_params",
            f"{active:.5g}",
            f"cannot be above params ({params:.5g})",
            [f"--params {active:.5g}"],
        )
    if plan.arch == "moe" and active is None and params is not None and not _later_stage(ledger):
        raise InputError(
            "active_params",
            None,
            "a mixture of experts needs the parameters a token uses",
            ["--active-params 13B"],
        )
    if plan.arch is not None:
        return plan.arch
    if params is not None and active is not None and active < 0.9 * params:
        ledger.warn(
            "moe_unsaid",
            f"active params are {active / params:.0%} of all: a mixture of experts (--arch)",
        )
        return "moe"
    return "dense"


def _later_stage(ledger: Ledger) -> bool:
    """Whether the answer can start after the FLOP rule."""
    names = ("training_flop", "device_hours", "wall_clock_days", "device_energy_kwh")
    later = ("it_energy_kwh", "energy_kwh", "operational_kgco2e")
    return any(ledger.has(name) for name in (*names, *later))


def _check_ratio(ledger: Ledger, params: float | None, active: float | None) -> None:
    tokens = _value(ledger, "tokens")
    size = active or params
    if tokens is None or size is None:
        return
    ratio = tokens / size
    if not 1 <= ratio <= 2000:
        ledger.warn(
            "tokens_per_param",
            f"{ratio:.3g} tokens per active parameter; published runs lie between 1 and 2,000: "
            "check the units of --params and --tokens",
        )


def _value(ledger: Ledger, name: str) -> float | None:
    datum = ledger.data.get(name)
    return None if datum is None else datum.value
