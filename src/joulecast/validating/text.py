"""A validation in words and tables: for the terminal, and as the page docs/validation.md."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from joulecast._version import __version__
from joulecast.answers.validation import Account, Gate, Row, Score, Validation
from joulecast.report.words import two, wrapped
from joulecast.validating.columns import Table, aligned

QUANTITY = {
    "hours": "Device-hours",
    "energy": "Metered energy at the scope of the meter, without cooling",
    "co2": "Emissions from metered energy",
}
BASELINE = {
    "naive": "naive",
    "pooled_constant": "pooled constant",
    "class_medians": "class medians",
}


def text(validation: Validation) -> str:
    """Everything, in tables of aligned columns."""
    parts = []
    for (name, known), rows in _tables_of(validation):
        parts += [_title(name, known), _runs(rows)]
    parts.append("F: the FLOP are those reported, since parameters and tokens do not give them.")
    for name in validation.scores:
        parts += [
            f"{QUANTITY[name]}: summary",
            aligned(points_table(validation, name)),
            aligned(ranges_table(validation, name)),
            aligned(baselines_table(validation, name)),
        ]
    parts += ["What knowing more buys", aligned(gains_table(validation))]
    parts += ["Gates", aligned(gates_table(validation.gates)), _verdict(validation)]
    return "\n\n".join(parts)


def accounting_text(accounting: Sequence[Account]) -> str:
    """The accounting alone."""
    count = {
        verdict: sum(account.verdict == verdict for account in accounting)
        for verdict in dict.fromkeys(account.verdict for account in accounting)
    }
    tally = ", ".join(f"{number} {verdict}" for verdict, number in count.items())
    head, *rows = accounting_table(accounting)
    told = {
        i: wrapped(f"{verdict}: {why}" if why else verdict)
        for i, (*_, verdict, why) in enumerate(rows, 1)
        if why or verdict != "reproduced"
    }
    figures = [[*row[:-2], "" if i in told else row[-2]] for i, row in enumerate(rows, 1)]
    return f"{aligned([head[:-1], *figures], below=told)}\n\n{len(accounting)} figures: {tally}"


def _runs(rows: Sequence[Row]) -> str:
    """The runs, under a line for each kind of model and device."""
    head, *body = rows_table(rows)
    kinds = [row[1:3] for row in body]
    narrow = [[row[0], *(cell.replace(" million", "M") for cell in row[3:])] for row in body]
    heads = {
        i: ["", ", ".join(kind)]
        for i, kind in enumerate(kinds, 1)
        if i == 1 or kind != kinds[i - 2]
    }
    return aligned([[head[0], *head[3:]], *narrow], above=heads)


def _tables_of(validation: Validation) -> list[tuple[tuple[str, tuple[str, ...]], list[Row]]]:
    """Rows by quantity and what was given."""
    groups = groupby(validation.rows, lambda row: (row.quantity, row.known))
    return [(key, list(rows)) for key, rows in groups]


def _title(quantity: str, known: tuple[str, ...]) -> str:
    return f"{QUANTITY[quantity]}{', with ' + ' and '.join(known) + ' given' if known else ''}"


def _verdict(validation: Validation) -> str:
    failed = [gate for gate in validation.gates if not gate.passed]
    declared = sum(gate.ok for gate in failed)
    words = f"{len(validation.gates) - len(failed)} of {len(validation.gates)} gates pass"
    return f"{words}, {len(failed)} fail ({declared} as declared)" if failed else words


# Tables.


def rows_table(rows: Sequence[Row]) -> Table:
    """Each run: forecast, range, reported, ratio, inside or not."""
    unit = rows[0].unit
    table = [
        ["run", "kind", "device", f"forecast, {unit}", "80 % range", "reported", "ratio", "inside"]
    ]
    ordered = sorted(
        rows, key=lambda row: (row.run.before.arch, row.run.before.device or "", row.run.id)
    )
    for row in ordered:
        low, high = row.range(0.8)
        mark = " F" if row.run.before.needs_flop and not row.known else ""
        table.append(
            [
                row.run.id + mark,
                row.run.before.arch,
                row.run.before.device or "",
                two(row.predicted),
                f"{two(low)} to {two(high)}",
                two(row.reported),
                f"{row.predicted / row.reported:.2f}",
                "yes" if row.inside(0.8) else "no",
            ]
        )
    return table


def points_table(validation: Validation, quantity: str) -> Table:
    """Median ratio and typical factor of each group."""
    head = [
        "group", "runs", "families", "median ratio", "by row", "typical factor", "by row",
        "within 1.5x", "within 2x",
    ]  # fmt: skip
    return [head] + [
        [
            name,
            str(score.runs),
            str(score.families),
            f"{score.median_ratio:.2f}",
            f"{score.median_ratio_by_row:.2f}",
            f"{score.factor:.2f}",
            f"{score.factor_by_row:.2f}",
            _percent(score.within_1_5),
            _percent(score.within_2),
        ]
        for name, score in validation.scores[quantity].items()
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def ranges_table(validation: Validation, quantity: str) -> Table:
    """How well the ranges of each group held."""
    head = [
        "group", "in 50 %", "in 80 %", "in 90 %", "mean z", "sd z", "CRPS", "score of 80 %",
        "x/÷ of 80 %", "PIT in tenths",
    ]  # fmt: skip
    return [head] + [
        [
            name,
            *(f"{hits.hits:.1f} ({hits.low}-{hits.high})" for hits in score.hits),
            f"{score.mean_z:.2f}",
            "-" if score.families == 1 else f"{score.sd_z:.2f}",
            f"{score.crps:.3f}",
            f"{score.interval_score_80:.2f}",
            f"{score.half_width_80:.2f}",
            " ".join(f"{share:.1f}" for share in score.pit),
        ]
        for name, score in validation.scores[quantity].items()
    ]


def baselines_table(validation: Validation, quantity: str) -> Table:
    """Typical factors, with median ratios in brackets, beside those of the baselines."""
    head = ["group", "joulecast", *BASELINE.values()]
    return [head] + [
        [name, f"{score.factor:.2f} ({score.median_ratio:.2f})", *_baseline_cells(score)]
        for name, score in validation.scores[quantity].items()
    ]


def _baseline_cells(score: Score) -> list[str]:
    points = [score.baselines.get(name) for name in BASELINE]
    return ["-" if p is None else f"{p.factor:.2f} ({p.median_ratio:.2f})" for p in points]


def gains_table(validation: Validation) -> Table:
    """Typical factors of the same runs with more and more given."""
    words = {"hours": "device-hours", "energy": "energy", "co2": "emissions"}
    head = ["forecast of", "given", "runs", "families", "typical factor", "x/÷ of 80 %", "naive"]
    return [head] + [
        [
            words[gain.quantity],
            gain.known,
            str(gain.runs),
            str(gain.families),
            f"{gain.factor:.2f}",
            f"{gain.half_width_80:.2f}",
            f"{gain.naive_factor:.2f}",
        ]
        for gain in validation.gains
    ]


def gates_table(gates: Sequence[Gate]) -> Table:
    """Each gate, its number, its limit and whether it passes."""
    return [["gate", "value", "limit", ""]] + [
        [
            gate.name,
            f"{gate.value:.3g}",
            _limit(gate),
            _outcome(gate),
        ]
        for gate in gates
    ]


def _limit(gate: Gate) -> str:
    if isinstance(gate.limit, tuple):
        return f"{gate.limit[0]:g} to {gate.limit[1]:g}"
    return f"{gate.limit:.3g}"


def _outcome(gate: Gate) -> str:
    if gate.passed:
        return "pass"
    return "FAILS, as declared" if gate.ok else "FAILS"


def accounting_table(accounting: Sequence[Account]) -> Table:
    """Published energies and emissions beside what the run's own figures come to."""
    return [["run", "figure", "published", "computed", "off", "verdict", "why"]] + [
        [
            account.run,
            account.figure,
            f"{account.published:,g} {account.unit}",
            "-" if account.computed is None else f"{account.computed:,.4g}",
            "-" if account.off is None else f"{100 * account.off:+.1f} %",
            account.verdict,
            account.why,
        ]
        for account in accounting
    ]


