"""What people install: built, put into a clean environment, run with the checkout out of reach."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # An sdist first, then a wheel from the sdist alone: both must hold all that is needed, and the
    # second is built by what pyproject.toml asks for and nothing else.
    build = [sys.executable, "-m", "build", "--outdir", str(folder)]
    subprocess.run(
        [*build, "--sdist", "--no-isolation", str(ROOT)],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    (packed,) = folder.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    source = folder / packed.name.removesuffix(".tar.gz")
    subprocess.run([*build, "--wheel", str(source)], check=True, capture_output=True, timeout=600)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.wheel
def test_the_wheel_holds_the_tables_and_their_licences(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("sources.toml", "devices/h100-sxm.toml", "reported_runs/t5-11b.toml", "compiled/core.json", "compiled/runs.json", "compiled/electricitymaps.json", "compiled/flags.json"):  # fmt: skip
        assert f"joulecast/hardware_specs/{name}" in names
    assert "joulecast/scores.npy" in names and "joulecast/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/THIRD_PARTY_DATA.md") for name in names)
    assert not any(name.startswith(("tests", "tools", "hardware_specs/")) for name in names)


@pytest.mark.wheel
def test_the_wheel_forecasts_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env")
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    # Without a pip of its own and without compiling what is run once: half the time.
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python")
    subprocess.run(
        [*pip, "install", "--quiet", "--no-compile", str(wheel)],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    args = ("estimate", "--params", "7B", "--tokens", "2T", "--region", "us-va", "--json")
    done = subprocess.run(
        [scripts / "joulecast", *args],
        cwd=tmp_path, env={"PATH": str(scripts)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert answer["results"]["total_kgco2e"]["value"] > 0
    here = subprocess.run(
        [sys.executable, "-m", "joulecast", *args], capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    assert answer == json.loads(here.stdout)
    # What is installed takes the plain road: the table of flags is there and is not older.
    script = f"import sys; from joulecast.cli import plain; plain.answered({list(args)!r}); print(*sys.modules)"  # fmt: skip
    loaded = subprocess.run(
        [scripts / "python", "-c", script],
        cwd=tmp_path, env={"PATH": str(scripts)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    modules = {name.split(".")[0] for name in loaded.stdout.splitlines()[-1].split()}
    assert "numpy" in modules
    assert not modules & {"typer", "pydantic", "tomllib", "csv", "difflib", "shutil"}


@pytest.mark.wheel
def test_share_alike_tables_can_be_removed(wheel: Path, tmp_path: Path) -> None:
    """Without the Open Database Licence tables a place still gets its country's grid."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    specs = tmp_path / "site" / "joulecast" / "hardware_specs"
    for name in ("zones.csv", "grids_electricitymaps.csv", "grids_within_country.csv"):
        (specs / name).unlink()
    for compiled in (specs / "compiled").iterdir():
        compiled.unlink()
    script = (
        "from joulecast import Plan, estimate; "
        "fp = estimate(Plan(params=7e9, tokens=1e12, region='us-va', year=2024)); "
        "print(next(a.source for a in fp.assumptions if a.name == 'grid_gco2e_per_kwh'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "ember-2026"
