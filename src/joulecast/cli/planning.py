"""The flags that say a plan, written once for all commands that take one."""

# No postponed annotations here: Typer would evaluate each one again at every start.
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from joulecast.errors import InputError

if TYPE_CHECKING:
    from joulecast.data.library import Library
    from joulecast.plan import Plan

Specs = Annotated[
    Path | None,
    typer.Option(envvar="JOULECAST_SPECS", help="Folder with records of your own.", metavar="DIR"),
]


def library(specs: Path | None) -> "Library":
    """The package's data, with a folder of the user's over it if one was named."""
    from joulecast.data.library import Library

    return Library.bundled() if specs is None else Library.with_folder(specs)


def complete_devices(incomplete: str) -> list[str]:
    """Ids of devices and cloud instances, for the shell."""
    tables = library(None)
    return _starting(incomplete, [*tables.device_ids, *tables.instance_ids])


def complete_regions(incomplete: str) -> list[str]:
    """Ids of places, for the shell."""
    return _starting(incomplete, library(None).place_ids())


def complete_models(incomplete: str) -> list[str]:
    """Ids of known models and plan files here, for the shell."""
    files = [str(path) for path in sorted(Path().glob("*.toml"))]
    return _starting(incomplete, [*library(None).model_ids, *files])


def complete_quantities(incomplete: str) -> list[str]:
    """Names for --set, for the shell."""
    from joulecast.terms import INPUTS

    return _starting(incomplete, [f"{name}=" for name in INPUTS])


def _starting(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


Target = Annotated[
    str | None,
    typer.Argument(
        help="A known model, a config.json or its folder, or a plan file (.toml).",
        autocompletion=complete_models,
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="Known models, config.json files or plan files (.toml).",
        autocompletion=complete_models,
    ),
]


Vary = Annotated[
    list[str] | None,
    typer.Option(
        help="What to vary: A,B,C, lin:LOW:HIGH:N, log:LOW:HIGH:N, all or @file; repeatable.",
        metavar="NAME=VALUES",
    ),
]
Max = Annotated[
    list[str] | None,
    typer.Option(
        "--max",
        metavar="BUDGET=LIMIT",
        help="total, operational, embodied, energy, hours, days, water, flop or a result.",
    ),
]
Confidence = Annotated[
    str | None,
    typer.Option(
        metavar="P", help="Percent sure that the budget holds; without it, for the nominal run."
    ),
]
Format = Annotated[str, typer.Option("--format", help="text or json.")]
AsJson = Annotated[bool, typer.Option("--json", help="Short for --format json.")]


DocumentLen = Annotated[
    str | None,
    typer.Option(
        help="Tokens in a document, where a sequence packs several, masked from each other.",
        metavar="L",
    ),
]
MtpDepth = Annotated[
    str | None,
    typer.Option(help="Depth of multi-token prediction: tokens beyond the next.", metavar="N"),
]


def plan_flags(
    params: Annotated[
        str | None, typer.Option(help="All weights of the model, such as 7B.")
    ] = None,
    active_params: Annotated[
        str | None, typer.Option(help="Weights used per token (mixtures of experts).")
    ] = None,
    trainable_params: Annotated[
        str | None, typer.Option(help="Weights that are trained, if not all (adapters).")
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            help="dense, moe, encoder, enc-dec, vision, diffusion, speech, recurrent, ssm or other."
        ),
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(help="Tokens processed, repeats counted, such as 1.5T.")
    ] = None,
    unique_tokens: Annotated[
        str | None, typer.Option(help="Distinct tokens; times --epochs.")
    ] = None,
    epochs: Annotated[str | None, typer.Option(help="Passes over the data.")] = None,
    samples: Annotated[str | None, typer.Option(help="Samples processed; times --seq-len.")] = None,
    seq_len: Annotated[
        str | None,
        typer.Option(help="Sequence length in tokens.", metavar="L|ENC:DEC"),
    ] = None,
    document_len: DocumentLen = None,
    mtp_depth: MtpDepth = None,
    flop: Annotated[
        str | None, typer.Option(help="Training FLOP, such as 3.2e24, in place of params x tokens.")
    ] = None,
    hardware_flop: Annotated[
        str | None,
        typer.Option(help="FLOP with recomputation; say how much with --recompute."),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="bf16 (assumed), fp16, fp8, fp4, tf32 or fp32.")
    ] = None,
    recompute: Annotated[
        str | None, typer.Option(help="Activation recomputation: none (assumed), selective, full.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Accelerator or cloud instance: list devices, list instances.",
            autocompletion=complete_devices,
        ),
    ] = None,
    device_count: Annotated[str | None, typer.Option(help="Devices reserved at once.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="Country, state, grid zone, cloud region or site: list regions.",
            autocompletion=complete_regions,
        ),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Whose data centre: list providers.")] = None,
    year: Annotated[str | None, typer.Option(help="Year of the run.")] = None,
    grid_basis: Annotated[str | None, typer.Option(help="life-cycle (assumed) or direct.")] = None,
    national_average: Annotated[
        bool, typer.Option(help="The country's mean, not the spread of its grids.")
    ] = False,
    hydro_evaporation: Annotated[
        str | None,
        typer.Option(help="Water of reservoirs in off-site water: include (assumed) or exclude."),
    ] = None,
    include_building: Annotated[
        bool, typer.Option(help="Count the making of the data-centre building too.")
    ] = False,
    embodied_mode: Annotated[
        str | None,
        typer.Option(help="amortised (assumed): by time reserved; purchase: all of each device."),
    ] = None,
    storage_medium: Annotated[
        str | None,
        typer.Option(help="What storage_tb is kept on: hdd (assumed) or ssd."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Name of your currency, shown beside costs.")
    ] = None,
    runs: Annotated[str | None, typer.Option(help="So many runs of the plan (a sweep).")] = None,
    project_factor: Annotated[
        str | None,
        typer.Option(
            help="Whole project over the final run, on a line of its own: lab, frontier, unknown, "
            "a number or a range."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any quantity: VALUE, LOW..HIGH or LOW..MID..HIGH, with a unit if you like.",
            autocompletion=complete_quantities,
        ),
    ] = None,
    only_given: Annotated[
        bool, typer.Option(help="Add nothing that was not given: no host, PUE, embodied.")
    ] = False,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Take the plan of an export: JSON, CSV or Markdown.", metavar="FILE"
        ),
    ] = None,
    specs: Specs = None,
) -> None:
    """Carry the declaration of the flags; `takes_plan` gives them to a command."""


