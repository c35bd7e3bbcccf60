"""A Python process that can be interrupted, wherever its test runs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

# A shell starts what runs in its background with the interrupt ignored, and a test may run there.
HEED_INTERRUPT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def start_python(script: str, *words: str, before: tuple[str, ...] = (), **options: Any) -> subprocess.Popen[str]:
    """Start a script with its words, and with another command before it."""
    command = [*before, sys.executable, "-c", HEED_INTERRUPT + script, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
