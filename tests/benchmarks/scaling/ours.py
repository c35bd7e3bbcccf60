"""``python ours.py DATA OUTPUT MODEL``: the forecast whose time and memory are measured."""

import sys

from peak import tell_peak

import popforecast as pf

if __name__ == "__main__":
    data, output, model = sys.argv[1:]
    pf.scale.forecast(data, output, id="id", model=model, workers=2)
    tell_peak()
