"""Whether a stated utilisation and stated hours or speed differ by the ratio of two peaks."""

from __future__ import annotations

from math import log

from joulecast import performance
from joulecast.data.denominators import explained, of_parts
from joulecast.data.records import Device
from joulecast.errors import brief
from joulecast.resolve.ledger import Ledger

#: Utilisations as people state them, of the steady state; the first given is the one compared.
STATED = ("mfu", "hfu", "mfu_fp8")

SPEED = "tokens_per_second_per_device"

#: An assumed goodput may be off by so much: ratios nearer to 1 are not told from it.
GOODPUT_SLACK = 1.25


def check(ledger: Ledger, device: Device) -> None:
    """Warn where a denominator, or a count of dies, explains what was given twice."""
    for what, why in (_beside_speed(ledger, device), _beside_hours(ledger, device)):
        if why:
            ledger.warn("mfu_denominator", f"{what}: {why}")


def _beside_speed(ledger: Ledger, device: Device) -> tuple[str, str]:
    """A utilisation beside a given number of tokens per second."""
    known, name = ledger.middle.known, _stated(ledger)
    needed = ("mfu", "training_flop", "tokens", "peak_flops")
    if not name or not ledger.given(SPEED) or not all(one in known for one in needed):
        return "", ""
    flop, tokens, peak = (float(known[one]) for one in needed[1:])
    implied = float(performance.mfu_from_throughput(ledger.data[SPEED].value, flop, tokens, peak))
    stated = float(known["mfu"])
    why = explained(device, stated, implied, _peak(ledger, name))
    return _both(ledger, name, stated, implied, SPEED), why


def _beside_hours(ledger: Ledger, device: Device) -> tuple[str, str]:
    """A utilisation, or else tokens per second, beside given device-hours.

    Where no goodput was given the hours may hold lost time or none: both are tried.
    """
    known, name = ledger.middle.known, _stated(ledger)
    whole = not name and ledger.given("utilisation")
    name = name or ("utilisation" if whole else SPEED if ledger.given(SPEED) else "")
    hours = "device_hours" if ledger.given("device_hours") else "wall_clock_days"
    if not name or not ledger.given(hours) or "achieved_utilisation" not in known:
        return "", ""
    stated = ledger.data[name].value if whole else float(known.get("mfu", 0.0))
    achieved = float(known["achieved_utilisation"])
    if stated <= 0 or achieved <= 0:
        return "", ""
    goodput = 1.0 if whole else float(known.get("goodput", 1.0))
    told = whole or ledger.given("goodput")
    for lost in (goodput,) if told else (1.0, goodput):
        implied = achieved / lost
        unsure = not told and lost < 1 and abs(log(stated / implied)) < log(GOODPUT_SLACK)
        if name == SPEED:
            why = of_parts(device, stated / implied)
        else:
            why = explained(device, stated, implied, _peak(ledger, name))
        if why and not unsure:
            return _both(ledger, name, stated, implied, hours), why
    return "", ""


def _stated(ledger: Ledger) -> str:
    return next((name for name in STATED if ledger.given(name)), "")


def _peak(ledger: Ledger, name: str) -> float | None:
    """The peak a utilisation is stated of [TFLOP/s]."""
    of = "peak_flops_fp8" if name == "mfu_fp8" else "peak_flops"
    return ledger.data[of].value / 1e12 if ledger.has(of) else None


def _both(ledger: Ledger, name: str, stated: float, implied: float, beside: str) -> str:
    """What was stated beside what follows, in the terms it was stated in."""
    given = ledger.data[name].value
    follows = given * implied / stated
    return f"{name} {brief(given)} was given, but {beside} imply {brief(float(f'{follows:.3g}'))}"
