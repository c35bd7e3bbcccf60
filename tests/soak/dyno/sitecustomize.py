"""What a dyno lacks: pandas loads pyarrow, 40 MB a worker, where it is installed; requirements.txt has none of it."""

import sys

sys.modules["pyarrow"] = None  # type: ignore[assignment]