def use_flags(
    use: Annotated[
        bool, typer.Option("--use", help="Show what a token in use takes; once trained.")
    ] = False,
    use_tokens: Annotated[
        str | None, typer.Option(help="Tokens generated in use, such as 1T/year.", metavar="RATE")
    ] = None,
    use_requests: Annotated[
        str | None, typer.Option(help="Requests answered, such as 2M/day.", metavar="RATE")
    ] = None,
    use_output_tokens: Annotated[str | None, typer.Option(help="Tokens of one answer.")] = None,
    use_prompt_tokens: Annotated[str | None, typer.Option(help="Tokens of one prompt.")] = None,
    use_batch: Annotated[str | None, typer.Option(help="Requests in flight at once.")] = None,
    use_device: Annotated[
        str | None,
        typer.Option(help="Device that serves; that of training.", autocompletion=complete_devices),
    ] = None,
    use_device_count: Annotated[
        str | None, typer.Option(help="Devices that hold the model; the fewest that can.")
    ] = None,
    use_precision: Annotated[
        str | None, typer.Option(help="Of the weights served: bf16 (assumed), fp8, fp4.")
    ] = None,
    use_years: Annotated[str | None, typer.Option(help="Years of use to add up.")] = None,
    use_energy_factor: Annotated[
        str | None, typer.Option(help="Measured over modelled energy of a token.")
    ] = None,
    use_site_factor: Annotated[
        str | None, typer.Option(help="Busy devices with hosts and reserve over them alone.")
    ] = None,
) -> None:
    """Carry the declaration of the flags of the use; `takes_use` gives them to a command."""


FLAGS = tuple(inspect.signature(plan_flags).parameters.values())
USE_FLAGS = tuple(inspect.signature(use_flags).parameters.values())


