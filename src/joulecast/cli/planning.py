"""The flags that say a plan, written once for all commands that take one."""

# No postponed annotations here: Typer would evaluate each one again at every start.
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from joulecast.cli.asked import Asked, library

Specs = Annotated[
    Path | None,
    typer.Option(envvar="JOULECAST_SPECS", help="Folder with records of your own.", metavar="DIR"),
]


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
    method: Annotated[
        str | None,
        typer.Option(help="Fine-tuning: full, lora, qlora, prefix, head, dpo, grpo or ppo (RLHF)."),
    ] = None,
    lora_rank: Annotated[
        str | None, typer.Option(help="Rank of LoRA or QLoRA adapters; 16 assumed.", metavar="R")
    ] = None,
    lora_targets: Annotated[
        str | None,
        typer.Option(help="Modules with adapters, as q_proj,v_proj; all-linear.", metavar="A,B"),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="Model that is tuned, where the target is an adapter.", metavar="MODEL"),
    ] = None,
    base_precision: Annotated[
        str | None, typer.Option(help="Of the frozen weights: nf4 (QLoRA), int8, bf16, ...")
    ] = None,
    framework: Annotated[
        str | None,
        typer.Option(help="Of a fine-tune: tuned, ordinary (assumed between), or its name."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            help="dense, moe, encoder, enc-dec, vision, diffusion, speech, recurrent, ssm or other."
        ),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(help="language, images, biology or other; by the kind of model."),
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(help="Tokens processed, repeats counted, such as 1.5T.")
    ] = None,
    unique_tokens: Annotated[
        str | None, typer.Option(help="Distinct tokens; times --epochs.")
    ] = None,
    epochs: Annotated[str | None, typer.Option(help="Passes over the data.")] = None,
    samples: Annotated[
        str | None,
        typer.Option(help="Samples (of grpo and ppo prompts); times --sample-tokens or --seq-len."),
    ] = None,
    sample_tokens: Annotated[
        str | None, typer.Option(help="Real tokens of a sample, padding left out.", metavar="L")
    ] = None,
    packing: Annotated[
        bool | None,
        typer.Option("--packing/--padding", help="Samples packed end to end, or padded."),
    ] = None,
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
        str | None, typer.Option(help="bf16 (assumed), fp16, fp8, fp4, int8, tf32 or fp32.")
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
    global_batch_tokens: Annotated[
        str | None,
        typer.Option(
            "--global-batch",
            help="Tokens of one optimiser step over all devices: more devices then cost hours.",
        ),
    ] = None,
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
    cooling: Annotated[
        str | None,
        typer.Option(help="Of the data centre: air, evaporative, dry, liquid or closed."),
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
        command(Asked.of(targets, said, use), **values)

    signature = [*(many or [target]), *FLAGS, *more, *rest]
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
    return run
