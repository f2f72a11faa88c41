"""The shapes of the JSON joulecast prints; the schemas in schemas/ are made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import WithJsonSchema

# Not typing.TypedDict: pydantic reads that one from Python 3.12 on.
from typing_extensions import TypedDict


class QuantityObject(TypedDict):
    """A result with the levels of its prediction range."""

    value: float
    p5: float
    p10: float
    p50: float
    p90: float
    p95: float
    unit: str


class PartsObject(TypedDict):
    """Where the emissions come from; null where only a later stage was given."""

    device: QuantityObject | None
    host: QuantityObject | None
    network: QuantityObject | None
    cooling: QuantityObject | None
    embodied: QuantityObject | None


class EmbodiedPartsObject(TypedDict):
    """What the making is of; building is 0 unless it was asked for."""

    device: QuantityObject | None
    host: QuantityObject | None
    network: QuantityObject | None
    building: QuantityObject | None


class ProjectPartsObject(TypedDict):
    """What is around the run; null where no share was given for it."""

    search: QuantityObject | None
    ablations: QuantityObject | None
    failed_runs: QuantityObject | None
    evaluation: QuantityObject | None
    data_preparation: QuantityObject | None
    post_training: QuantityObject | None


class ResultsObject(TypedDict):
    """Every result; null where it cannot be known."""

    training_flop: QuantityObject | None
    executed_flop: QuantityObject | None
    eu_training_compute_flop: QuantityObject | None
    utilisation: QuantityObject | None
    device_hours: QuantityObject | None
    wall_clock_days: QuantityObject | None
    device_energy_kwh: QuantityObject | None
    host_energy_kwh: QuantityObject | None
    it_energy_kwh: QuantityObject | None
    energy_kwh: QuantityObject | None
    operational_kgco2e: QuantityObject | None
    embodied_kgco2e: QuantityObject | None
    total_kgco2e: QuantityObject | None
    project_kgco2e: QuantityObject | None
    water_onsite_l: QuantityObject | None
    water_offsite_l: QuantityObject | None
    water_l: QuantityObject | None
    market_kgco2e: QuantityObject | None
    offsets_kgco2e: QuantityObject | None
    device_cost: QuantityObject | None
    electricity_cost: QuantityObject | None
    ewaste_kg: QuantityObject | None
    storage_energy_kwh: QuantityObject | None
    storage_kgco2e: QuantityObject | None
    transfer_energy_kwh: QuantityObject | None
    transfer_kgco2e: QuantityObject | None
    parts_kgco2e: PartsObject
    embodied_parts_kgco2e: EmbodiedPartsObject
    project_parts_kgco2e: ProjectPartsObject


class AssumptionObject(TypedDict):
    """A number the answer rests on."""

    name: str
    unknown: str
    value: float
    low: float | None
    high: float | None
    unit: str
    basis: Literal["published", "measured", "derived", "assumed", "given"]
    source: str
    read: Literal["primary", "secondary", "recalled"]
    given: bool
    flag: str
    note: str


class CrossCheckObject(TypedDict):
    """A given number beside the one the other inputs imply."""

    name: str
    given: float
    implied: float
    ratio: float


class DriverObject(TypedDict):
    """An input's share of the log-variance of the total."""

    name: str
    share: float


class BarObject(TypedDict):
    """What one input does to the outcome; all but its own P10 and P90 are over the nominal."""

    name: str
    unit: str
    share: float
    p10: float
    p90: float
    at_p10: float
    at_p90: float
    known_p10: float
    known_p90: float
    spread_if_known: float


class WarningObject(TypedDict):
    """A warning of the closed table."""

    code: str
    message: str


class HandObject(TypedDict):
    """One key press of the By-hand block."""

    operator: Literal["", "x", "/", "+"]
    factor: float
    meaning: str
    result: float | None
    result_unit: str | None


class ProvenanceObject(TypedDict):
    """Versions of the package and of its data."""

    joulecast: str
    data: str


class PlanObject(TypedDict):
    """The plan as it was understood."""

    model: str | None
    arch: str
    params: float | None
    active_params: float | None
    trainable_params: float | None
    tokens: float | None
    unique_tokens: float | None
    epochs: float | None
    samples: float | None
    seq_len: int | str | None
    document_len: int | None
    mtp_depth: int
    recompute: Literal["none", "selective", "full"]
    phases: list[dict[str, Any]]
    device: str | None
    device_name: str | None
    instance: str | None
    device_count: int | None
    precision: str | None
    region: str | None
    region_name: str | None
    country: str | None
    zone: str | None
    provider: str | None
    year: int
    grid_basis: Literal["life-cycle", "direct"]
    hydro_evaporation: Literal["include", "exclude"]
    include_building: bool
    embodied_mode: Literal["amortised", "purchase"]
    currency: str | None
    storage_medium: Literal["hdd", "ssd"] | None
    runs: int
    only_given: bool


