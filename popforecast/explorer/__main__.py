"""``python -m popforecast.explorer``: serve the explorer with Voilà; all options are Voilà's own."""

import sys

from popforecast.explorer.server import serve

if __name__ == "__main__":
    serve(sys.argv[1:])
