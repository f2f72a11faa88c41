"""What someone intends to train: Plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joulecast.data.prices import with_currency
from joulecast.data.reading import number, quantity, span
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.plan.fields import Said, perhaps, said, switch
from joulecast.plan.parts import (
    BasePrecision,
    Cooling,
    EmbodiedMode,
    FleetEntry,
    Framework,
    GridBasis,
    HydroEvaporation,
    Method,
    Phase,
    Precision,
    Recompute,
    StorageMedium,
    Use,
    count,
    depth,
    document,
    is_published,
    lengths,
    many,
    one,
    ratio,
    text,
    word,
)
from joulecast.terms import INPUTS, Arch, Field, input_term


def _known_quantities(raw: Any) -> dict[str, Any]:
    """Names must exist and values must read, whatever the plan is used for."""
    if not isinstance(raw, Mapping):
        raise InputError("given", raw, "must map names of quantities to values")
    for name, value in raw.items():
        if not is_published(str(name), value):
            span(input_term(str(name)), value)
    return dict(raw)


#: Utilisations that may have been divided by another peak.
_SHARES = ("mfu", "hfu", "mfu_fp8", "utilisation")

#: No matrix product is nearer to the peak than this; the device's own share is told later.
_MOST = 0.92


def _with_denominators(error: InputError, device: object) -> InputError:
    """The error of a utilisation above 1, with what the device's are also divided by."""
    if error.field not in _SHARES or not isinstance(device, str):
        return error
    # Imported here: a plan needs no tables but for this message.
    from joulecast.data.denominators import too_high
    from joulecast.data.library import Library

    try:
        share = quantity(error.field, error.value, "")
        record = Library.bundled().device(device).device
    except JoulecastError:
        return error
    eight = record.peak_tflops.get("fp8") if error.field == "mfu_fp8" else None
    why = too_high(record, share, _MOST, eight.value if eight else None) if share > 1 else ""
    return (
        InputError(error.field, error.value, f"{error.why}; {why}", error.choices) if why else error
    )