class UsePlanObject(TypedDict):
    """What the use was computed for."""

    device: str
    device_count: int
    device_memory_gb: float
    precision: str
    region: str | None
    year: int | None


class UseResultsObject(TypedDict):
    """What a token, a request and a year of use take; null where it rests on what was not given."""

    device_energy_per_output_token_j: QuantityObject
    energy_per_output_token_j: QuantityObject
    energy_per_prompt_token_j: QuantityObject
    energy_per_request_wh: QuantityObject
    emissions_per_output_token_mgco2e: QuantityObject | None
    emissions_per_request_gco2e: QuantityObject | None
    requests_per_year: QuantityObject | None
    energy_per_year_kwh: QuantityObject | None
    operational_per_year_kgco2e: QuantityObject | None
    energy_over_years_kwh: QuantityObject | None
    operational_over_years_kgco2e: QuantityObject | None
    break_even_days: QuantityObject | None
    serving_ratio: QuantityObject | None


class UsePartsObject(TypedDict):
    """Joules of the devices per generated token, by what they are for."""

    weights: QuantityObject
    cache: QuantityObject
    arithmetic: QuantityObject
    waiting: QuantityObject


class UseSizeObject(TypedDict):
    """The same use, and training on the same tokens, of a model of another size."""

    params: float
    devices: float
    energy_per_output_token_j: float
    training_total_kgco2e: float | None
    operational_per_year_kgco2e: float | None
    break_even_days: float | None


class UseObject(TypedDict):
    """The use of the model once it is trained; no figure of `results` holds any of it."""

    plan: UsePlanObject
    results: UseResultsObject
    parts_j_per_output_token: UsePartsObject
    by_size: list[UseSizeObject]
    assumptions: list[AssumptionObject]
    driven: str
    drivers: list[DriverObject]


class FleetEntryObject(TypedDict):
    """One type of device of a fleet, at one place; `hours` are of one device."""

    device: str
    device_name: str
    device_count: int | None
    share: float | None
    hours: float | None
    region: str | None
    results: ResultsObject


class EstimateObject(TypedDict):
    """What `joulecast estimate --json` prints."""

    schema_version: Literal[1]
    asked: dict[str, Any]
    plan: PlanObject
    results: ResultsObject
    assumptions: list[AssumptionObject]
    cross_checks: list[CrossCheckObject]
    drivers: list[DriverObject]
    warnings: list[WarningObject]
    by_hand: list[HandObject]
    provenance: ProvenanceObject
    fleet: NotRequired[list[FleetEntryObject]]
    tornado: NotRequired[list[BarObject]]
    use_phase: NotRequired[UseObject]


class FindingObject(TypedDict):
    """A contradiction in a file that was checked."""

    code: str
    line: int
    stated: str
    follows: str
    cause: str


class ReadingObject(TypedDict):
    """A figure read of a file that was checked."""

    name: str
    value: float
    unit: str
    shown: str
    line: int


CheckObject = TypedDict(
    "CheckObject",
    {
        "schema_version": Literal[1],
        "path": str,
        "pass": bool,
        "findings": list[FindingObject],
        "readings": list[ReadingObject],
        "provenance": ProvenanceObject,
    },
)
CheckObject.__doc__ = "What `joulecast check --json` prints."


class ExplanationObject(TypedDict):
    """One input that alone would reproduce a measurement."""

    name: str
    unit: str
    assumed: float
    needed: float
    score: float
    flag: str
    within: bool


class ComparedObject(TypedDict):
    """A result beside its measurement; `of` is the quantity of the forecast."""

    name: str
    of: str
    measured: float
    forecast: QuantityObject
    inside: bool
    level: float
    explanations: list[ExplanationObject]


class ToldObject(TypedDict):
    """An input that the measurement tells; `score` is null beyond its range or where exact."""

    name: str
    unit: str
    assumed: float
    measured: float
    score: float | None
    flag: str


