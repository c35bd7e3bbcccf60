"""Embedded fits and track records, which ``python -m popforecast.embedding`` recomputes from the embedded tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import click
import pandas as pd

from popforecast.data import DATA, FACTS
from popforecast.errors import StoreError
from popforecast.evaluation.record import MANIFEST, VINTAGE_RECORD, measure_record, measure_vintage_record, record_name
from popforecast.files import write_together
from popforecast.forecasting.calibration import fit
from popforecast.forecasting.store import EMBEDDED, fitted_path, pack
from popforecast.models import get
from popforecast.version import __version__
from popforecast.wpp.components import ORIGINS, components_name, read_components
from popforecast.wpp.components import pack as pack_components
from popforecast.wpp.editions import REVISIONS, VINTAGES, load_panel, read_manifest


def compute() -> dict[str, bytes]:
    """Return the contents of the files to embed, by name: fitted models, track records and manifest.

    The result is reproducible to the byte for the same code, tables and machine.
    """
    panels = {name: load_panel(name) for name in (*REVISIONS, *VINTAGES)}
    tables = {record_name(name): _write_csv(measure_record(panels[name])) for name in REVISIONS}
    tables[VINTAGE_RECORD] = _write_csv(measure_vintage_record())
    listed = {name: (DATA / name).read_bytes() for name in (*FACTS, *map(components_name, ORIGINS))}
    manifest = {
        "version": __version__,
        "panels": {name: panel.checksum for name, panel in sorted(panels.items())},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted((tables | listed).items())},
    }
    stored = [
        pack(fit(panels[name], get(model)), fitted_path(DATA, name, model)) for name in REVISIONS for model in EMBEDDED
    ]
    fitted = {path.name: content for files in stored for path, content in files.items()}
    return tables | fitted | {MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()}


def compute_components(folder: Path) -> dict[str, bytes]:
    """Pack the components of every edition, and return the files to keep, by name, the manifest among them.

    Parameters
    ----------
    folder : Path
        Of long tables, as :func:`popforecast.wpp.components.read_components` reads them, in a folder for each edition.
    """
    contents = {components_name(name): pack_components(read_components(folder / name, name)) for name in ORIGINS}
    manifest = read_manifest(DATA, MANIFEST)
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest["files"] = dict(sorted((manifest["files"] | checksums).items()))
    return contents | {MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode()}


def write(contents: Mapping[str, bytes], folder: Path = DATA) -> list[Path]:
    """Write all files or none (default: to the folder of the embedded tables), and return their paths.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    files = {folder / name: content for name, content in contents.items()}
    try:
        write_together(files)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror}): nothing was changed there") from error
    return list(files)


def _write_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


@click.command()
@click.option(
    "--components",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Recompute the components only, from long tables such as FOLDER/wpp2024/ages.csv.gz.",
)
def main(components: Path | None) -> None:
    """Recompute the fitted models and track records that are embedded with the tables."""
    for path in write(compute() if components is None else compute_components(components)):
        click.echo(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(prog_name="python -m popforecast.embedding")
