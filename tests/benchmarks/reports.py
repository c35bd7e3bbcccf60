"""How long the main job takes after set-up: every notebook run and published, two at a time."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from .figure import Figure, time_once

JOBS = 2


def measure() -> list[Figure]:
    """Time ``popforecast report`` into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "popforecast", "report", "--jobs", str(JOBS), "--output", folder]
        seconds = time_once(lambda: subprocess.run(command, check=True, capture_output=True))
        pages = list(Path(folder).glob("*.html"))
    return [Figure(f"popforecast report --jobs {JOBS}", seconds, "s", 60, f"{len(pages)} pages")]
