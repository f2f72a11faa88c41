"""The commands as Typer has them: each parses, calls one verb of the API and prints."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from joulecast.cli.output import say, version_line
from joulecast.errors import InputError, JoulecastError, UnknownNameError, nearest
from joulecast.terms import INPUTS

#: Command -> where it is: module and function.
_FIRST = ("estimate", "compare", "advise", "solve", "check", "model", "optimum")
_LATER = ("sweep", "runs", "validate", "calibrate", "cite", "export")
COMMANDS = {
    **{name: (name, name) for name in (*_FIRST, *_LATER)},
    "list": ("catalogue", "list_"),
    "show": ("catalogue", "show"),
}


class Commands(TyperGroup):
    """The commands, each loaded when it is asked for: a start pays for one of them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name]
        one = typer.Typer(add_completion=False, rich_markup_mode=None)
        command = getattr(import_module(f"joulecast.cli.{module}"), function)
        one.command(cmd_name, context_settings=SETTINGS)(command)
        return typer.main.get_command(one)


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}

app = typer.Typer(
    name="joulecast",
    cls=Commands,
    help="What training a machine-learning model will emit, before it is trained.",
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=SETTINGS,
)

TOUR = """\
joulecast forecasts the energy and carbon of a training run before it starts.

  joulecast estimate --params 7B --tokens 2T --device a100-sxm-80 --region fr

says tCO2e with a range, FLOP, device-hours, MWh, and every assumption with the
flag that changes it.  Know more?  Say it: --device-count 512 --year 2025
--set mfu=0.35..0.43..0.50 --set pue=1.1
Tuning a model?  Name it: joulecast estimate llama-3.1-8b --method lora
--samples 52k --sample-tokens 180 --epochs 3 --device rtx4090  (or full, qlora,
prefix, head, dpo, grpo, ppo)
  joulecast advise ...                              what to change, and what it saves
  joulecast compare ... --vary region=fr,us-va,pl   which option is lower, how surely
  joulecast sweep ... --vary params=1B,7B,70B       many plans at once
  joulecast runs runs.csv --region fr               each run of a table, and all
  joulecast solve ... --for params --max total=50t  how large it may be
  joulecast optimum --loss 2.1                      least carbon to reach a loss
  joulecast model config.json                       parameters and FLOP, counted
  joulecast validate                                published runs, forecast blind
  joulecast calibrate runs.csv --name mycluster     fit to past runs of your own
  joulecast export ... --format hf | latex | eu     for a card, a paper; cite: BibTeX
  joulecast list devices | list regions             what --device, --region take
  joulecast estimate --help                         all options"""


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        say(version_line())
    elif context.invoked_subcommand is None:
        say(TOUR)


def run() -> int:
    """Run what the command line says; misuse is a JoulecastError in the words of all others."""
    try:
        code = app(prog_name="joulecast", standalone_mode=False)
    except TyperException as problem:
        raise _usage(problem) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else 0


#: Words that people try for a flag -> what they mean.
MEANT = {
    "lora": ["--method lora"],
    "qlora": ["--method qlora"],
    "dpo": ["--method dpo"],
    "grpo": ["--method grpo"],
    "ppo": ["--method ppo"],
    "rlhf": ["--method ppo", "--method grpo"],
    "sft": ["--method full"],
    "finetune": ["--method full", "--method lora"],
    "fine_tune": ["--method full", "--method lora"],
    "finetuning": ["--method full", "--method lora"],
    "peft": ["--method lora"],
    "rank": ["--lora-rank 16"],
    "r": ["--lora-rank 16"],
    "target_modules": ["--lora-targets q_proj,v_proj"],
    "base_model": ["--base MODEL"],
    "load_in_4bit": ["--base-precision nf4"],
    "packed": ["--packing"],
    "no_packing": ["--padding"],
    "gpu": ["--device"],
    "gpus": ["--device-count"],
    "num_gpus": ["--device-count"],
    "gpu_count": ["--device-count"],
    "hours": ["--set device_hours="],
    "gpu_hours": ["--set device_hours="],
    "days": ["--set wall_clock_days="],
    "model": ["the model's name or its config.json, without a flag"],
    "batch_size": ["--global-batch"],
    "batch": ["--global-batch"],
    "country": ["--region"],
    "location": ["--region"],
    "cloud": ["--provider"],
    "pue": ["--set pue="],
}


def _meant(option: str, known: list[str]) -> list[str]:
    """What to try for an option that is none: a quantity of that name is given by --set."""
    name = option.lstrip("-").replace("-", "_")
    if "--set" in known and name in MEANT:
        return MEANT[name]
    if "--set" in known and name in INPUTS:
        return [f"--set {name}="]
    return nearest(option, known)


def _usage(problem: TyperException) -> JoulecastError:
    """A misused option or command, in the words of all other errors."""
    option = getattr(problem, "option_name", None)
    if option is not None and type(problem).__name__ == "NoSuchOption":
        context = getattr(problem, "ctx", None)
        known = [name for p in context.command.params for name in p.opts] if context else []
        return UnknownNameError(option, None, "unknown option", _meant(option, known))
    message = problem.format_message().rstrip(".")
    if message.startswith("No such command"):
        typed = message.split("'")[1]
        names = list(COMMANDS)
        return UnknownNameError("command", typed, "unknown command", nearest(typed, names) or names)
    field, _, why = message.partition(": ")
    if not why:
        return InputError("usage", None, message.lower())
    return InputError(f"{field[0].lower()}{field[1:]}", None, why)
