"""Release check that the app starts and forecasts correctly: ``python -m app.check``."""

from __future__ import annotations

import sys

import click

from app.server.health import check
from app.settings import Settings
from popforecast.errors import PopforecastError


def main() -> int:
    """Print each passed check; return 1 and print the reason if one fails."""
    try:
        settings = Settings.from_environ()
        click.echo(f"settings: {settings.workers} workers on port {settings.port}")
        for name, found in check():
            click.echo(f"{name}: {found}")
    except PopforecastError as error:
        click.echo(f"not fit for release: {error}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
