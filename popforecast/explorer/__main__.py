"""``python -m popforecast.explorer``: serve the explorer with Voilà; all options are Voilà's own."""

import sys

from popforecast.errors import PopforecastError

if __name__ == "__main__":
    # Keeps jsonschema, which Jupyter imports, from compiling a grammar of international addresses: it takes longer than
    # all else that the server imports, checks nothing here, and to jsonschema it is optional.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from popforecast.explorer.server import serve

    try:
        serve(sys.argv[1:])
    except PopforecastError as error:
        sys.exit(f"Error: {error}")