def _markdown(table: Table) -> str:
    head, *rows = table
    rule = "|".join("---" for _ in head)
    return "\n".join(
        [f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]
    )


# The page.

WRAP: Any = {"width": 100, "break_long_words": False, "break_on_hyphens": False}

HEAD = """\
# Validation: published runs, forecast blind

<!-- Made by `joulecast validate --write docs/validation.md`; edit the code, not this file. -->

"""


def page(validation: Validation, pictures: str = "pictures") -> str:
    """The page, with links to its pictures in a folder beside it."""
    parts = [
        _summary(validation),
        METHODS,
        _results(validation, pictures),
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
all sizes have {given.factor:.2f}. {_verdict(validation)}: see [Failures](#failures)."""


METHODS = """\
## Methods

**Data.** The records of [published runs](reference/runs.md), with inputs apart from outcomes. Runs
with published device-hours, and FLOP that follow from counts or were reported, test hours; runs
whose power was metered test energy; runs whose emissions rest on metered energy test emissions.
Energies that are hours x a rated power test arithmetic alone ([accounting](#accounting)).

**Allowed inputs.** Parameters, active parameters, tokens, kind of model, device, device count,
sequence length, precision, place and year. Runs marked F take their reported FLOP, which do not
follow from parameters and tokens. Never the run's own utilisation, hours, power, PUE or grid.

**Left out.** The default utilisation is fitted anew for each family of runs (same team, cluster
and code) without that family, coefficients and spread alike
([how](decisions/0008-default-utilisation.md)). So are the defaults for power that rest on meters
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
    for name, title in (("hours", "Device-hours"), ("energy", "Energy"), ("co2", "Emissions")):
        parts += [
            f"### {title}",
            _markdown(points_table(validation, name)),
            _markdown(ranges_table(validation, name)),
            "Typical factors beside those of the baselines, median ratios in brackets:",
            _markdown(baselines_table(validation, name)),
            *_beaten(validation, name),
        ]
        if name == "hours":
            parts += [
                f"![Forecast against reported]({pictures}/validation-forecasts.svg)",
                "*Forecast against reported; grey bands are ratios up to 1.5 and 2.*",
                f"![Calibration and PIT]({pictures}/validation-calibration.svg)",
                "*Share of families inside central ranges, and PIT; grey is what chance allows.*",
            ]
    return "\n\n".join([*parts, _knowing(validation), _gates(validation), _accounting(validation)])


def _beaten(validation: Validation, quantity: str) -> list[str]:
    """Where a baseline has the smaller typical factor."""
    cases = [
        f"{BASELINE[name]} on *{group}*"
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

{_markdown(gains_table(validation))}

A measured `mfu` buys more than any regression: an hour of profiling on the real cluster is the
cheapest way to a narrow range. Hours buy more than power; power without hours buys little here,
for the two errors partly cancel. Hours and power together are the energy itself. For
emissions the grid comes first."""


def _gates(validation: Validation) -> str:
    return f"""\
### Gates

What the numbers were to reach, fixed before this table was made.

{_markdown(gates_table(validation.gates))}"""


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
        f"- **{gate.name}**: {gate.value:.3g}, limit {_limit(gate)}. {gate.note}"
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
publishes a run that was given up. Nothing here is on Blackwell, TPU v5 or later, or MI300X.
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
    for (name, known), rows in _tables_of(validation):
        parts += [f"### {_title(name, known)}", _markdown(rows_table(rows))]
    return "\n\n".join(parts)
