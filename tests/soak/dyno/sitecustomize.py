"""What a dyno lacks: pandas loads pyarrow, 40 MB a worker, where it is installed; requirements.txt has none of it."""

import sys

# Python runs this at its start under that name; who merely reads the tests keeps what is installed.
if __name__ == "sitecustomize":
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