class Asked(NamedTuple):
    """What was said of the plan: targets, flags, ``--set``, ``--specs``, ``--from``, ``--use-…``.

    `use` holds what was said of the use by the name of its flag.
    """

    targets: tuple[str, ...]
    flags: dict[str, Any]
    sets: dict[str, str]
    specs: Path | None
    exported: Path | None = None
    use: Mapping[str, Any] = MappingProxyType({})

    @property
    def library(self) -> "Library":
        """The data to look things up in."""
        return library(self.specs)

    def plan(self, target: str | None = None) -> "Plan":
        """The plan of a target (the first one where none is named) under the flags."""
        from joulecast.plan import merged

        if target is None and self.targets:
            target = self.targets[0]
        if self.exported is not None:
            return self._used(self._again(self.exported, target))
        base, model = fields_of(target)
        return self._used(merged(base, self.sets, {"model": model, **self.flags}))

    def _used(self, plan: "Plan") -> "Plan":
        """The plan with what the flags say of its use."""
        from joulecast.plan import with_use

        said = {name.removeprefix("use_"): value for name, value in self.use.items()}
        shown = bool(said.pop("use", False))
        return with_use(plan, said, shown)

    def _again(self, exported: Path, target: str | None) -> "Plan":
        """The plan of an export under the flags; data that have changed since are said."""
        from joulecast.exporting.rereading import read
        from joulecast.plan import merged

        if target is not None:
            why = f"names a plan, and so does {target}"
            raise InputError("--from", exported, why, ["one of them"])
        found = read(exported)
        if found.data_digest not in (None, self.library.digest):
            typer.echo(
                f"note: {exported} was made with data {found.data_digest}, this answer with "
                f"{self.library.digest}: numbers may differ",
                err=True,
            )
        return merged(found.fields, self.sets, self.flags)


def takes_use(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of the use beside those of a plan, as `takes_plan` does."""
    return takes_plan(command, USE_FLAGS)


def takes_plan(
    command: Callable[..., None], more: tuple[inspect.Parameter, ...] = ()
) -> Callable[..., None]:
    """Give a command the flags of a plan and one target; it is called with `asked` in their place.

    A parameter named `targets` in the command's own signature takes the place of the target;
    `more` are flags of the use.
    """
    own = list(inspect.signature(command).parameters.values())[1:]
    many = [parameter for parameter in own if parameter.name == "targets"]
    rest = [parameter for parameter in own if parameter.name != "targets"]
    target = inspect.Parameter(
        "target", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Target
    )

    def run(**values: Any) -> None:
        said = {flag.name: values.pop(flag.name) for flag in FLAGS}
        use = {flag.name: values.pop(flag.name) for flag in more}
        if many:
            targets = tuple(values.pop("targets") or ())
        else:
            only = values.pop("target")
            targets = () if only is None else (only,)
        sets = assignments(said.pop("set_") or [])
        command(Asked(targets, said, sets, said.pop("specs"), said.pop("from_"), use), **values)

    signature = [*(many or [target]), *FLAGS, *more, *rest]
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
    return run


def fields_of(target: str | None) -> tuple[dict[str, Any], str | None]:
    """What a positional argument is: fields of a plan file, or the name of a known model."""
    if target is None:
        return {}, None
    path = Path(target)
    if path.suffix == ".toml" or (path.is_file() and path.suffix != ".json"):
        from joulecast.plan.file import read

        return read(path), None
    return {}, target


def varied(pairs: list[str] | None) -> dict[str, str]:
    """What ``--vary`` says, by name."""
    return assignments(pairs or [], "--vary", "region=fr,pl")


def budgets(pairs: list[str] | None) -> dict[str, str]:
    """What ``--max`` says, by name."""
    return assignments(pairs or [], "--max", "total=50t")


def assignments(pairs: list[str], flag: str = "--set", example: str = "pue=1.1") -> dict[str, str]:
    """NAME=VALUE pairs; a name given twice is a contradiction."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or not value:
            raise InputError(flag, pair, "is not NAME=VALUE", [f"{flag} {example}"])
        if name in given and given[name] != value:
            raise InputError(flag, pair, f"{name} was already set to {given[name]}")
        given[name] = value
    return given
