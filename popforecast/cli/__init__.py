"""The command line: parsing and printing only. Commands are in modules by purpose, and combined here."""

from __future__ import annotations

import errno
from typing import Any

import click

import popforecast as pf
from popforecast.cli.asking import fetch, request
from popforecast.cli.by_age import ages, components
from popforecast.cli.forecasting import fit, forecast
from popforecast.cli.printing import escape_controls
from popforecast.cli.publishing import report
from popforecast.cli.scoring import backtest, vintages
from popforecast.errors import PopforecastError

# Optional dependencies, and the extra that installs them.
OPTIONAL = {
    **dict.fromkeys(("papermill", "nbconvert", "nbformat", "nbclient", "statsmodels"), "'popforecast[reports]'"),
    **dict.fromkeys(("dask", "distributed", "pyarrow"), "'popforecast[scale]'"),
}


class Commands(click.Group):
    """A group of commands that report invalid input in one sentence, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that the user can fix become a message with exit status 1."""
        try:
            return super().invoke(ctx)
        except PopforecastError as error:
            raise click.ClickException(escape_controls(str(error))) from error
        except ModuleNotFoundError as error:
            if error.name in OPTIONAL:
                raise click.ClickException(
                    f"{error.name} is not installed: pip install {OPTIONAL[error.name]}"
                ) from error
            raise
        except OSError as error:
            # Click itself exits quietly when a reader such as head closes the pipe.
            if error.errno == errno.EPIPE:
                raise
            place = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(escape_controls(f"{place}{error.strerror or error}")) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(pf.__version__, message="popforecast %(version)s")
def main() -> None:
    """Forecast the population of every country and region from past figures."""


for command in (forecast, ages, components, backtest, vintages, fit, report, request, fetch):
    main.add_command(command)
