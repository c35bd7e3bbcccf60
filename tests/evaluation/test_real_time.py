"""Errors of growth relative to the UN's: those of compare_vintages, interpolated between five-yearly figures."""

from __future__ import annotations

import numpy as np
import pytest

import popforecast as pf
from popforecast.errors import ModelError, YearError
from popforecast.evaluation.real_time import measure_errors, relate_to_medium
from popforecast.evaluation.vintages import UN, compare_vintages


def test_the_errors_are_the_rebased_ones_of_compare_vintages() -> None:
    errors = measure_errors("wpp2012", "wpp2024", pf.models.get_several(["cohort", "naive"]))
    known = compare_vintages("wpp2012", models=["cohort", "naive"]).errors.query("basis == 'rebased'")
    wide = known.pivot(index=["year", "location_code"], columns="source", values="ape")
    assert errors.index.unique("year").tolist() == [2015, 2020, 2023]
    np.testing.assert_allclose(errors.loc[wide.index, [UN, "cohort", "naive"]], wide[[UN, "cohort", "naive"]])


def test_a_year_between_five_yearly_ones_grows_constantly_from_one_to_the_next() -> None:
    un = pf.load_projections("wpp2012").query("location_code == 566").set_index("year")["population"]
    then, now = (pf.load_panel(name).select("Nigeria") for name in ("wpp2012", "wpp2024"))
    base = now.values[0, now.years == 2010].item() / then.values[0, -1]
    expected = 100 * abs(base * un[2020] ** 0.4 * un[2025] ** 0.6 / now.values[0, -1] - 1)
    assert measure_errors("wpp2012", "wpp2024", [])[UN][2023, 566] == pytest.approx(expected)


def test_the_default_model_is_level_with_the_un_where_totals_alone_are_not() -> None:
    pooled = relate_to_medium().query("vintage == 'all'").set_index("source")
    assert pooled["mean"]["cohort"] <= 1.01 < pooled["mean_lower_90"]["panel-ar"]
    assert pooled["median"]["cohort"] <= 0.95 < pooled["median"]["panel-ar"]


def test_half_the_default_and_half_the_un_is_closer_than_the_un() -> None:
    pooled = relate_to_medium(models="naive").query("vintage == 'all'").set_index("source")
    assert pooled.index.tolist() == ["naive", "with-un"]
    assert pooled["mean"]["with-un"] <= 0.98
    assert pooled["mean_upper_90"]["with-un"] <= 1
    naive = pf.models.get_several("naive")
    errors = measure_errors("wpp2012", "wpp2024", [*naive, pf.Cohort()])
    # Where one is too high and the other too low, their mean is closer than the worse of them.
    assert (errors["with-un"] <= errors[[UN, "cohort"]].max(axis=1) + 1e-9).all()


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ModelError, match="projections of wpp2019 are not embedded: expected one of wpp2010"):
        relate_to_medium(["wpp2019"], models="naive")
    with pytest.raises(YearError, match="wpp2012 ends in 2010: expected a revision with years after 2010"):
        relate_to_medium(["wpp2010"], "wpp2012", "naive")
