"""A validation as the page docs/validation.md."""

from __future__ import annotations

import textwrap
from typing import Any

from joulecast._version import __version__
from joulecast.answers.transfer import DeviceValidation
from joulecast.answers.validation import Validation
from joulecast.report.words import two
from joulecast.validating import tables, transfer_text
from joulecast.validating.columns import Table

WRAP: Any = {"width": 100, "break_long_words": False, "break_on_hyphens": False}

HEAD = """\
# Validation: published runs, forecast blind

<!-- Made by `joulecast validate --write docs/validation.md`; edit the code, not this file. -->

"""


def page(
    validation: Validation, pictures: str = "pictures", devices: DeviceValidation | None = None
) -> str:
    """The page, with links to its pictures in a folder beside it, and how devices compare."""
    parts = [
        _summary(validation),
        METHODS,
        _results(validation, pictures),
        *([] if devices is None else [_devices(devices)]),
        _failures(validation),
        LIMITS,
        _tables(validation),
    ]
    blocks = "\n\n".join(parts).split("\n\n")
    return HEAD + "\n\n".join(_wrapped(block) for block in blocks) + "\n"


def _wrapped(block: str) -> str:
    """Lines of at most a hundred characters, except in headings, tables and pictures."""
    if block.startswith(("#", "|", "!")):
        return block
    if block.startswith("- "):
        items = [f"- {item}" for item in block[2:].split("\n- ")]
        return "\n".join(textwrap.fill(item, subsequent_indent="  ", **WRAP) for item in items)
    return textwrap.fill(block, **WRAP)


def _markdown(table: Table) -> str:
    head, *rows = table
    rule = "|".join("---" for _ in head)
    return "\n".join(
        [f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]
    )


def _summary(validation: Validation) -> str:
    hours, decoders = (validation.scores["hours"][name] for name in ("all", "decoders"))
    energy = validation.scores["energy"]
    blind, given = energy["blind, 1B parameters and more"], energy["true hours given"]
    naive = hours.baselines["naive"]
    in_80 = hours.hits[1]
    return f"""\
joulecast {__version__} forecasts {hours.runs} published training runs of {hours.families} families
again, each from what was known before it and with a default utilisation that never saw its family.
Device-hours come out with a typical factor of {hours.factor:.2f} and a median ratio of
{hours.median_ratio:.2f}, where the usual 6 N D over 40 % of the peak has {naive.factor:.2f} and
{naive.median_ratio:.2f}; for decoders the factor is {decoders.factor:.2f}
(naive {decoders.baselines["naive"].factor:.2f}). The 80 % prediction range held for
{in_80.hits:.1f} of {hours.families} families; {in_80.low} to {in_80.high} are what honest ranges
hold. Metered energy of models of a billion parameters and more has a typical factor of
{blind.factor:.2f} blind (naive {blind.baselines["naive"].factor:.2f}); with the true hours given,
all sizes have {given.factor:.2f}. {tables.verdict(validation)}: see [Failures](#failures)."""


METHODS = """\
## Methods

**Data.** The records of [published runs](reference/runs.md), with inputs apart from outcomes. Runs
with published device-hours, and FLOP that follow from counts or were reported, test hours; runs
whose power was metered test energy; runs whose emissions rest on metered energy test emissions.
Energies that are hours x a rated power test arithmetic alone ([accounting](#accounting)).

**Allowed inputs.** Parameters, active parameters, tokens, kind of model, device, device count,
sequence length, precision, place and year. Runs marked F take their reported FLOP, which do not
follow from parameters and tokens, and each the field it is of. Never the run's own utilisation,
hours, power, PUE or grid.

**Left out.** The default utilisation is fitted anew for each family of runs (same team, cluster
and code) without that family, coefficients and spread alike
([how](decisions/0018-devices-by-pairs.md)). So are the defaults for power that rest on meters
of runs: the devices of large jobs on Hopper, of small ones before Ampere, the hosts of TPUs
([how](method/energy.md#fitted-to-meters)). Other powers, PUE and grid are the shipped defaults. The
share of small jobs on Hopper was judged with the OLMo series in sight, so *blind, smaller* is a
check of consistency.

**Same scope.** Energy is compared as its meter saw it: the accelerators alone, or with the machine
around them, never with scale-out network. Where the published figure has cooling in it, it is
divided by the PUE published with it, so that no PUE is tested. Emissions are compared as
published, cooling included: there PUE and grid are those that the place gives, or the default. The
cluster of the OLMo runs is a known site, whose PUE its own team published.

**Scores.** The error is ln(forecast / reported). Each family weighs one. The forecast is the
nominal value; the typical factor is exp of the weighted mean of the absolute error, and the median
ratio is the weighted median. Ranges come from the 4,096 draws. *In 50 %* and so on are the
families inside the central range (of a family with several runs, the share of them), beside the
95 % window of the binomial distribution for as many families. PIT is the share of draws below the
reported figure, z its normal score. CRPS and the interval score of the 80 % range are of the
logarithm (Gneiting and Raftery 2007, doi:10.1198/016214506000001437); x/÷ is the half-width of the
80 % range as a factor.

**Baselines.** *Naive*: 6 x parameters used per token x tokens (or the FLOP reported), 40 % of the
dense 16-bit peak, rated power, PUE 1.1, the same grid as ours. *Pooled constant*: the median
utilisation of the other families. *Class medians*: by class of device and kind of model, each
pulled towards the pooled one as by one more family. The last two see the other families' runs as
the fit does, and use our FLOP and power."""


