"""``python -m popforecast.explorer``: serve the explorer with Voilà; all options are Voilà's own."""

import sys

from popforecast.errors import PopforecastError
from popforecast.explorer.server import serve

if __name__ == "__main__":
    try:
        serve(sys.argv[1:])
    except PopforecastError as error:
        sys.exit(f"Error: {error}")
