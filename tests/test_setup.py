"""What sets up a machine agrees with itself: pyproject, pins, conda, Heroku, make, licences."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import popforecast as pf
from popforecast.wpp.embedded import table_path

ROOT = Path(__file__).parent.parent
DATA = ROOT / "popforecast" / "data"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
WANTED = {
    "requirements.txt": [*PROJECT["dependencies"], *EXTRAS["web"]],
    "requirements-dev.txt": [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)],
}
PYTHON = (ROOT / ".python-version").read_text().strip() if (ROOT / ".python-version").exists() else "3.11"

# The pins are compiled for the Python that Heroku runs, whichever runs the tests.
MARKERS = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "linux"}


def read_pins(name: str) -> dict[str, Version]:
    """Return the version of each package that a requirements file pins."""
    pins = {}
    for line in (ROOT / name).read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text:
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)", text)
            assert match, f"{name}: {text!r} is no pin"
            pins[canonicalize_name(match[1])] = Version(match[2])
    return pins


def applying(requirements: Iterable[Requirement], extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Yield the requirements that this platform and these extras call for."""
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**MARKERS, "extra": extra}) for extra in ("", *extras)):
            yield requirement


def needs_of(name: str, version: Version, extras: Iterable[str]) -> list[Requirement] | None:
    """Return what a pinned package requires, or None if that very version is not installed to be asked."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    if Version(distribution.version) != version:
        return None
    python = distribution.metadata.get("Requires-Python")
    assert python is None or f"{PYTHON}.0" in SpecifierSet(python), f"{name} {version} wants Python {python}"
    return list(applying(map(Requirement, distribution.requires or []), extras))


def walk(requirements: Iterable[str], pins: dict[str, Version]) -> tuple[list[str], set[str], set[str]]:
    """Follow requirements through the pins: faults found, packages reached, and those that could not be asked."""
    faults, reached, silent = [], set(), set()
    waiting = [(requirement, "pyproject.toml") for requirement in applying(map(Requirement, requirements))]
    seen = set()
    while waiting:
        requirement, asker = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        version = pins.get(name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            faults.append(f"{asker} requires {requirement}, pinned is {version}")
            continue
        reached.add(name)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        needs = needs_of(name, version, extras)
        if needs is None:
            silent.add(name)
        waiting += [(need, name) for need in needs or []]
    return faults, reached, silent


def imported(path: Path) -> set[str]:
    """Return the top-level names of what a module imports, at its head or inside its functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names


@pytest.mark.parametrize("name", WANTED)
def test_pins_satisfy_pyproject_and_each_other_to_the_last_package(name: str) -> None:
    pins = read_pins(name)
    faults, reached, silent = walk(WANTED[name], pins)
    assert not faults, f"{name} is behind: run `make pins`\n" + "\n".join(faults)
    assert silent or not pins.keys() - reached, f"{name} pins what nothing needs: run `make pins`"


def test_a_pin_that_falls_behind_is_noticed() -> None:
    pins = read_pins("requirements.txt")
    wanted = WANTED["requirements.txt"]
    assert walk(wanted, pins | {"flask": Version("1.0")})[0]
    assert walk(wanted, {name: version for name, version in pins.items() if name != "werkzeug"})[0]
    assert walk([*wanted, "not-there>=1"], pins)[0]


def test_both_files_pin_what_they_share_alike() -> None:
    base, development = read_pins("requirements.txt"), read_pins("requirements-dev.txt")
    assert base.items() <= development.items()


@pytest.mark.parametrize(
    ("folder", "extras"), [("popforecast", EXTRAS.keys() - {"web", "test"}), ("app", {"web"})], ids=["library", "app"]
)
def test_what_the_code_imports_is_declared_and_the_library_needs_nothing_of_the_app_s(
    folder: str, extras: set[str]
) -> None:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    owners = metadata.packages_distributions()
    for path in sorted((ROOT / folder).rglob("*.py")):
        for name in sorted(imported(path) - set(sys.stdlib_module_names) - {"popforecast", "app"}):
            assert declared.intersection(map(canonicalize_name, owners[name])), f"{path} imports {name}"


def test_no_committed_pin_names_a_place_to_get_it_from() -> None:
    for name in WANTED:
        text = (ROOT / name).read_text()
        assert not re.search(r"://|index-url|find-links|@ ", text), name


