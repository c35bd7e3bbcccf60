"""``python -m popforecast``: the command line."""

from popforecast.cli import main

main(prog_name="popforecast")
