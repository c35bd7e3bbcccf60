"""A page for each location: whole, the same from a warm kernel as from a cold one, and picked up where it was left."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup

import popforecast as pf
from popforecast.errors import ReportError, UnknownRevisionError
from popforecast.reports import make_series, series
from popforecast.reports.kernels import Worker
from popforecast.reports.keys import Key, read_key, read_package
from popforecast.reports.notebooks import find_notebooks
from popforecast.reports.site import Site
from tests.reports.starting import start_python

HEAVIEST_PAGE = 150_000


def write_notebook(folder: Path, *cells: str) -> Path:
    code = nbformat.v4.new_code_cell
    parameters = 'location = "NGA"  # which\nrevision = "wpp2019"  # of when\ndelay = 0.0  # seconds'
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A small profile"),
            code(parameters, metadata={"tags": ["parameters"]}),
            code("print(location, 'of', revision)", metadata={"tags": ["summary"]}),
            *map(code, cells),
        ]
    )
    folder.mkdir(exist_ok=True)
    for i, cell in enumerate(notebook.cells):
        cell.id = str(i)
    nbformat.write(notebook, folder / "small.ipynb")
    return folder


@contextmanager
def keep_few() -> Iterator[tuple[series.Place, ...]]:
    """A world of four countries: the pages of all of them would tell no more."""
    places = tuple(
        place for place in series.list_places("wpp2019", "country") if place.slug in ["NGA", "TKL", "BGR", "IND"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "list_places", lambda revision, each: places)
        yield places


@pytest.fixture
def few() -> Iterator[tuple[series.Place, ...]]:
    with keep_few() as places:
        yield places


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small notebook, and beside it the pages that a first run made of it for the four countries."""
    folder = tmp_path_factory.mktemp("first")
    with keep_few():
        results = make_series("small", "country", None, folder, folder=write_notebook(folder / "notebooks"))
    assert [result.ok for result in results] == [True] * 4
    return folder


@pytest.fixture
def made(first: Path, few: tuple[series.Place, ...], tmp_path: Path) -> Path:
    """The same, to be changed: what is fresh does not depend on where it lies."""
    return shutil.copytree(first, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Worker]]:
    made: list[Worker] = []

    def make() -> Worker:
        scratch = tmp_path_factory.mktemp("scratch")
        made.append(Worker(scratch))
        return made[-1]

    yield make
    for worker in made:
        worker.stop()


@pytest.fixture(scope="module")
def warm(workers: Callable[[], Worker]) -> Worker:
    """A worker for all who do not ask for a new one: whatever one of them left must not trouble the next."""
    return workers()


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def times(site: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in site.glob("???.html")}


def test_a_page_from_a_warm_kernel_is_that_from_a_cold_one_byte_for_byte(workers, tmp_path: Path):
    notebook = find_notebooks()["country-profile"]
    asked = [
        {"location": "IND"},
        {"location": "Atlantis"},
        {"location": "900"},
        {"location": "BGR", "revision": "wpp2019", "model": "ar1"},
        {"location": "TKL"},
    ]
    package = read_package()

    def make(worker: Worker, order: list[int], name: str) -> dict[int, dict[str, Any]]:
        return {
            i: worker.run(
                source=str(notebook.path),
                target=str(tmp_path / f"{name}-{i}.ipynb"),
                parameters=asked[i],
                timeout=300,
                page={
                    "title": notebook.title,
                    "defaults": notebook.defaults,
                    "key": asdict(read_key(notebook, asked[i], package)),
                },
            )
            for i in order
        }

    # The last has been through a giant, a failure, an aggregate and another revision and model. The other kernel takes
    # them the other way round: the first page of each is from a cold kernel, and the last of the other.
    answers = make(workers(), [0, 1, 2, 3, 4], "one")
    others = make(workers(), [4, 3, 2, 0], "other")
    assert [answer["error"] is None for answer in answers.values()] == [True, False, True, True, True]
    assert "no location 'Atlantis'" in answers[1]["error"]
    for i, other in others.items():
        # The page, its figure and the notebook, all to the byte.
        assert other == answers[i], asked[i]


