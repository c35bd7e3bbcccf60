"""A question as Python code."""

from __future__ import annotations

from popforecast.question.places import Every
from popforecast.question.table import Question


def write_code(question: Question, *models: str) -> str:
    """Return three lines of Python that reproduce the numbers of a question.

    Parameters
    ----------
    question : Question
    models : str
        Code for each model (default: the question's model); with several, the last line makes a list.

    Examples
    --------
    >>> print(write_code(Question((900,), 2030, 2035, "ar1", "wpp2019")))
    import popforecast as pf
    panel = pf.load_panel('wpp2019')
    pf.forecast(panel, [900], 2030, 2035, 'ar1', levels=[80, 95])
    """
    groups = {name: list(codes) for name, codes in question.groups}
    is_every = isinstance(question.locations, Every) and not groups
    places = None if is_every else [*question.locations, *groups]
    levels = ", ".join(f"{level:g}" for level in question.levels)
    given = ", ".join(f"{name}={value!r}" for name, value in question.scenario.items())
    own = f"pf.Cohort({given})" if given else repr(question.model)
    model = "model" if len(models) > 1 else models[0] if models else own
    call = f"pf.forecast(panel, {places}, {question.start}, {question.end}, {model}, levels=[{levels}]"
    call += f", groups={groups})" if groups else ")"
    if len(models) > 1:
        call = f"[{call} for model in [{', '.join(models)}]]"
    return f"import popforecast as pf\npanel = pf.load_panel({question.revision!r})\n{call}"