class MeasuredObject(TypedDict):
    """What `joulecast compare PLAN emissions.csv --json` prints."""

    schema_version: Literal[1]
    run: str
    inside: bool
    results: list[ComparedObject]
    told: list[ToldObject]
    provenance: ProvenanceObject


class OptionObject(TypedDict):
    """One option of a comparison; `ratio_to_first` is null where the first's outcome is zero."""

    label: str
    differs: dict[str, str | float | bool | None]
    results: ResultsObject
    ratio_to_first: QuantityObject | None
    probability_lowest: float
    warnings: list[WarningObject]


class ChangeObject(TypedDict):
    """The one field whose change from the first option saves most on average."""

    field: str
    value: str | float | bool | None
    option: str
    saving: QuantityObject
    probability_lower: float


class CompareObject(TypedDict):
    """What `joulecast compare --json` prints."""

    schema_version: Literal[1]
    on: str
    options: list[OptionObject]
    best_change: ChangeObject | None
    warnings: list[WarningObject]
    provenance: ProvenanceObject


class AdvisedObject(TypedDict):
    """One change: `options` make it, `value` is the nominal outcome with it, in the unit of `on`.

    `saving` is drawn in pairs with the plan as it is; changes are ranked by `expected_saving`, its
    mean.  `ratio` is null where the outcome is zero.
    """

    kind: str
    change: str
    options: list[str]
    value: float
    saving: QuantityObject
    expected_saving: float
    ratio: QuantityObject | None
    probability_lower: float
    effects: list[str]
    detail: str
    caveat: str
    sources: list[str]
    extrapolated: bool
    results: ResultsObject
    warnings: list[WarningObject]


class NowObject(TypedDict):
    """The plan as it is."""

    outcome: QuantityObject
    results: ResultsObject
    warnings: list[WarningObject]


class NotOpenObject(TypedDict):
    """A kind of change that is not open to the plan, and why."""

    kind: str
    why: str


class SourceObject(TypedDict):
    """A source of a target or a caveat."""

    key: str
    text: str


class AdviceObject(TypedDict):
    """What `joulecast advise --json` prints; `together` is null where fewer than two kinds help."""

    schema_version: Literal[1]
    on: str
    now: NowObject
    changes: list[AdvisedObject]
    together: AdvisedObject | None
    would_not_help: list[AdvisedObject]
    not_open: list[NotOpenObject]
    citations: list[SourceObject]
    provenance: ProvenanceObject


class SolvedObject(TypedDict):
    """What was solved for."""

    name: Literal["params", "tokens", "device_count", "grid_gco2e_per_kwh", "pue"]
    value: float
    unit: str


class BudgetObject(TypedDict):
    """A limit, and what the outcome comes to at the answer, at the confidence asked for."""

    name: str
    limit: float
    reached: float
    unit: str
    binds: bool


class SolveObject(TypedDict):
    """What `joulecast solve --json` prints."""

    schema_version: Literal[1]
    solution: SolvedObject
    confidence: float | None
    budgets: list[BudgetObject]
    note: str
    at: EstimateObject


class QuestionObject(TypedDict):
    """What `optimum` was asked; budgets by result, in its unit."""

    asked: Literal["flop", "max", "loss", "size"]
    flop: float | None
    loss: float | None
    params: float | None
    tokens: float | None
    max: dict[str, float] | None
    demand_tokens: float | None
    serving_ratio: float | None
    unique_tokens: float | None
    experts: int | None
    confidence: float | None
    law: str


class ChoiceObject(TypedDict):
    """A size and its data, with what they cost; null where it cannot be known or was not asked."""

    params: QuantityObject | None
    tokens: QuantityObject | None
    tokens_per_param: QuantityObject | None
    epochs: QuantityObject | None
    training_flop: QuantityObject | None
    loss: QuantityObject | None
    perplexity: QuantityObject | None
    energy_kwh: QuantityObject | None
    total_kgco2e: QuantityObject | None
    serving_kgco2e: QuantityObject | None
    lifetime_kgco2e: QuantityObject | None


class FlatnessObject(TypedDict):
    """Compute over the least, at equal loss, with another split."""

    tokens_per_param_factor: float
    training_flop_ratio: float


class MixtureObject(TypedDict):
    """What a mixture of experts saves."""

    experts: int
    flop_saving: float
    extrapolated: bool


