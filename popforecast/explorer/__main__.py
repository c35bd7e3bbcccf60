"""``python -m popforecast.explorer``: serve the explorer with Voilà; options are passed on to Voilà."""

import sys

from popforecast.errors import PopforecastError

if __name__ == "__main__":
    # Keeps jsonschema, which Jupyter imports, from compiling a grammar of international URLs (IRIs). That takes longer
    # than all other imports of the server, and the module is optional and unused here.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from popforecast.explorer.server import serve

    try:
        serve(sys.argv[1:])
    except PopforecastError as error:
        sys.exit(f"Error: {error}")
