"""``python -m tests.golden [FOLDER]``."""

import sys
from pathlib import Path

from tests.golden import FOLDER, record

record(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