def test_a_notebook_leaves_nothing_to_the_next(workers, tmp_path: Path):
    folder = write_notebook(
        tmp_path / "notebooks",
        "import pandas as pd\nprint(sorted(name for name in globals() if name.startswith('left')))\nleft = 1",
        "print(pd.get_option('display.max_rows'), len(In))\npd.set_option('display.max_rows', 7)\n_",
        "len(Out), _",
    )
    job = {"source": str(folder / "small.ipynb"), "timeout": 60, "parameters": {"location": "IND"}}
    page = {"title": "Small", "defaults": {}, "key": asdict(Key("n", "p", "d", "l", {}))}
    warm = workers()
    answers = [warm.run(**job, page=page, target=str(tmp_path / f"{i}.ipynb")) for i in range(3)]
    assert answers[0]["error"] is None
    assert answers[0] == answers[1] == answers[2]
    assert "[]" in BeautifulSoup(answers[0]["files"]["html"], "html.parser").text
    counts = [
        [cell.execution_count for cell in nbformat.read(tmp_path / f"{i}.ipynb", 4).cells if cell.cell_type == "code"]
        for i in range(3)
    ]
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("import os; os._exit(1)", "The kernel died while running a cell, perhaps because it ran out of memory."),
        ("import time; time.sleep(60)", "A cell took longer than 2 seconds and was stopped."),
        ("1 / 0", "Cell 3: ZeroDivisionError: division by zero"),
    ],
)
def test_a_kernel_that_fails_takes_no_other_page_with_it(warm: Worker, tmp_path: Path, cell: str, error: str):
    folder = write_notebook(tmp_path / "notebooks", f"if location == 'IND':\n    {cell}")
    job = {"source": str(folder / "small.ipynb"), "target": str(tmp_path / "ran.ipynb"), "timeout": 2}
    said = [warm.run(**job, parameters={"location": location})["error"] for location in ("NGA", "IND", "NGA")]
    assert said[0] is said[2] is None
    assert said[1].replace("Cell 4", "Cell 3") == error
    assert len(psutil.Process(warm.process.pid).children()) == 1


def test_a_worker_that_is_killed_says_so_in_a_sentence(workers, tmp_path: Path):
    folder = write_notebook(tmp_path / "notebooks")
    job = {"source": str(folder / "small.ipynb"), "timeout": 60, "parameters": {}}
    worker = workers()
    worker.process.kill()
    answer = worker.run(**job, target=str(tmp_path / "ran.ipynb"))
    assert answer["error"].startswith("The notebook could not be run: ")
    assert not worker.alive


def test_real_pages_are_whole_light_and_named_after_their_location(few, tmp_path: Path):
    results = make_series("country-profile", "country", None, tmp_path)
    assert [(result.name, result.error) for result in results] == [(place.slug, None) for place in few]
    site = tmp_path / "country-profile"
    for place in few:
        page = soup(site / f"{place.slug}.html")
        assert page.h1.text == place.name
        assert page.find(class_="finding").text.startswith(f"{place.name}: ")
        assert f"popforecast report country-profile -p location {place.slug}" in page.footer.text
        assert len(page.find_all("figure")) == 3
        assert (site / f"{place.slug}.html").stat().st_size < HEAVIEST_PAGE
        assert [script["src"] for script in page.find_all("script")] == ["sort.js"]
        text = str(page)
        assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]+', text) == []
        assert " style=" not in text
        for link in page.find_all(["a", "link", "script"]):
            target = (link.get("href") or link["src"]).split("#")[0]
            assert not target or target.startswith("data:") or (site / target).exists()
    assert "227.9 million people in 2023" in soup(site / "NGA.html").find(class_="finding").text


