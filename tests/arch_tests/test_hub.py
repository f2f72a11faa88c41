"""Configs named hf:org/name: from the cache of the real library, and what is said without one."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import process_of_many

from joulecast.architectures import read_architecture
from joulecast.errors import JoulecastError

LLAMA_7B = 6_738_415_616


def hub(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[tuple[Any, ...]]:
    """Put in place of the library one that gives this answer, or raises it; returns its calls."""
    calls: list[tuple[Any, ...]] = []

    def download(*args: str, revision: str | None) -> str:
        calls.append((*args, revision))
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download))
    return calls


def refusal(name: str) -> str:
    with pytest.raises(JoulecastError) as caught:
        read_architecture(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert refusal("hf:org/name") == (
        "config: hf:org/name: needs the package huggingface_hub; "
        "try pip install huggingface_hub, the path of a config.json"
    )


def test_the_hub_answers_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "llama"}))
    calls = hub(monkeypatch, path)
    for name in ("hf:org/name", "hf:org/name@v1.0", "hf:gpt2"):
        assert read_architecture(name).count().params_total == LLAMA_7B
    assert calls == [
        ("org/name", "config.json", None),
        ("org/name", "config.json", "v1.0"),
        ("gpt2", "config.json", None),
    ]


@pytest.mark.parametrize("name", ["hf:a/b/c", "hf:", "hf:/", "hf:org/name@"])
def test_what_is_no_name_on_the_hub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert refusal(name).startswith(f"config: {name}: is not a name on the Hub; try hf:org/name")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("GatedRepoError", "RepositoryNotFoundError"), "is gated: its terms must be accepted"),
        (("RepositoryNotFoundError",), "no such model on the Hub, or a private one"),
        (("RevisionNotFoundError",), "the model has no such revision"),
        (("LocalEntryNotFoundError", "EntryNotFoundError"), "not in the cache, and the Hub cannot"),
        (("EntryNotFoundError",), "the model has no config.json"),
        (("OddError",), "cannot be had from the Hub (first line)"),
    ],
)
def test_errors_of_the_library_in_one_line(
    kinds: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: type[Exception] = Exception
    for name in reversed(kinds):
        kind = type(name, (kind,), {})
    hub(monkeypatch, kind("first line\nand more"))
    message = refusal("hf:org/name")
    assert message.startswith(f"config: hf:org/name: {said}")
    assert message.endswith("; try the path of a config.json")


NAMES = {
    "held": ["hf:org/tiny", "hf:org/tiny@main", "hf:org/tiny@0123456789abcdef0123456789abcdef01234567"],
    "missing": ["hf:org/other", "hf:org/tiny@v2"],
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Any]:
    if importlib.util.find_spec("huggingface_hub") is None:
        pytest.skip("huggingface_hub is not installed")
    tmp_path = tmp_path_factory.mktemp("hub")
    commit, folder = "0123456789abcdef0123456789abcdef01234567", "models--org--tiny"
    held = tmp_path / folder / "snapshots" / commit
    held.mkdir(parents=True)
    (held / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / folder / "refs").mkdir()
    (tmp_path / folder / "refs" / "main").write_text(commit)
    commands = [
        *(("model", name, "--seq-len", "2048", "--json") for name in NAMES["held"]),
        *(("model", name) for name in (*NAMES["missing"], "hf:bad name!/x")),
        *(("estimate", name, "--tokens", "1B") for name in NAMES["missing"]),
    ]
    done = process_of_many(commands, HF_HUB_CACHE=str(tmp_path), HF_HUB_OFFLINE="1")
    return dict(zip(commands, done, strict=True))


class TestRealLibrary:
    """huggingface_hub itself on a cache made by hand, cut off from the network.

    It reads where its cache is when it is imported: so in a process of its own.
    """

    @pytest.mark.parametrize("name", NAMES["held"])
    def test_what_is_in_the_cache_is_read(self, told: dict[Any, Any], name: str) -> None:
        done = told["model", name, "--seq-len", "2048", "--json"]
        assert done.stderr == ""
        assert json.loads(done.stdout)["params_total"] == LLAMA_7B

    @pytest.mark.parametrize("name", NAMES["missing"])
    def test_what_is_not_says_that_it_is_offline(self, told: dict[Any, Any], name: str) -> None:
        for command in (("model", name), ("estimate", name, "--tokens", "1B")):
            done = told[command]
            assert done.returncode == 2 and done.stdout == ""
            assert done.stderr == (
                f"error: config: {name}: not in the cache, and the Hub cannot be reached "
                "(offline?); try the path of a config.json\n"
            )

    def test_a_name_the_hub_cannot_have(self, told: dict[Any, Any]) -> None:
        done = told["model", "hf:bad name!/x"]
        assert done.stderr.startswith("error: config: hf:bad name!/x: is not a name on the Hub;")
