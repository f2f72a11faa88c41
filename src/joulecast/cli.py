"""The command line: each command parses, calls one verb of the API and prints; nothing else."""

# No postponed annotations here: Typer would evaluate each one again at every start.
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from joulecast._version import __version__
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest

app = typer.Typer(
    name="joulecast",
    help="What training a machine-learning model will emit, before it is trained.",
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)

TOUR = """\
joulecast forecasts the energy and carbon of a training run before it starts.

  joulecast estimate --params 7B --tokens 2T --device a100-sxm-80 --region fr

says tCO2e with a range, FLOP, device-hours, MWh, and every assumption with the
flag that changes it.  Know more?  Say it: --device-count 512 --year 2025
--set mfu=0.35..0.43..0.50 --set pue=1.1
  joulecast model config.json   parameters and FLOP of an architecture, counted
  joulecast list devices        what --device takes
  joulecast list regions        what --region takes
  joulecast estimate --help     all options"""


Specs = Annotated[
    Path | None,
    typer.Option(envvar="JOULECAST_SPECS", help="Folder with records of your own.", metavar="DIR"),
]


def complete_devices(incomplete: str) -> list[str]:
    """Ids of devices, for the shell."""
    return _starting(incomplete, _library(None).device_ids)


def complete_regions(incomplete: str) -> list[str]:
    """Ids of places, for the shell."""
    return _starting(incomplete, _library(None).place_ids())


def complete_models(incomplete: str) -> list[str]:
    """Ids of known models and plan files here, for the shell."""
    files = [str(path) for path in sorted(Path().glob("*.toml"))]
    return _starting(incomplete, [*_library(None).model_ids, *files])


def complete_quantities(incomplete: str) -> list[str]:
    """Names for --set, for the shell."""
    from joulecast.terms import INPUTS

    return _starting(incomplete, [f"{name}=" for name in INPUTS])


def _starting(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from joulecast.library import Library

        _say(f"joulecast {__version__}, data {Library.bundled().digest}")
    elif context.invoked_subcommand is None:
        _say(TOUR)


@app.command()
def estimate(
    target: Annotated[
        str | None,
        typer.Argument(
            help="A known model, a config.json or its folder, or a plan file (.toml).",
            autocompletion=complete_models,
        ),
    ] = None,
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
        typer.Option(help="Accelerator: list devices.", autocompletion=complete_devices),
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
    runs: Annotated[str | None, typer.Option(help="So many runs of the plan (a sweep).")] = None,
    project_factor: Annotated[
        str | None,
        typer.Option(help="Whole project over the final run; shown on a line of its own."),
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
    save: Annotated[
        Path | None, typer.Option(help="Write what was asked as a plan file.", metavar="FILE")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the headline alone.")] = False,
    specs: Specs = None,
) -> None:
    """Forecast the footprint of a training run.

    joulecast estimate --params 70B --tokens 15T --device h100-sxm --region us-va --year 2024
    """
    from joulecast.estimation import estimate as verb
    from joulecast.plan import merged

    to_json = _is_json(format_) or as_json
    flags = {
        "params": params,
        "active_params": active_params,
        "trainable_params": trainable_params,
        "arch": arch,
        "tokens": tokens,
        "unique_tokens": unique_tokens,
        "epochs": epochs,
        "samples": samples,
        "seq_len": seq_len,
        "flop": flop,
        "hardware_flop": hardware_flop,
        "precision": precision,
        "recompute": recompute,
        "device": device,
        "device_count": device_count,
        "region": region,
        "provider": provider,
        "year": year,
        "grid_basis": grid_basis,
        "national_average": national_average,
        "runs": runs,
        "project_factor": project_factor,
        "only_given": only_given,
    }
    base, model = _target(target)
    plan = merged(base, _assignments(set_ or []), {"model": model, **flags})
    footprint = verb(plan, _library(specs))
    if save is not None:
        plan.save(save)
        typer.echo(f"wrote {save}", err=True)
    if to_json:
        _say(footprint.to_json())
    else:
        from joulecast.report import text

        _say(text(footprint, _bold, quiet))


@app.command()
def model(
    config: Annotated[
        str, typer.Argument(help="A config.json, its folder, or hf:org/name.", metavar="CONFIG")
    ],
    seq_len: Annotated[
        str | None, typer.Option(help="Sequence length in tokens.", metavar="L|ENC:DEC")
    ] = None,
    attention: Annotated[
        str, typer.Option(help="causal (what the mask allows) or full (the whole square).")
    ] = "causal",
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON object.")] = False,
) -> None:
    """Count the parameters and FLOP of an architecture.

    joulecast model config.json --seq-len 8192
    """
    from joulecast.counting import model as verb

    counted = verb(config, seq_len=seq_len, attention=attention)
    if as_json:
        _print_json(counted.to_dict())
    else:
        from joulecast.report import model_text

        _say(model_text(counted, config))


@app.command(name="list")
def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="devices, models, regions, providers, assumptions, sources or warnings."
        ),
    ],
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    specs: Specs = None,
) -> None:
    """List what the tables hold.

    joulecast list devices
    """
    from joulecast.catalogue import listing

    rows = listing(what, _library(specs))
    _print_rows(rows, format_)