def test_the_index_lists_every_page_by_region_and_name(first: Path):
    page = soup(first / "small" / "index.html")
    assert page.h1.text == "A small profile: 4 countries and areas"
    listed = {
        section.h2.text: [(link.text, link["href"]) for link in section.find_all("a")]
        for section in page.find_all("section")
    }
    assert listed == {
        "Africa": [("Nigeria", "NGA.html")],
        "Asia": [("India", "IND.html")],
        "Europe": [("Bulgaria", "BGR.html")],
        "Oceania": [("Tokelau", "TKL.html")],
    }
    # The field does nothing without its script, which therefore shows it.
    assert page.find(class_="find").has_attr("hidden")
    assert "filter.js" in [script["src"] for script in page.find_all("script")]
    assert (first / "small" / "filter.js").exists()


def test_there_are_236_countries_and_as_many_slugs():
    for revision, count in (("wpp2019", 235), ("wpp2024", 236)):
        places = series.list_places(revision, "country")
        assert len({place.slug for place in places}) == len(places) == count
        panel = pf.load_panel(revision)
        assert {panel.index.find(place.slug) for place in places} == set(panel.countries().locations.index)
        assert {place.name for place in places} == set(panel.countries().locations["name"])
    aggregates = series.list_places("wpp2024", "aggregate")
    assert len(aggregates) == 297 - 236
    assert [place.slug for place in aggregates if place.name == "World"] == ["900"]


def test_a_second_run_makes_nothing_and_changes_no_byte(made: Path):
    site = made / "small"
    before, first = snapshot(site), times(site)
    results = make_series("small", "country", None, made, folder=made / "notebooks")
    assert [result.ok for result in results] == [True] * 4
    assert times(site) == first
    assert snapshot(site) == before


def test_what_changed_is_made_again_and_nothing_else(made: Path):
    site = made / "small"
    first = times(site)
    (site / "NGA.html").write_text("by hand")
    (site / "IND.html").unlink()
    make_series("small", "country", None, made, folder=made / "notebooks")
    again = times(site)
    assert {slug for slug in first if again[slug] != first[slug]} == {"NGA", "IND"}
    assert "A small profile" not in (site / "NGA.html").read_text()
    assert soup(site / "NGA.html").h1.text == "Nigeria"
    folder = write_notebook(made / "notebooks", "1 + 1")
    make_series("small", "country", None, made, folder=folder)
    assert all(times(site)[slug] != again[slug] for slug in first)


def test_another_parameter_makes_a_series_of_its_own_and_leaves_the_first(made: Path, few: tuple[series.Place, ...]):
    before = snapshot(made / "small")
    make_series("small", "country", {"revision": "wpp2024"}, made, folder=made / "notebooks")
    own = made / "small.revision-wpp2024"
    assert {soup(path).find(class_="finding").text for path in own.glob("???.html")} == {
        f"{place.slug} of wpp2024" for place in few
    }
    assert "With changed parameters: revision wpp2024" in soup(own / "index.html").text
    # The place is what a page is about, and no change.
    assert "With changed parameters: revision wpp2024 " in soup(own / "NGA.html").text.replace("\n", " ")
    assert "With changed parameters" not in soup(made / "small" / "NGA.html").text
    assert snapshot(made / "small") == before


def test_a_series_that_another_checkout_made_is_made_again(made: Path):
    before, first = snapshot(made / "small"), times(made / "small")
    # What git carries to a clone.
    shutil.rmtree(made / "notebooks")
    folder = write_notebook(made / "notebooks")
    make_series("small", "country", None, made, folder=folder)
    assert all(times(made / "small")[slug] != first[slug] for slug in first)
    assert snapshot(made / "small") == before


def test_a_page_that_fails_is_listed_and_tried_again(few, tmp_path: Path):
    folder = write_notebook(tmp_path / "notebooks", "if location == 'BGR':\n    1 / 0")
    results = make_series("small", "country", None, tmp_path, folder=folder)
    assert {result.name: result.ok for result in results} == {"BGR": False, "IND": True, "NGA": True, "TKL": True}
    index = soup(tmp_path / "small" / "index.html")
    assert index.h1.text.endswith("3 countries and areas")
    assert "failed: Cell 4: ZeroDivisionError" in index.find("li", attrs={"data-code": "BGR"}).text
    made = times(tmp_path / "small")
    assert not make_series("small", "country", None, tmp_path, folder=folder)[0].ok
    assert times(tmp_path / "small") == made


