"""``python peer.py TABLE MODEL COUNT``, by the peers' own Python: seconds of processor for so many series."""

import sys
import time

import pandas as pd
from statsforecast import StatsForecast, models


def main(path: str, name: str, count: int) -> None:
    """Print what fit and forecast take, with 80 and 95% intervals where the model has them."""
    model = models.AutoRegressive(lags=1) if name == "AutoRegressive" else getattr(models, name)(season_length=1)
    wide = pd.read_csv(path, index_col="id").head(count)
    long = wide.rename_axis("unique_id").reset_index().melt("unique_id", var_name="ds", value_name="y")
    long["ds"] = long["ds"].astype(int)
    long = long.sort_values(["unique_id", "ds"], ignore_index=True)
    # Its AutoRegressive ends with an error on a series that explodes; the run shall not.
    engine = StatsForecast(models=[model], freq=1, n_jobs=1, fallback_model=models.Naive())
    # Compiled before it is timed.
    engine.forecast(df=long.head(5 * wide.shape[1]), h=10, level=[80, 95])
    started = time.process_time()
    engine.forecast(df=long, h=10, level=[80, 95])
    print(time.process_time() - started)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
