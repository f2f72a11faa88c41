"""How well the run could go: restarts, tuning, time reserved, requests served together."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from joulecast.advice.hardware import by_work
from joulecast.advice.opened import Candidate, NotOpenError, Opened
from joulecast.answers.advice import LIFETIME
from joulecast.data.records import Figure
from joulecast.errors import JoulecastError, brief
from joulecast.estimation import footprint_of
from joulecast.resolve import utilisation
from joulecast.uncertainty import Datum, pick

#: Ways to give the steady speed; `utilisation` is that of the whole run.
STEADY = ("mfu", "hfu", "mfu_fp8", "tokens_per_second_per_device")

#: Ways to give the time reserved.
RESERVED = ("wall_clock_days", "device_hours")


def rounded(value: float, digits: int = 3) -> str:
    """A number as people would type it, to so many digits."""
    return brief(float(f"{value:.{digits}g}"))


def goodput(now: Opened) -> list[Candidate]:
    """Less time lost to restarts: what large runs that reported it kept."""
    by_work(now)
    if now.ledger.tuning is not None:
        raise NotOpenError("a fine-tune loses time to its start and evaluation, not to restarts")
    if now.ledger.given("utilisation"):
        raise NotOpenError("utilisation was given, with the time lost in it")
    good = now.library.default("advice.goodput")
    assert good.low is not None and good.high is not None
    before = now.ledger.data.get("goodput") or now.library.default("goodput")
    given = now.ledger.given("goodput")
    return [
        Candidate(
            "goodput",
            "less time lost to restarts and stalls",
            sets={"goodput": f"{good.low:g}..{good.value:g}..{good.high:g}"},
            detail=f"goodput {before.value:.2g} {'as given' if given else 'assumed'}; "
            f"{good.low:g} to {good.high:g} were reported of large runs",
            sources=(good.source, "grattafiori-2024"),
        )
    ]


def packing(now: Opened) -> list[Candidate]:
    """Samples end to end in place of batches filled to their longest."""
    by_work(now)
    padding = now.ledger.value("padding_factor")
    if padding is None:
        raise NotOpenError("nobody said that samples are padded (--samples, --sample-tokens)")
    if padding == 1:
        raise NotOpenError("samples are packed already")
    gain = now.library.default("padding_factor.to_longest")
    return [
        Candidate(
            "packing",
            "pack samples end to end",
            sets={"padding_factor": "1"},
            detail=f"padding computes {padding:.2g} times the real tokens; packing was worth "
            f"{gain.low:g} to {gain.high:g} times the speed in published fine-tunes",
            caveat="samples of a sequence must be masked from each other; a step then holds more",
            sources=(gain.source, "fms-acceleration-tables"),
        )
    ]


def _of_fine_tunes(now: Opened) -> Candidate:
    """A framework with kernels of its own for this work."""
    if now.plan.framework == "tuned":
        raise NotOpenError("the framework brings kernels of its own already")
    figure = now.library.default("fine_tune.framework.tuned")
    return Candidate(
        "tuning",
        "a framework with kernels of its own for this work",
        flags={"framework": "tuned"},
        detail=f"published fine-tunes: {now.plan.framework or 'framework not said'} so far",
        caveat="measure a step first: frameworks differ by device and method",
        sources=(figure.source,),
    )


def tuning(now: Opened) -> list[Candidate]:
    """A better-tuned run: the utilisation that one published run in four exceeds.

    Where the steady speed is told apart from the time lost, it alone is what is tuned.
    """
    by_work(now)
    ledger = now.ledger
    if ledger.tuning is not None:
        return [_of_fine_tunes(now)]
    if len({device.device_class for device in now.devices}) > 1:
        raise NotOpenError("the fleet has devices of several classes, each with a level of its own")
    assert ledger.device is not None and ledger.size is not None
    usual = utilisation.default(ledger.without(()), ledger.device, ledger.size)
    level = now.library.default("advice.tuned_quantile")
    target = _at(usual, level.value, ledger.device.device_class)
    typical = now.library.default("goodput").value
    gain = _speedup(now)
    steady = now.given(STEADY)
    if steady is not None:
        sets = {steady: rounded(_steady(now, steady, target / typical), 2)}
    elif ledger.given("goodput"):
        sets = {"mfu": rounded(target / typical * gain, 2)}
    else:
        sets = {"utilisation": rounded(target * gain, 2)}
    what = "whole run" if "utilisation" in sets else "steady state"
    share = sets.get("utilisation", rounded(target / typical * gain, 2))
    return [
        Candidate(
            "tuning",
            f"tune until the {what} uses {share} of the peak",
            sets=sets,
            detail=f"published runs of this kind reach {usual.value:.2g} "
            f"({usual.low:.2g} to {usual.high:.2g}) as a whole; one in "
            f"{1 / (1 - level.value):.0f} more than {rounded(target, 2)}"
            + (f"; {gain:g} times that at this precision" if gain != 1 else ""),
            caveat="it saves what you would otherwise not have reached; measure a short run first",
            sources=(usual.source,),
        )
    ]


def _at(usual: Figure, level: float, device_class: str) -> float:
    """The default utilisation at a level of its range."""
    unknown = f"assumption.utilisation.{device_class}"
    datum = Datum("utilisation", usual.value, usual.low, usual.high, unknown)
    return float(pick(datum, np.array([NormalDist().inv_cdf(level)]))[0])


def _speedup(now: Opened) -> float:
    """What the precision gains: a utilisation given is taken as it is, whatever the precision."""
    if now.ledger.given("utilisation"):
        return 1.0
    return float(now.ledger.middle.known["precision_speedup"])


def _steady(now: Opened, name: str, mfu: float) -> float:
    """The steady speed, in the terms it was given, that comes to an MFU."""
    return now.ledger.data[name].value * mfu / float(now.ledger.middle.known["mfu"])


def reserving(now: Opened) -> list[Candidate]:
    """Time reserved beyond what the work takes."""
    if now.several:
        raise NotOpenError("each entry of the fleet says its share or its hours")
    name = now.given(RESERVED)
    if name is None:
        raise NotOpenError("no more time is counted than the work takes")
    given = {other: raw for other, raw in now.plan.given.items() if other not in RESERVED}
    free = Opened(now.plan.replace(given=given), now.library, now.on)
    try:
        follows = free.by_work
    except JoulecastError:
        follows = False
    if not follows:
        raise NotOpenError(f"{name} were given, and not the work: --params and --tokens")
    needed = footprint_of(free.settled).quantities[name]
    if needed is None:
        raise NotOpenError("the number of devices is not known")
    levels = [rounded(level) for level in (needed.p5, needed.value, needed.p95)]
    return [
        Candidate(
            "reserving",
            "reserve no longer than the work takes",
            sets={name: "..".join(levels)},
            detail=f"{brief(now.ledger.data[name].value)} reserved",
            caveat="reserved hours are counted as busy, though idle devices draw less",
        )
    ]


def batching(now: Opened) -> list[Candidate]:
    """More requests served together."""
    if now.plan.use is None:
        raise NotOpenError("nothing was said of the use (--use-tokens 1T/year --use-years 3)")
    if now.on != LIFETIME:
        why = f"the use is no part of {now.on}: say how much and how long (--use-tokens, "
        raise NotOpenError(f"{why}--use-years)")
    use = now.settled.use
    assert use is not None
    full = now.library.default("use_batch").high
    assert full is not None
    return [
        Candidate(
            "batch",
            f"serve {full:g} requests together",
            use={"batch": f"{full:g}"},
            detail=f"{use.own['use_batch'].value:g} requests in flight so far",
            caveat="answers take longer each, and there must be so many to serve",
            sources=(now.library.default("use_memory_factor").source,),
        )
    ]