@app.command()
def show(
    what: Annotated[
        str,
        typer.Argument(help="device, model, region, source or assumption; or a name by itself."),
    ],
    name: Annotated[
        str | None, typer.Argument(help="The record's id, or a name it goes by.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    specs: Specs = None,
) -> None:
    """Show one record with its sources.

    joulecast show h100-sxm
    """
    from joulecast.catalogue import details

    record = details(what, name, _library(specs))
    if _is_json(format_):
        _print_json(record)
    else:
        for line in _tree(record):
            _say(line)


def main() -> NoReturn:
    """Entry point: one line for every error, quiet on Ctrl-C and on a closed pipe."""
    try:
        code = app(prog_name="joulecast", standalone_mode=False)
    except JoulecastError as problem:
        _fail(str(problem))
    except TyperException as problem:
        _fail(_usage(problem))
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(130) from None
    except OSError as problem:
        _fail(f"output: cannot be written: {problem.strerror}")
    raise SystemExit(code if isinstance(code, int) else 0)


def _say(text: str) -> None:
    """Print a result; a reader that went away, as `head` does, is no error."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Point stdout at nothing, so that closing it at exit stays quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise SystemExit(2)


def _usage(problem: TyperException) -> str:
    """A misused option or command, in the words of all other errors."""
    option = getattr(problem, "option_name", None)
    if option is not None and type(problem).__name__ == "NoSuchOption":
        context = getattr(problem, "ctx", None)
        known = [name for p in context.command.params for name in p.opts] if context else []
        return str(UnknownNameError(option, None, "unknown option", nearest(option, known)))
    message = problem.format_message().rstrip(".")
    if message.startswith("No such command"):
        typed = message.split("'")[1]
        names = list(typer.main.get_group(app).commands)
        return str(
            UnknownNameError("command", typed, "unknown command", nearest(typed, names) or names)
        )
    field, _, why = message.partition(": ")
    return f"{field[0].lower()}{field[1:]}: {why}" if why else f"usage: {message.lower()}"


def _target(target: str | None) -> tuple[dict[str, Any], str | None]:
    """What the positional argument is: fields of a plan file, or the name of a known model."""
    if target is None:
        return {}, None
    path = Path(target)
    if path.suffix == ".toml" or (path.is_file() and path.suffix != ".json"):
        from joulecast.planfile import read

        return read(path), None
    return {}, target


def _assignments(pairs: list[str]) -> dict[str, str]:
    """NAME=VALUE pairs; a name given twice is a contradiction."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or not value:
            raise InputError("--set", pair, "is not NAME=VALUE", ["--set pue=1.1"])
        if name in given and given[name] != value:
            raise InputError("--set", pair, f"{name} was already set to {given[name]}")
        given[name] = value
    return given


def _library(specs: Path | None) -> Any:
    from joulecast.library import Library

    return Library.bundled() if specs is None else Library.with_folder(specs)


def _bold(text: str) -> str:
    """Bold on a terminal that can; plain in a pipe, a dumb terminal or under NO_COLOR."""
    plain = (
        sys.stdout is None
        or not sys.stdout.isatty()
        or os.environ.get("TERM") == "dumb"
        or "NO_COLOR" in os.environ
    )
    return text if plain else typer.style(text, bold=True)


def _is_json(format_: str) -> bool:
    if format_ not in ("text", "json"):
        raise InputError("--format", format_, "is not a format of this command", ["text", "json"])
    return format_ == "json"


def _print_rows(rows: list[dict[str, Any]], format_: str) -> None:
    if _is_json(format_):
        _print_json(rows)
        return
    if not rows:
        return
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    for line in [names, *cells]:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        _say("  ".join(padded).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _print_json(content: object) -> None:
    import json

    _say(json.dumps(content, indent=2, ensure_ascii=False, default=str))


def _tree(content: Any, indent: int = 0) -> list[str]:
    """A record as indented lines."""
    pad = "  " * indent
    lines = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines.append(f"{pad}{key}")
            lines += _tree(value, indent + 1)
        elif value not in (None, "", [], ()):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else _cell(value)
            lines.append(f"{pad}{key}: {shown}")
    return lines
