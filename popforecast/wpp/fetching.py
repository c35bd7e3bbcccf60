"""Download the UN's own file of a revision, and check it before it replaces an earlier one."""

from __future__ import annotations

import logging
import os
import tempfile
import zipfile
import zlib
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from popforecast.errors import FetchError, ReadError
from popforecast.panel import Panel
from popforecast.readers import read_wpp
from popforecast.readers.members import is_population
from popforecast.text import split_credentials
from popforecast.wpp.editions import DEFAULT_REVISION, REVISIONS, get_fetchable, load_members, load_panel
from popforecast.wpp.outdated import find_outdated
from popforecast.wpp.replacements import check_size
from popforecast.wpp.updates import replace_series

# The UN may make small corrections after the embedded table was made; a wrong file differs by far more.
FETCH_TOLERANCE = 1e-3


def fetch(revision: str = DEFAULT_REVISION, folder: str | Path | None = None, url: str | None = None) -> Path:
    """Download the UN's own file of a revision, check it, save it in the cache and return its path.

    The file replaces an earlier one only if it can be read in full and its figures agree with the embedded table.
    Read it with :func:`popforecast.read_wpp`. An older revision is a zip of the UN's archive, for
    :func:`popforecast.readers.archive.read_archive`. No checksum or figures of it are embedded: each of its members is
    checked against the zip's own checksum only.

    Parameters
    ----------
    revision : {"wpp2019", "wpp2024"}, or a name from the UN's archive, such as "wpp2000"
    folder : path, optional
        Where to save it (default: ``POPFORECAST_CACHE`` if set, otherwise the user's cache).
    url : str, optional
        Where to download it from (default: the UN).

    Returns
    -------
    Path
        The verified file.

    Raises
    ------
    FetchError
        If the download fails, is incomplete or has other content; an earlier file stays in place.
    """
    import pooch

    edition = get_fetchable(revision)
    url, credentials = split_credentials(url or edition.url)
    folder = Path(folder or os.environ.get("POPFORECAST_CACHE") or pooch.os_cache("popforecast"))
    target = folder / Path(edition.url).name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
            # When streaming, pooch leaves the connection of a failed download open.
            downloader = pooch.HTTPDownloader(timeout=60, stream=False, auth=credentials)
            with _silence(pooch.get_logger()):
                got = Path(pooch.retrieve(url, None, target.name, temporary, downloader=downloader))
            _check_fetched(got, revision) if revision in REVISIONS else _check_archive(got)
            got.replace(target)
    except (OSError, ValueError) as error:
        raise FetchError(
            f"{edition.title} could not be fetched from {url} ({error}); "
            + (f"{target} is unchanged" if target.exists() else "no file was saved")
        ) from error
    return target


@contextmanager
def _silence(logger: logging.Logger) -> Iterator[None]:
    # Without a known hash, pooch logs a request to record one; here the content is checked instead.
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_archive(path: Path) -> None:
    """Check that a zip is whole and has a table of population."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = archive.namelist()
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ReadError(f"it is no zip archive, or is cut or damaged: {error}") from error
    if damaged:
        raise ReadError(f"its member {damaged} is damaged")
    if not any(is_population(name) for name in names):
        raise ReadError(f"it has {', '.join(names[:3]) or 'no member'}: expected a table of population, as .csv")


def _check_fetched(path: Path, revision: str) -> None:
    embedded, fetched = load_panel(revision), read_wpp(path, revision=revision).panel
    absent = [code for code in embedded.locations.index if code not in fetched.locations.index]
    countries = set(embedded.countries().locations.index)
    if countries & set(absent):
        code = next(code for code in absent if code in countries)
        raise ReadError(f"it lacks {embedded.locations['name'][code]} ({code}), which {revision} has")
    common = np.intersect1d(embedded.years, fetched.years)
    if len(common) < len(embedded.years):
        raise ReadError(f"it has {fetched!r}, expected {embedded!r}")
    known = [embedded, *_update(embedded, fetched, path)]
    for code in set(embedded.locations.index) - set(absent):
        _check_same(known, fetched, code, common)


def _update(embedded: Panel, fetched: Panel, path: Path) -> Iterator[Panel]:
    """Yield the embedded panel with the file's series for countries that have an interim update.

    Either the file or the embedded tables may predate the update.
    """
    applied = (code for update in embedded.updates for code in update.locations)
    codes = list(dict.fromkeys([*find_outdated(embedded), *applied]))
    if codes:
        series = fetched.select(codes)
        values = series.values[:, np.isin(series.years, embedded.years)]
        series = replace(series, values=values, years=embedded.years)
        check_size(series, embedded, path)
        yield replace_series(embedded, series, load_members(str(embedded.revision)))


def _check_same(known: Sequence[Panel], fetched: Panel, code: Hashable, years: np.ndarray) -> None:
    """Check that the figures of a location agree with one of the panels."""
    theirs = _series(fetched, code)[np.isin(fetched.years, years)]
    each = [_series(panel, code)[np.isin(panel.years, years)] for panel in known]
    # The embedded 2019 table is rounded to thousands, so small countries may differ by up to 500 persons.
    if all((np.abs(theirs - ours) > FETCH_TOLERANCE * ours + 1000).any() for ours in each):
        ours = each[0]
        worst = int(np.abs(theirs - ours).argmax())
        raise ReadError(
            f"{known[0].index.names[code]} ({code}) has {theirs[worst]:,.0f} persons in {years[worst]}, expected "
            f"about {ours[worst]:,.0f}"
        )


def _series(panel: Panel, code: Hashable) -> np.ndarray:
    return panel.values[panel.locations.index.get_loc(code)]