def _with_counted(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers in place of a counted model: what `model` and `model_from_torch` return.

    Of a count per sample, samples are what FLOP are told by.
    """
    count: Any = values.get("model")
    if not hasattr(count, "forward_flop_per_token"):
        return values
    values = {name: value for name, value in values.items() if name != "model"}
    given = dict(values.pop("given", None) or {})
    values.setdefault("params", count.params_total)
    if count.params_active < count.params_total:
        values.setdefault("active_params", count.params_active)
    if count.flop_unit == "sample" and values.get("samples") is not None:
        epochs = number("epochs", values.get("epochs") or 1)
        values["tokens"] = number("samples", values.pop("samples")) * epochs
    if count.flop_unit == "sample":
        values.setdefault("arch", "other")
    if count.params_trained is None:
        given.setdefault("forward_flop_per_token", count.forward_flop_per_token)
        return {**values, "given": given}
    values.setdefault("trainable_params", count.params_trained)
    if values.get("tokens") is None:
        why = "its FLOP are of what is trained: say of how many samples or tokens"
        raise InputError("model", "with frozen weights", why, ["samples=50_000", "tokens=1e9"])
    values["flop"] = count.train_flop_per_token * number("tokens", values["tokens"])
    return {**values, "given": given}


class Plan(Said):
    """A training run somebody plans: what is trained, on what, where, and what is known already.

    Counts may be numbers or text as people write them (``70e9`` or ``"70B"``).  `given` holds
    known quantities by name (docs/glossary.md): a number, text with a unit, (low, high) or
    (low, median, high).  Raises JoulecastError on anything that cannot be used.
    """

    model: str | None = said(text("model"), "a known model, a config.json, or what was counted")
    params: float | None = said(count("params", 1), "all weights of the model", "count")
    active_params: float | None = said(
        count("active_params", 1), "weights used per token (mixtures of experts)", "count"
    )
    trainable_params: float | None = said(
        count("trainable_params", 1), "weights that are trained, if not all (adapters)", "count"
    )
    method: Method | None = said(
        word("method"), "of fine-tuning: full, lora, qlora, prefix, head, dpo, grpo or ppo"
    )
    lora_rank: float | None = said(count("lora_rank", 1, whole=True), "rank of the adapters")
    lora_targets: str | None = said(
        text("lora_targets"), "modules that get adapters, such as q_proj,v_proj; all-linear"
    )
    base: str | None = said(text("base"), "the model that is tuned, where model is an adapter")
    base_precision: BasePrecision | None = said(
        word("base_precision"), "of the frozen weights: nf4, int8, bf16, ..."
    )
    framework: Framework | None = said(
        word("framework"), "of a fine-tune: tuned (own kernels), ordinary, or its name"
    )
    arch: Arch | None = said(word("arch"), "kind of model: dense, moe, encoder, enc-dec, ...")
    field: Field | None = said(
        word("field"), "language, images, biology or other; by the kind of model"
    )
    mtp_depth: int | None = said(depth, "tokens beyond the next that are predicted in training")
    tokens: float | None = said(
        count("tokens", 1), "training tokens processed, repeats counted", "count"
    )
    unique_tokens: float | None = said(
        count("unique_tokens", 1), "distinct tokens; times epochs", "count"
    )
    epochs: float | None = said(count("epochs"), "passes over the data")
    samples: float | None = said(count("samples", 1), "samples processed; times seq_len", "count")
    sample_tokens: float | None = said(
        count("sample_tokens", 1), "real tokens of a sample, padding left out", "tokens"
    )
    packing: bool | None = said(
        perhaps("packing"), "samples packed end to end (true) or padded (false)"
    )
    seq_len: int | str | None = said(lengths, "sequence length, or ENCODER:DECODER", "tokens")
    document_len: int | None = said(document, "length of a document packed in it", "tokens")
    flop: float | None = said(
        count("flop", unit="FLOP"), "training FLOP, in place of params x tokens", "FLOP"
    )
    hardware_flop: float | None = said(
        count("hardware_flop", unit="FLOP"), "FLOP with recomputation", "FLOP"
    )
    precision: Precision | None = said(word("precision"), "numbers of the matrix products; bf16")
    recompute: Recompute | None = said(
        word("recompute"), "activation recomputation: none, selective or full; none"
    )
    device: str | None = said(text("device"), "accelerator or cloud instance")
    device_count: float | None = said(
        count("device_count", 1, whole=True), "devices reserved at once", "count"
    )
    global_batch_tokens: float | None = said(
        count("global_batch_tokens", 1), "tokens of one optimiser step over all devices", "count"
    )
    region: str | None = said(text("region"), "country, state, grid zone, cloud region or site")
    provider: str | None = said(text("provider"), "whose data centre")
    year: float | None = said(count("year", 1, whole=True), "year of the run")
    grid_basis: GridBasis | None = said(word("grid_basis"), "life-cycle or direct; life-cycle")
    national_average: bool = said(
        switch("national_average"), "the country's mean, not the spread of its grids", default=False
    )
    hydro_evaporation: HydroEvaporation | None = said(
        word("hydro_evaporation"), "water of reservoirs: include or exclude; include"
    )
    cooling: Cooling | None = said(
        word("cooling"), "of the data centre: air, evaporative, dry, liquid or closed; unknown"
    )
    include_building: bool = said(
        switch("include_building"), "count the making of the data-centre building", default=False
    )
    embodied_mode: EmbodiedMode | None = said(
        word("embodied_mode"), "amortised by time reserved, or purchase; amortised"
    )
    storage_medium: StorageMedium | None = said(
        word("storage_medium"), "what storage_tb is kept on: hdd or ssd; hdd"
    )
    currency: str | None = said(text("currency"), "name of your currency, shown beside costs")
    runs: float | None = said(count("runs", 1, whole=True), "so many runs of the plan", "count")
    project_factor: Any = said(
        ratio, "whole project over the final run: lab, frontier, unknown, a number or a range"
    )
    only_given: bool = said(switch("only_given"), "add nothing that was not given", default=False)
    given: Mapping[str, Any] = said(_known_quantities, "quantities known, by name", default={})
    phases: tuple[Phase, ...] = said(
        many("phases", Phase, "phases"), "stretches of the run", default=()
    )
    use: Use | None = said(one(Use), "how the model is used once it is trained")
    fleet: tuple[FleetEntry, ...] = said(
        many("fleet", FleetEntry, "entries"), "devices of several types or places", default=()
    )

    # Written out so that type checkers let people pass text for numbers.
    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**with_currency(_with_counted(values)))
        except InputError as error:
            raise _with_denominators(error, values.get("device")) from None

    @classmethod
    def _unknown(cls, name: str) -> JoulecastError:
        if name in INPUTS:
            return UnknownNameError(name, None, "belongs in given", [f"given={{{name!r}: ...}}"])
        hint = nearest(name, [*cls.fields, *INPUTS])
        return UnknownNameError(name, None, "is not part of a plan", hint)

    @staticmethod
    def read(path: str | Path) -> Plan:
        """Read a plan file (TOML); raises PlanFileError naming the line that is wrong."""
        from joulecast.plan.file import read

        return Plan(**read(Path(path)))

    def save(self, path: str | Path) -> None:
        """Write what was asked as a plan file; never over a file that is there."""
        from joulecast.plan.file import save

        save(self.said(), Path(path))
