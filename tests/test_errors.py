"""Every error that bad input causes is of one family, and fit to be shown to a person."""

from __future__ import annotations

import inspect

import pytest

from popforecast import errors

FAMILY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_error_is_a_value_error_of_ours(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.PopforecastError)
    assert issubclass(kind, ValueError)
    assert kind.__doc__


def test_unknown_locations_are_told_in_sentences() -> None:
    error = errors.UnknownLocationError({"Nigera": ("Nigeria", "Niger"), "Atlantis": ()})
    assert str(error) == (
        "no location 'Nigera'; nearest: Nigeria, Niger. no location 'Atlantis'. "
        "Expected a code, ISO3 code, name or alias."
    )


def test_long_input_is_told_shortly() -> None:
    assert len(str(errors.UnknownLocationError({"x" * 10_000: ()}))) < 200
    assert "990 more are unknown" in str(errors.UnknownLocationError({str(i): () for i in range(1000)}))
