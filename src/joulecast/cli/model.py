"""`joulecast model`."""

# No postponed annotations here: Typer would evaluate each one again at every start.
from typing import Annotated

import typer

from joulecast.cli.output import print_json, say
from joulecast.cli.planning import DocumentLen, MtpDepth


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
    document_len: DocumentLen = None,
    mtp_depth: MtpDepth = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON object.")] = False,
) -> None:
    """Count the parameters and FLOP of an architecture.

    joulecast model config.json --seq-len 8192
    """
    from joulecast.counting import model as verb

    counted = verb(config, seq_len, attention, document_len, mtp_depth)
    if as_json:
        print_json(counted.to_dict())
    else:
        from joulecast.report.model import text

        say(text(counted, name=config))
