"""What a dyno lacks: pandas loads pyarrow where it is installed, 40 MB a worker, and requirements.txt has none of it."""

import sys

sys.modules["pyarrow"] = None  # type: ignore[assignment]