def _results(validation: Validation, pictures: str) -> str:
    parts = ["## Results"]
    headings = {"hours": "Device-hours", "magnitude": "Orders of magnitude"}
    for name, heading in {**headings, "energy": "Energy", "co2": "Emissions"}.items():
        parts += [
            f"### {heading}",
            *([MAGNITUDE] if name == "magnitude" else []),
            _markdown(tables.points(validation, name)),
            _markdown(tables.ranges(validation, name)),
            "Typical factors beside those of the baselines, median ratios in brackets:",
            _markdown(tables.baselines(validation, name)),
            *_beaten(validation, name),
        ]
        if name == "hours":
            parts += [
                f"![Forecast against reported]({pictures}/validation-forecasts.svg)",
                "*Forecast against reported; grey bands are ratios up to 1.5 and 2.*",
                f"![Calibration and PIT]({pictures}/validation-calibration.svg)",
                "*Share of families inside central ranges, and PIT; grey is what chance allows.*",
                BEFORE,
            ]
    return "\n\n".join([*parts, _knowing(validation), _gates(validation), _accounting(validation)])


MAGNITUDE = """\
Of 73 runs of other fields whose hours are published, the FLOP of seven follow from what their
sources say of sizes and data. They were never fitted and test the order of magnitude. The other
66, with what is missing of each, stand in [runs that could not be
counted](reference/runs-not-counted.md); chemistry, weather, games, robotics, speech, time series,
recommenders, three dimensions and reinforcement learning have no counted run at all."""

BEFORE = """\
**What the ranges were before.** Version 0.1.0 had a half-width of x/÷ 1.45 for decoders and 2.55
for the rest. On its own 74 runs 29.1 of 37 families lay inside 80 %, on 45 runs that the fit had
never seen 30 (31 to 41 would be honest), on the 29 found since 20. The widths here are the
largest that left-out families, classes of device, years, or later years by earlier ones ask
for."""


def _devices(found: DeviceValidation) -> str:
    return f"""\
## How devices compare

Tuned benchmark runs (MLPerf Training 3.0 to 6.0; derived, not verified by MLCommons) give the
hours of two devices in one round, task and count, per FLOP. Each submitter is left out of the fit
that forecasts it. *As shipped* takes the records of the devices, as `compare` does; the precision
of some entries is not settled by their logs, and those are not gated. Hours of pre-training are
forecast from batch and count after one common factor, watts of nodes from the utilisation they
reached. *Speeds of tables* are what makers and users print of training steps on Ascend, Trainium,
Instinct, Gaudi, GPU Max and GH200, by family of models; one factor for all tables and one for
mixtures of experts are fitted with them (not gated: a typical factor of 1.3 was the aim).

{_markdown(transfer_text.summary(found.summary))}

Speeds of tables by platform: how many of its families lie in the 80 % range of a run like theirs,
and what honest ranges would hold of so many. Left out, Ascend 910A and GPU Max are forecast 1.7
and 2.2 times too fast: first generations of a platform's software, too few to fit a factor.

{_markdown(transfer_text.platforms(found.platforms))}

Worked examples, hours of the newer over those of the older: mean of the rows, their range, the
fit to all entries, and the shipped records:

{_markdown(transfer_text.examples(found.examples))}

Published speeds of fine-tunes, by method, each family of tables (a publisher) left out of the fit
that forecasts it; packed, padded and full lengths alike. *Framework, batch not said* is what
somebody gets who says neither --framework nor --set pass_tokens=; *one step measured* is where
another row of the same family, device and method is known, as from the first minutes of a job:

{_markdown(transfer_text.fine_tunes(found.fine_tunes))}

{_markdown(tables.gates(found.gates))}

**Levels do not transfer.** Tuned stacks at full goodput keep about twice what whole jobs keep of
the same device: 0.63 of its tuned share at large steps, against 0.34. Nobody should feed a
benchmark's utilisation as `mfu` with a goodput of 0.90. Gaudi 2 over H100 is missed by a factor
1.2 to 1.5: one maker's entries of one task, and two rounds that disagree on its FP8. `joulecast
validate --benchmark` prints all pairs."""


