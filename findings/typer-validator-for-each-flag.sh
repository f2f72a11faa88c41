#!/usr/bin/env bash
# Typer 0.29.2 with pydantic 2.14.4: every parameter of a command gets a pydantic TypeAdapter of its
# own each time the command line is run, plain text flags included.
#
# Seen: a command of three flags typed `str` builds three adapters for them, beside those of Typer's
# own switches, and pydantic is loaded for a command that declares no model.  The cost of a start
# therefore grows with the number of flags.
# What to do: keep the flags of a command few, or parse the plain case before Typer is imported.
#
# Exits with 1 where the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check typer==0.29.2 pydantic==2.14.4

cat > "$folder/app.py" <<'PYTHON'
from typing import Annotated, get_args

import pydantic
import typer

built: list[object] = []
build = pydantic.TypeAdapter.__init__


def counted(self, kind, *more, **named):
    built.append(kind)
    build(self, kind, *more, **named)


pydantic.TypeAdapter.__init__ = counted
app = typer.Typer()


@app.command()
def run(
    one: Annotated[str, typer.Option()] = "a",
    two: Annotated[str, typer.Option()] = "b",
    three: Annotated[str, typer.Option()] = "c",
) -> None:
    text = sum(get_args(kind)[:1] == (str,) for kind in built)
    print(f"{text} adapters for 3 flags of text")


app(["--one", "x"])
PYTHON

seen=$("$folder/env/bin/python" "$folder/app.py")
echo "$seen"
[ "$seen" = "3 adapters for 3 flags of text" ] || { echo "changed: expected 3 adapters for 3 flags of text" >&2; exit 1; }