class OptimumObject(TypedDict):
    """What `joulecast optimum --json` prints."""

    schema_version: Literal[1]
    question: QuestionObject
    plan: PlanObject
    optimum: ChoiceObject
    compute_optimal: ChoiceObject | None
    lifetime_saving: QuantityObject | None
    training_flop_ratio: QuantityObject | None
    tokens_per_param_by_law: dict[str, float]
    tokens_per_param_by_data: QuantityObject
    flatness: list[FlatnessObject]
    mixture: MixtureObject | None
    assumptions: list[AssumptionObject]
    warnings: list[WarningObject]
    provenance: ProvenanceObject


class CountedPart(TypedDict):
    """A part of a counted architecture."""

    params: float
    forward_flop_per_token: float


class ModelObject(TypedDict):
    """What `joulecast model --json` prints."""

    schema_version: Literal[1]
    params_total: float
    params_active: float
    forward_flop_per_token: float
    train_flop_per_token: float
    flop_per_6n: float
    flop_unit: Literal["token", "decoder_token", "image_token", "sample"]
    breakdown: dict[str, CountedPart]
    warnings: list[WarningObject]
    seq_len: str
    attention: Literal["causal", "full"]


#: A row of a sweep: what was varied, then the columns of each result.
SweepRow = Annotated[
    dict[str, float | str | bool | None],
    WithJsonSchema(
        {
            "type": "object",
            "title": "SweepRow",
            "description": "What was varied, and each result's value and prediction range.",
            "patternProperties": {"_(value|p10|p50|p90)$": {"type": ["number", "null"]}},
            "additionalProperties": {"type": ["number", "string", "boolean"]},
        }
    ),
]


class GuessesObject(TypedDict):
    """Point forecasts of the baselines; null where one says nothing of the figure."""

    naive: float | None
    pooled_constant: float | None
    class_medians: float | None


class ValidationRow(TypedDict):
    """A published figure of a run beside its forecast; `known` was given besides the inputs."""

    run: str
    family: str
    quantity: Literal["hours", "energy", "co2"]
    known: list[str]
    arch: str
    device: str
    device_class: str
    unit: str
    predicted: float
    p10: float
    p90: float
    reported: float
    ratio: float
    inside_50: bool
    inside_80: bool
    inside_90: bool
    pit: float
    baselines: GuessesObject


class HitsObject(TypedDict):
    """Families inside a central range, and the 95 % window of honest ones."""

    nominal: float
    hits: float
    low: int
    high: int


class PointObject(TypedDict):
    """How good a baseline's point forecasts were."""

    median_ratio: float
    factor: float
    factor_by_row: float


class PointsObject(TypedDict):
    """The baselines on the same rows; null where one does not forecast all of them."""

    naive: PointObject | None
    pooled_constant: PointObject | None
    class_medians: PointObject | None


class ScoreObject(TypedDict):
    """How good the forecasts of a group were; families weigh one unless it says by row."""

    runs: int
    families: int
    median_ratio: float
    median_ratio_by_row: float
    factor: float
    factor_by_row: float
    within_1_5: float
    within_2: float
    hits: list[HitsObject]
    pit: list[float]
    mean_z: float
    sd_z: float | None
    crps: float
    interval_score_80: float
    half_width_80: float
    baselines: PointsObject


class GainObject(TypedDict):
    """The same runs forecast with something more known of them."""

    quantity: Literal["hours", "energy", "co2"]
    known: str
    runs: int
    families: int
    factor: float
    half_width_80: float
    naive_factor: float


class AccountObject(TypedDict):
    """A published figure beside what the run's own other figures come to."""

    run: str
    figure: Literal["energy", "co2"]
    unit: str
    published: float
    computed: float | None
    verdict: Literal["reproduced", "contradicts itself", "lacks inputs", "made by us"]
    why: str
    off: float | None


class SummaryObject(TypedDict):
    """Scores by quantity and group, what knowing more buys, and the accounting."""

    hours: dict[str, ScoreObject]
    energy: dict[str, ScoreObject]
    co2: dict[str, ScoreObject]
    knowing_more: list[GainObject]
    accounting: list[AccountObject]


# `pass` is a word of Python: only this form can name it.
GateObject = TypedDict(
    "GateObject",
    {
        "name": str,
        "value": float,
        "limit": float | list[float],
        "pass": bool,
        "declared": bool,
        "note": str,
    },
)


class ValidationObject(TypedDict):
    """What `joulecast validate` prints."""

    schema_version: int
    fit: Literal["family left out", "shipped"]
    rows: list[ValidationRow]
    summary: SummaryObject
    gates: list[GateObject]
    provenance: ProvenanceObject
