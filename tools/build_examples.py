"""Bring the outputs on docs/worked-examples.md up to date, where numbers have moved.

    python tools/build_examples.py

Each line shown is replaced by the line of the new output that has its place: the same words with
other numbers.  Lines without one are left as they are and named; text around the blocks, which
may speak of numbers, is not touched.  tests/test_worked_examples.py holds the page to the program.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import typer

PAGE = Path(__file__).parents[1] / "docs" / "worked-examples.md"
FILES = re.compile(r"```(?:toml|json) (\S+)\n(.*?)```", re.DOTALL)
BLOCKS = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
EXAMPLES = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
REST = "..."


def main(page: Path = PAGE) -> None:
    """Write the page, and say which of its lines the program no longer prints."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FILES.findall(text):
            (Path(folder) / name).write_text(content, encoding="utf-8")

        def run(example: re.Match[str]) -> str:
            command, shown = example.groups()
            said = _output(command, folder)
            return f"$ {command}\n" + "".join(f"{one}\n" for one in _again(shown, said))

        text = BLOCKS.sub(lambda block: EXAMPLES.sub(run, block.group()), text)
    page.write_text(text, encoding="utf-8")


def _output(command: str, folder: str) -> list[str]:
    """What the program says, as lines."""
    args = [sys.executable, "-m", "joulecast", *shlex.split(command)[1:]]
    done = subprocess.run(args, cwd=folder, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def _again(shown: str, said: list[str]) -> list[str]:
    """The lines shown, as they are now."""
    lines, start = [], 0
    for line in shown.splitlines():
        if line == REST:
            lines.append(line)
            continue
        places = [i for i in range(start, len(said)) if said[i].rstrip() == line.rstrip()]
        places += [i for i in range(start, len(said)) if _words(said[i]) == _words(line)]
        places += [i for i in range(start, len(said)) if _label(said[i]) == _label(line) != ""]
        if not places:
            print(f"gone: {line}", file=sys.stderr)
            lines.append(line)
            continue
        start = places[0] + 1
        lines.append(said[places[0]].rstrip())
    return lines


def _words(line: str) -> list[str]:
    """A line without its numbers."""
    return re.sub(r"[\d.,]*\d[\d.,]*(e\d+)?", "#", line).split()


def _label(line: str) -> str:
    """What a line begins with, where it is a word."""
    found = re.match(r"\s*\+?\s*([A-Za-z][A-Za-z ]*?)(?:\s{2,}|\s\d)", line)
    return found.group(1) if found else ""


if __name__ == "__main__":
    typer.run(main)