def test_a_damaged_record_of_what_was_made_makes_all_again(made: Path):
    first = times(made / "small")
    (made / "notebooks" / "small.series.json").write_text('{"NGA": 3}')
    results = make_series("small", "country", None, made, folder=made / "notebooks")
    assert all(result.ok for result in results)
    assert all(times(made / "small")[slug] != first[slug] for slug in first)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_whole_pages_no_kernel_and_goes_on(tmp_path: Path, how: signal.Signals):
    folder = write_notebook(tmp_path / "notebooks", "import time; time.sleep(delay)")
    site = tmp_path / "out" / "small.delay-0.3"
    script = (
        "from pathlib import Path; from popforecast.reports import make_series; "
        f"make_series('small', 'country', {{'delay': 0.3}}, {str(site.parent)!r}, 2, folder=Path({str(folder)!r}))"
    )
    process = start_python(script)
    deadline = time.monotonic() + 120
    while len(times(site)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode != 0
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    made = times(site)
    assert 3 <= len(made) < 235
    assert all(soup(site / f"{slug}.html").footer is not None for slug in made)
    assert (site / "index.html").exists() == (how == signal.SIGINT)
    shown = {path.name for path in site.iterdir() if path.name.startswith(".")}
    assert shown == set()
    # It goes on: whatever was recorded stays. A page that was being written when the run was killed may be made twice.
    status = set(Site(site.parent, site.name).read_status())
    assert len(set(made) - status) <= 1
    kept = sorted(made)[:3]
    places = tuple(place for place in series.list_places("wpp2019", "country") if place.slug in kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "list_places", lambda revision, each: places)
        make_series("small", "country", {"delay": 0.3}, site.parent, folder=folder)
    assert {slug: times(site)[slug] for slug in kept if slug in status} == {
        slug: made[slug] for slug in kept if slug in status
    }


@pytest.mark.parametrize(
    ("name", "each", "parameters", "jobs", "error", "sentence"),
    [
        ("smal", "country", {}, 1, ReportError, r"no report 'smal' \(nearest: small\)"),
        ("small", "village", {}, 1, ReportError, "each 'village': expected one of country, aggregate"),
        ("small", "country", {"location": "NGA"}, 1, ReportError, "location 'NGA': leave it out"),
        ("small", "country", {"revison": "wpp2019"}, 1, ReportError, r"no parameter 'revison' \(nearest: revision\)"),
        ("small", "country", {"delay": "long"}, 1, ReportError, "is not a number"),
        ("small", "country", {"revision": "wpp1999"}, 1, UnknownRevisionError, "'wpp1999': expected one of"),
        ("small", "country", {}, 0, ReportError, "jobs 0: expected 1 or more"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_runs(
    tmp_path: Path, name: str, each: str, parameters: dict, jobs: int, error: type[Exception], sentence: str
):
    folder = write_notebook(tmp_path / "notebooks")
    with pytest.raises(error, match=sentence):
        make_series(name, each, parameters, tmp_path / "out", jobs, folder=folder)
    assert not (tmp_path / "out").exists()


def test_a_report_without_a_location_has_no_page_for_each():
    with pytest.raises(ReportError, match=r"report 3-backtest has no parameter 'location'.* such as country-profile"):
        make_series("3-backtest", "country")


def test_an_output_that_is_a_file_is_refused(few, tmp_path: Path):
    folder = write_notebook(tmp_path / "notebooks")
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"cannot be written to .*file.small"):
        make_series("small", "country", None, tmp_path / "file", folder=folder)


def test_the_command_wants_one_report_for_each():
    command = [sys.executable, "-m", "popforecast", "report", "--each", "country"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--each needs exactly one report, such as country-profile" in done.stderr
    assert "Traceback" not in done.stderr
