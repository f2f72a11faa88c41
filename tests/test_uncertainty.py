from __future__ import annotations

import bench_sample
import build_scores
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from joulecast import Library, Plan, uncertainty
from joulecast.arrays import Array
from joulecast.chain import chain
from joulecast.resolve import resolve
from joulecast.terms import INPUTS, TERMS, USED
from joulecast.uncertainty import COLUMNS, Z95, Datum, pick

BUNDLED = Library.bundled()

RANGES = {
    "log": ("device_power_w", 200.0, 500.0, 900.0),
    "logit": ("utilisation", 0.1, 0.3, 0.5),
    "log_excess": ("pue", 1.1, 1.25, 1.6),
    "linear": ("goodput", 0.66, 0.9, 1.0),
}


@pytest.mark.parametrize("scale", RANGES)
def test_scores_of_5_50_95_percent_give_low_value_high(scale: str) -> None:
    name, low, value, high = RANGES[scale]
    assert TERMS[name].scale == scale
    datum = Datum(name, value, low, high)
    assert pick(datum, np.array([-Z95, 0.0, Z95])) == pytest.approx([low, value, high])


@pytest.mark.parametrize("scale", RANGES)
@given(z=st.lists(st.floats(-6, 6), min_size=2, max_size=20))
def test_a_higher_score_never_gives_a_lower_value(scale: str, z: list[float]) -> None:
    name, low, value, high = RANGES[scale]
    picked = pick(Datum(name, value, low, high), np.sort(np.array(z)))
    assert np.all(np.diff(picked) >= 0)
    assert np.all(picked >= TERMS[name].lower) and np.all(picked <= TERMS[name].upper)


def test_an_exact_number_has_no_spread() -> None:
    assert set(pick(Datum("pue", 1.1), np.array([-2.0, 0.0, 2.0]))) == {1.1}


def test_every_quantity_that_can_be_given_has_its_column() -> None:
    # Factors of the FLOP rule and of the places are given as numbers, so they need one too.
    assert set(INPUTS) <= {*COLUMNS, *uncertainty.READ_AS}
    assert set(uncertainty.READ_AS.values()) <= set(COLUMNS)
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_the_shipped_table_is_what_its_builder_makes() -> None:
    assert np.array_equal(build_scores.table().astype(np.float64), uncertainty.scores())


def test_a_column_is_read_from_the_file_as_from_the_whole_table() -> None:
    assert uncertainty.scores().shape == (len(COLUMNS), uncertainty.DRAWS)
    names = [name for name in COLUMNS if name in TERMS]
    ledger = {name: Datum(name, 1, 0.9, 1.1, unknown=name) for name in names}
    for name, column in uncertainty.scores_of([ledger]).items():
        assert np.array_equal(column, uncertainty.scores()[COLUMNS.index(name)])


def test_adding_a_column_changes_no_other() -> None:
    few, more = build_scores.table(5), build_scores.table(9)
    assert np.array_equal(few, more[:5])


def test_columns_are_standard_normal_and_unrelated() -> None:
    names = [name for name in COLUMNS if name not in uncertainty.NORMAL_OF]
    table = uncertainty.scores()[[COLUMNS.index(name) for name in names]]
    assert abs(table.mean(axis=1)).max() < 0.001
    assert abs(table.std(axis=1) - 1).max() < 0.002
    used = [index for index, name in enumerate(names) if not name.startswith("idle")]
    related = np.asarray(np.corrcoef(table[used]))
    np.fill_diagonal(related, 0)
    assert abs(related).max() < 0.03


def test_longer_tails_are_those_of_student_at_the_same_draws() -> None:
    """Equal to the normal ones at 5, 50 and 95 %, SciPy's t with 4 degrees of freedom elsewhere."""
    table = uncertainty.scores().astype(np.float64)
    z95, t95 = stats.norm.ppf(0.95), stats.t.ppf(0.95, 4)
    assert pytest.approx((z95, t95), rel=1e-12) == (Z95, uncertainty.T95)
    for name, normal in uncertainty.NORMAL_OF.items():
        scores = table[COLUMNS.index(normal)]
        tailed = stats.t.ppf(stats.norm.cdf(scores), 4) * z95 / t95
        expected = np.clip(tailed, -uncertainty.FARTHEST, uncertainty.FARTHEST)
        assert table[COLUMNS.index(name)] == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert uncertainty.heavy_tailed(scores) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    ends = uncertainty.heavy_tailed(np.array([-z95, 0.0, z95, 40.0]))
    assert ends == pytest.approx([-z95, 0.0, z95, uncertainty.FARTHEST])


def test_a_heavy_tailed_default_keeps_its_ends_and_narrows_the_middle() -> None:
    """5 % and 95 % points are those of the record; the 80 % range is narrower than a normal's."""
    levels = (0.3, 0.2, 0.4)
    default = Datum("utilisation", *levels, unknown="assumption.utilisation.hopper")
    given = Datum("utilisation", *levels, unknown="given.utilisation")
    (one,), (other,) = ([uncertainty.sample({"utilisation": d})["utilisation"]] for d in (default, given))  # fmt: skip
    found, normal = uncertainty.quantiles(np.array([one, other]))
    assert found[[0, 2, 4]] == pytest.approx([0.2, 0.3, 0.4], rel=5e-3)
    assert normal[[0, 2, 4]] == pytest.approx([0.2, 0.3, 0.4], rel=5e-3)
    assert np.log(found[3] / found[1]) < 0.95 * np.log(normal[3] / normal[1])


