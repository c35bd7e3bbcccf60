"""Check before a release that the app would start, and answer rightly: ``python -m app.check``."""

from __future__ import annotations

import sys

import click

from app.server.health import check
from app.settings import Settings
from popforecast.errors import PopforecastError


def main() -> int:
    """Print what holds; return 1, with the reason, if anything does not."""
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