def _beaten(validation: Validation, quantity: str) -> list[str]:
    """Where a baseline has the smaller typical factor."""
    cases = [
        f"{tables.BASELINE[name]} on *{group}*"
        for group, score in validation.scores[quantity].items()
        for name, point in score.baselines.items()
        if point.factor < score.factor
    ]
    return [f"Baselines that do better: {', '.join(cases)}."] if cases else []


def _knowing(validation: Validation) -> str:
    return f"""\
### What knowing more buys

The same runs with more and more of what was measured given, where it was published; energy and
emissions of runs of a billion parameters and more.

{_markdown(tables.gains(validation))}

A measured `mfu` buys more than any regression: an hour of profiling on the real cluster is the
cheapest way to a narrow range. Hours buy more than power; power without hours buys little here,
for the two errors partly cancel. Hours and power together are the energy itself. For
emissions the grid comes first."""


def _gates(validation: Validation) -> str:
    return f"""\
### Gates

What the numbers were to reach, fixed before this table was made.

{_markdown(tables.gates(validation.gates))}"""


def _accounting(validation: Validation) -> str:
    book = validation.accounting
    checked = [a for a in book if a.verdict in ("reproduced", "contradicts itself")]
    good = sum(a.verdict == "reproduced" for a in checked)
    lacking = sum(a.verdict == "lacks inputs" for a in book)
    ours = sum(a.verdict == "made by us" for a in book)
    wrong = [a for a in checked if a.verdict == "contradicts itself"]
    listed = "\n".join(
        f"- `{a.run}`: {a.figure} published {two(a.published)} {a.unit}, its own figures come to "
        f"{two(a.computed or 0)} ({100 * (a.off or 0):+.0f} %): {a.why}."
        for a in wrong
    )
    return f"""\
### Accounting

Given a run's own published hours, power, PUE and grid, the chain must come to its published energy
and emissions, within half a unit of the last published digit or 2 %. Of {len(book)} figures
{len(checked)} can be checked; {good} are reproduced, {len(wrong)} contradict what stands beside
them:

{listed}

{lacking} more lack an input that was never published, and {ours} were made by us from other figures
and prove nothing. The whole table: `joulecast validate --accounting`."""


def _failures(validation: Validation) -> str:
    listed = [
        f"- **{gate.name}**: {gate.value:.3g}, limit {tables.limit(gate)}. {gate.note}"
        for gate in validation.gates
        if not gate.passed
    ]
    return f"""\
## Failures

A gate that fails is published as failed, not tuned until it passes.

{chr(10).join(listed) or "None."}"""


LIMITS = """\
## Limits

- Published runs are not a sample of all runs: those who publish are the careful ones, and nobody
publishes a run that was given up. On Blackwell there are two, on TPU v5 or later and MI300X none.
- The form of the fit was chosen on these runs, so the authors had seen even the families left out.
Only runs kept aside can show how much that flatters.
- Metered energies are few, of a handful of teams, and most small models are of one. Coverage of
energy and emissions says little at that number.
- What is not a decoder is a mixed lot of few families, with a typical factor and a range to match.
- Emissions published as market-based have purchases of clean electricity taken off; a
location-based forecast cannot meet them."""


def _tables(validation: Validation) -> str:
    parts = [
        "## All forecasts",
        "*Inside* is the 80 % prediction range. F: the FLOP are those reported.",
    ]
    for (name, known), rows in tables.by_known(validation):
        parts += [f"### {tables.title(name, known)}", _markdown(tables.rows(rows))]
    return "\n\n".join(parts)