def power(unknown: str) -> dict[str, Datum]:
    return {"device_power_w": Datum("device_power_w", 500, 400, 600, unknown=unknown)}


def related(one: str, two: str, role: str = "device_power_w") -> float:
    data = [{role: Datum(role, 0.3, 0.2, 0.4, unknown=name)} for name in (one, two)]
    drawn = [np.log(np.asarray(numbers[role])) for numbers in uncertainty.paired(data)]
    return float(np.corrcoef(*drawn)[0, 1])


def test_options_share_the_unknowns_they_both_name_and_no_others() -> None:
    assert related("h100-sxm.power", "h100-sxm.power") == pytest.approx(1)
    assert abs(related("h100-sxm.power", "b200-sxm.power")) < 0.05


@pytest.mark.parametrize("common", [0.0, 0.5, 0.8])
def test_what_is_the_jobs_of_two_unknowns_of_utilisation_is_shared(common: float) -> None:
    """Of the normal scores: those with longer tails are related a little less."""
    role, name = "utilisation", "assumption.utilisation"
    data = [
        {role: Datum(role, 0.3, 0.2, 0.4, unknown=f"{name}.{device}", common=common)}
        for device in ("h100-sxm", "a100-sxm-80")
    ]
    one, two = (np.log(np.asarray(numbers[role])) for numbers in uncertainty.paired(data))
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(common, abs=0.05)
    assert related(f"{name}.h100-sxm", f"{name}.h100-sxm", role) == pytest.approx(1)


def test_the_jobs_part_follows_from_what_is_the_devices_own() -> None:
    """1 - (own / scale)^2 with the own parts of share and software (docs/decisions/0011)."""
    data = resolve(Plan(params=7e9, tokens=1e12, device="h100-sxm", year=2025), BUNDLED).only.data
    datum = data["utilisation"]
    assert datum.low is not None and datum.high is not None
    scale = np.log(datum.high / datum.low) / (2 * uncertainty.T95)
    assert datum.common == pytest.approx(1 - (0.11**2 + 0.10**2) / scale**2)


def test_draws_of_an_unknown_follow_from_its_name_alone() -> None:
    """Neither the order of the options nor a third one changes what two were drawn."""
    one, two, three = (power(name) for name in ("h100-sxm.power", "b200-sxm.power", "tpu-v4.power"))
    first, second = uncertainty.paired([one, two])
    again, _, before = uncertainty.paired([two, three, one])
    assert np.array_equal(first["device_power_w"], before["device_power_w"])
    assert np.array_equal(second["device_power_w"], again["device_power_w"])
    assert np.median(first["device_power_w"]) == pytest.approx(500, rel=2e-3)


def test_what_two_options_share_cancels_between_them() -> None:
    """The same model on the same device in two places: only the grids differ, so the ratio of
    the totals is far surer than either; drawn apart, it would not be."""
    library = Library.bundled()
    plans = [
        Plan(params=7e9, tokens=1e12, device="a100-sxm-80", region=region, year=2024)
        for region in ("de", "pl")
    ]
    ledgers = [resolve(plan, library).only.ordered() for plan in plans]
    one, two = (
        np.asarray(chain(numbers).known["total_kgco2e"]) for numbers in uncertainty.paired(ledgers)
    )
    spread = np.log(one).std()
    assert np.log(one / two).std() < 0.6 * spread
    assert np.log(one / np.roll(two, 997)).std() > 1.2 * spread


def test_quantiles_of_a_known_distribution() -> None:
    normal = uncertainty.scores()[0]
    expected = [-1.6448536, -1.2815516, 0, 1.2815516, 1.6448536]
    assert uncertainty.quantiles(normal) == pytest.approx(expected, abs=2e-3)


def test_shares_of_a_product_are_its_log_variances() -> None:
    """ln(total) of lognormal factors: each share is its sigma squared over the sum, exactly."""
    nodes, _ = uncertainty._nodes()
    sigmas = np.array([0.5, 0.3, 0.1])
    rows = np.exp(sigmas[:, None] * nodes[None, :])
    shares = uncertainty.shares_of_variance(rows)
    assert shares == pytest.approx(sigmas**2 / (sigmas**2).sum(), rel=1e-9)


@pytest.fixture(scope="module")
def errors() -> dict[str, Array]:
    plans = bench_sample.PLACE_KNOWN | bench_sample.PLACE_UNKNOWN
    return dict(zip(plans, bench_sample.errors(plans.values()), strict=True))


@pytest.mark.parametrize(
    ("plan", "middle", "ends"),
    [(plan, 0.01, 0.025) for plan in bench_sample.PLACE_KNOWN]
    + [(plan, 0.02, 0.04) for plan in bench_sample.PLACE_UNKNOWN],
)
def test_the_table_is_as_good_as_two_million_draws(
    errors: dict[str, Array], plan: str, middle: float, ends: float
) -> None:
    """P50 within 1 % (2 % without a place), P5 and P95 within 2 % (4 %) of plain Monte Carlo."""
    p5, _, p50, _, p95 = abs(errors[plan])
    assert p50 < middle
    assert max(p5, p95) < ends


def test_whatever_can_be_given_as_a_range_has_a_column() -> None:
    assert {*INPUTS, *USED} <= {*COLUMNS, *uncertainty.READ_AS}