def test_heroku_finds_one_lock_file_and_the_python_version() -> None:
    rivals = ("uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "runtime.txt", "setup.py")
    assert not [name for name in rivals if (ROOT / name).exists()]
    assert (ROOT / ".python-version").read_text().strip() == "3.11"
    assert f"{PYTHON}.0" in SpecifierSet(PROJECT["requires-python"])


def test_the_procfile_starts_gunicorn_on_the_app() -> None:
    processes = dict(line.split(":", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line.strip())
    assert list(processes) == ["release", "explore", "web"]
    assert shlex.split(processes["release"]) == ["python", "-m", "app.check"]
    program, *arguments = shlex.split(processes["web"])
    assert program == "gunicorn"
    assert any(re.match(r"app(\.\w+)?(:|$)", argument) for argument in arguments), arguments


def test_the_app_manifest_describes_the_app_as_the_procfile_runs_it() -> None:
    manifest = json.loads((ROOT / "app.json").read_text())
    assert manifest["name"] == PROJECT["name"]
    assert manifest["description"]
    assert set(manifest.get("formation", {"web": {}})) == {"web"}
    assert [pack["url"] for pack in manifest.get("buildpacks", [{"url": "heroku/python"}])] == ["heroku/python"]


def test_the_conda_environment_is_pyproject_with_every_extra() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["name"]
    assert environment["channels"] == ["conda-forge"]
    packages = [item for item in environment["dependencies"] if isinstance(item, str)]
    (python,) = [item for item in packages if item.startswith("python=")]
    assert f"{python.removeprefix('python=')}.0" in SpecifierSet(PROJECT["requires-python"])
    assert "pip" in packages
    (by_pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    (editable,) = by_pip
    match = re.fullmatch(r"-e \.\[([a-z,]+)\]", editable)
    assert match
    assert sorted(match[1].split(",")) == sorted(EXTRAS)


def test_make_lists_and_knows_every_task() -> None:
    tasks = {"setup", "reports", "test", "serve", "explore", "lab", "check", "bench", "lint", "pins", "clean"}
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert tasks <= {line.split()[1] for line in listed.stdout.splitlines()}
    for task in tasks:
        subprocess.run(["make", "--dry-run", task], cwd=ROOT, capture_output=True, check=True)


def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    command = ["make", "setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "needs Python 3.11 or later" in refused.stderr
    assert "Python 3.9.2" in refused.stderr
    assert not (tmp_path / "venv").exists()


def test_make_check_asks_for_no_browser() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "check"]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert '-m "not (browser or embedding or install or kernel or process or service)"' in planned
    assert "chromium" not in planned


NEEDS = ("browser", "embedding", "install", "kernel", "process", "service")


def find_unit(session: pytest.Session) -> set[Path]:
    """Return the files with tests that need nothing: of this very run, where it is one of all files, or else listed."""
    unit = {item.path for item in session.items if not any(item.get_closest_marker(name) for name in NEEDS)}
    if {*(ROOT / "tests").rglob("test_*.py")} <= {item.path for item in session.items}:
        return unit
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", f"not ({' or '.join(NEEDS)})"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {ROOT / file for file in re.findall(r"^(\S+?)::", listed, re.M)}


def test_unit_tests_are_told_from_those_that_need_more_and_reach_every_room(request: pytest.FixtureRequest) -> None:
    unit = find_unit(request.session)
    more = [*(ROOT / "tests" / "browser").rglob("test_*.py"), ROOT / "tests" / "test_wheel.py"]
    more += [ROOT / "tests" / name for name in ("app/test_load.py", "app/test_procfile.py", "reports/test_faults.py")]
    assert len(more) > 10
    assert not unit & set(more)
    tests = set((ROOT / "tests").rglob("test_*.py")) - set(more)
    assert {path.parent for path in tests} <= {path.parent for path in unit}
    # Each module's examples, too.
    assert {
        ROOT / "popforecast/panel/panel.py",
        ROOT / "popforecast/reports/notebooks.py",
        ROOT / "app/pages/published.py",
    } <= unit


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_without_any_browser_it_says_how_to_get_one_and_only_ci_fails(tmp_path: Path, ci: str, status: int) -> None:
    for tool in ("sh", "cat", "id", "timeout"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    (tmp_path / "python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    command = [ROOT / "tests" / "browser" / "install-chromium", tmp_path / "python"]
    finished = subprocess.run(command, env={"PATH": str(tmp_path), "CI": ci}, capture_output=True, text=True)
    assert finished.returncode == status
    assert "apt-get install chromium" in finished.stderr


def test_the_licence_names_the_code_and_the_data_apart() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "MIT License" in text
    assert "the popforecast developers" in text
    assert "CC BY 3.0 IGO" in text
    assert "World Population Prospects" in text
    assert PROJECT["license"] == "MIT AND CC-BY-3.0-IGO"


def test_the_data_page_names_source_and_licence_and_describes_every_column() -> None:
    page = " ".join((DATA / "README.md").read_text().split())
    for phrase in ("CC BY 3.0 IGO", "Population Division", "World Population Prospects", "Persons, at 1 July"):
        assert phrase in page
    for table in DATA.glob("*.csv*"):
        columns = [name for name in pd.read_csv(table, nrows=0).columns if not name.isdigit()]
        assert not [name for name in columns if f"`{name}`" not in page], table.name


def test_the_data_page_states_the_checksums_of_the_manifest_and_of_the_files() -> None:
    stated = dict(
        re.findall(r"^\| `(\S+\.csv(?:\.gz)?)` \| `([0-9a-f]{64})` \|$", (DATA / "README.md").read_text(), re.M)
    )
    manifest = json.loads((DATA / "revisions.json").read_text())
    assert stated == {
        table_path(DATA, revision, table).name: checksum
        for revision, entry in manifest.items()
        for table, checksum in entry["tables"].items()
    }
    computed = json.loads((DATA / "embedding.json").read_text())["files"]
    kept = [*DATA.glob("*.csv*"), *DATA.glob("*-components.npz")]
    contents = {
        path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in kept
    }
    files = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert stated | computed == files
    assert {name: pf.load_panel(name).checksum for name in manifest} == {
        name: entry["panel_sha256"] for name, entry in manifest.items()
    }


def test_the_embedded_tables_stay_below_three_megabytes() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir() if path.suffix in {".csv", ".json"}) < 3_000_000
