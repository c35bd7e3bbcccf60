"""Text of the notebook ``3-backtest``; each sentence is computed from the backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from popforecast.evaluation.backtesting import Backtest
from popforecast.evaluation.halves import TUNING, choose
from popforecast.models import DEFAULT_MODEL, MODELS
from popforecast.panel import Panel, check_panel
from popforecast.studies.backtest import check_run
from popforecast.studies.events import UNEXPLAINED
from popforecast.text import join_words
from popforecast.wpp.editions import DEFAULT_REVISION, find_edition, get_edition

# Short descriptions of the models.
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "ar1": "an autoregression on the last value, with which this project began",
        "naive": "which assumes no change",
        "drift": "which continues the average past change",
        "damped-growth": "last year's growth, fading out",
        "ar": "an autoregression of growth whose order is chosen for each location",
        "panel-ar": "five component forecasts of growth, estimated from all locations where the history is long enough",
        "cohort": "a projection by age and sex from past births, deaths and migration",
        "combination": "a weighted mean of cohort and panel-ar",
    }
)


# Textbook methods without tuned parameters.
UNTUNED = frozenset({"ar1", "naive", "drift"})


def tell_models(models: Sequence[str]) -> str:
    """Describe the main model and its benchmarks.

    Examples
    --------
    >>> tell_models(["drift", "naive"])
    'The main model here is `drift`, which continues the average past change. It is compared with: `naive`, which \
assumes no change.'
    """
    first, *others = (
        f"`{name}`{', the default' if name == DEFAULT_MODEL else ''}, {MEANINGS[name]}" for name in models
    )
    return f"The main model here is {first}." + (f" It is compared with: {'; '.join(others)}." if others else "")


def tell_errors(backtest: Backtest, models: Sequence[str], horizon: int) -> str:
    """Describe the errors of the first three models at a horizon and the longest one, and coverage of the first.

    Parameters
    ----------
    backtest : Backtest
    models : sequence of str
        Models of the backtest; the first is the main model.
    horizon : int
        A horizon of the backtest.

    Raises
    ------
    ScoreError
        If the model or the horizon was not run.
    """
    check_run(backtest, "model", models[0])
    check_run(backtest, "horizon", horizon)
    panel, scores = check_panel(backtest.panel), backtest.scores().set_index(["model", "horizon"])
    longest = int(backtest.errors["horizon"].max())
    unit, origins = _name_steps(panel), backtest.errors["origin"].nunique()
    errors = {name: [scores["mape"][name, ahead] for ahead in dict.fromkeys([horizon, longest])] for name in models[:3]}
    first, *others = models[:3]
    far = f" and by {errors[first][-1]:.1f}% after {longest}" if longest != horizon else ""
    beside = "".join(f"; {name} by {' and '.join(f'{error:.1f}' for error in errors[name])}%" for name in others)
    held = scores.query("model == @first")["coverage_95"]
    low, high = f"{held.min():.0f}", f"{held.max():.0f}"
    covered = f"{low}% of outcomes" if low == high else f"{low} to {high}% of outcomes, depending on the horizon"
    places = "countries" if find_edition(panel) else "locations"
    return (
        f"Over {len(panel)} {places} and {origins} origin{'s' if origins > 1 else ''}, "
        f"on final data, {first} was off by {errors[first][0]:.1f}% on average after {horizon} {unit}{far}{beside}. "
        f"The 95% intervals of {first} contained {covered}."
    )


def tell_final(hindsight: pd.DataFrame | None) -> str:
    """Explain final data, and how much smaller errors are on it, if known.

    Parameters
    ----------
    hindsight : DataFrame or None
        As :func:`popforecast.studies.backtest.measure_hindsight` returns it; None for data without vintages.
    """
    if hindsight is None:
        return (
            "**Final data.** Every model here uses the history in this file. If figures were revised later, they were "
            "not available at the time, and errors in real time may have been larger than on this page."
        )
    facts, ratios = hindsight.iloc[0], hindsight["ratio"]
    low, high = ratios.idxmin(), ratios.idxmax()
    spread = f"{ratios.min():.1f} ({low}) to {ratios.max():.1f} times ({high})"
    if low == high:
        spread = f"{ratios.min():.1f} times ({low})"
    named = ", ".join(f"{ratios[name]:.1f} for {name}" for name in ratios.index if name not in (low, high))
    edition = get_edition(facts["vintage"]).edition
    history = "today's history"
    if facts["revision"] != DEFAULT_REVISION:
        history = f"the history in the {get_edition(facts['revision']).edition} edition"
    verdict = " This flatters every model here." if ratios.min() > 1 else ""
    return (
        f"**Final data.** Every model here uses {history}, revised and partly interpolated after the fact. "
        f"Those figures were not available at the time.{verdict} Using only what was known in {facts['origin']} "
        f"(the {edition} edition), mean errors {facts['year'] - facts['origin']} years ahead were {spread} those on "
        f"final data{f'; {named}' if named else ''}. This covers the {facts['n']} comparable countries; the "
        "report *4. Vintages* gives the errors in real time."
    )


def tell_tuning(panel: Panel, models: Sequence[str]) -> str:
    """Describe the locations on which the models were tuned, if any.

    Examples
    --------
    >>> from popforecast.wpp.editions import load_panel
    >>> tell_tuning(load_panel("wpp2024").countries(), ["ar1", "naive"])
    'None of these models was tuned on any country.'
    """
    if not set(models) - UNTUNED:
        return f"{'None of these models was' if len(models) > 1 else 'This model was not'} tuned on any country."
    if find_edition(panel) is None:
        return (
            "The models were chosen and tuned on the UN's countries, not on this file; here they are estimated from "
            "its figures alone."
        )
    tuned = int(choose(panel.locations.index, TUNING).sum())
    return (
        f"The models were chosen and tuned on {tuned} of these {len(panel)} countries, those whose M49 code, divided "
        "by four, is odd. This page scores all of them; its results played no part in the choice."
    )


def tell_intervals(models: Sequence[str]) -> str:
    """Describe how the intervals of each model are computed.

    Examples
    --------
    >>> tell_intervals(["naive"])
    'The intervals of naive are calibrated on its own errors up to the origin, where there are enough.'
    """
    learnt = [name for name in models if MODELS[name].calibrated]
    formal = [name for name in models if name not in learnt]
    said = []
    if learnt:
        whose = "its own errors" if len(learnt) == 1 else "each model's own errors"
        said.append(
            f"The intervals of {join_words(learnt)} are calibrated on {whose} up to the origin, where there are enough."
        )
    if formal:
        said.append(
            f"{'Those' if learnt else 'The intervals'} of {join_words(formal)} are analytic: they take the estimated "
            "coefficients as exact."
        )
    return " ".join(said)


def tell_misfits(misfits: pd.DataFrame, backtest: Backtest, model: str) -> str:
    """Describe how often coverage differs by more than chance, and the origins with too narrow or wide intervals.

    Parameters
    ----------
    misfits : DataFrame
        As :func:`popforecast.studies.backtest.find_misfits` returns it.
    backtest : Backtest
    model : str
    """
    errors = backtest.errors[backtest.errors["model"] == model]
    figures = len(errors[["origin", "horizon"]].drop_duplicates()) * len(backtest.levels)
    low, high = int((misfits["off"] < 0).sum()), int((misfits["off"] > 0).sum())
    by_origin = misfits["off"].groupby(level="origin")
    narrow, wide = by_origin.max() < 0, by_origin.min() > 0
    kinds = {"too narrow": narrow, "too wide": wide, "too narrow or too wide by horizon": ~narrow & ~wide}
    told = [
        f"{kind} after {join_words([str(origin) for origin in chosen.index[chosen]])}"
        for kind, chosen in kinds.items()
        if chosen.any()
    ]
    said = (
        f"Of these {figures} shares, {low} are below and {high} above the nominal level by more than chance would "
        "explain if locations were independent."
    )
    return f"{said} There the intervals were {'; '.join(told)}." if told else said


def tell_misses(misses: pd.DataFrame, model: str, horizon: int, panel: Panel) -> str:
    """Describe the table of largest errors, and how many have a listed cause."""
    known = int((misses["what happened"] != UNEXPLAINED).sum())
    told = "None" if not known else f"All {known}" if known == len(misses) else f"{known} of the {len(misses)}"
    return (
        f"The largest errors of {model} after {horizon} {_name_steps(panel)}, one for each location. Where the error "
        f"is positive, the forecast was too high. {told} followed an event in popforecast's list, which past totals "
        "could not have signalled."
    )


def list_cautions(backtest: Backtest, model: str, horizon: int) -> str:
    """Return the limitations of a backtest, as a Markdown list."""
    panel = check_panel(backtest.panel)
    origins = np.sort(backtest.errors["origin"].unique())
    longest = int(backtest.errors["horizon"].max())
    cautions = []
    if find_edition(panel):
        said = "In real time the past itself is revised: see *4. Vintages*."
        if MODELS[model].calibrated:
            said += (
                f" The intervals of {model} here are of the kind `final`; our published forecasts use wider "
                "`real-time` intervals, which allow for UN revisions."
            )
        cautions.append(said)
    if len(origins) > 1 and np.diff(origins).min() < longest * panel.step:
        cautions.append(
            f"Origins are as little as {np.diff(origins).min()} years apart and forecasts run up to "
            f"{longest * panel.step} years: the runs overlap and are not independent trials."
        )
    errors = backtest.errors[(backtest.errors["model"] == model) & (backtest.errors["horizon"] == horizon)]
    if errors["outcome"].sum() > 0:
        weighted = np.average(errors["ape"], weights=errors["outcome"])
        cautions.append(
            f"Each location counts the same here. Weighted by population, {model} was off by {weighted:.1f}% "
            f"after {horizon} {_name_steps(panel)}, compared with {errors['ape'].mean():.1f}% unweighted."
        )
    return "\n".join(f"- {caution}" for caution in cautions)


def _name_steps(panel: Panel) -> str:
    return "years" if panel.step == 1 else f"steps of {panel.step} years"
