"""Every error is of one family, and fit to be shown to a person; what it also is says whose fault it was."""

from __future__ import annotations

import inspect
import pickle

import pytest

import app.server.health
import app.settings
import popforecast.client
import popforecast.explorer.addresses
import popforecast.question.reading
from popforecast import errors
from popforecast.errors import FetchError, InputError, LockError, PopforecastError, UnknownLocationError

MODULES = (
    errors,
    popforecast.client,
    popforecast.explorer.addresses,
    popforecast.question.reading,
    app.settings,
    app.server.health,
)
FAMILY = {
    kind
    for module in MODULES
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, PopforecastError)
}
# What a run, a stored file, a network or another process did: nothing that was passed in is wrong by itself.
NO_INPUT = {"FetchError", "LockError", "NotReadyError", "ReportError", "RequestError", "ScaleError", "StoreError"}


@pytest.mark.parametrize("kind", sorted(FAMILY, key=str), ids=lambda kind: kind.__name__)
def test_an_error_is_a_value_error_where_the_input_is_wrong_and_only_there(kind: type[Exception]) -> None:
    is_input = kind is not PopforecastError and kind.__name__ not in NO_INPUT
    assert issubclass(kind, InputError) == is_input
    assert issubclass(kind, ValueError) == is_input
    assert kind.__doc__


def test_only_what_the_system_refused_is_an_os_error() -> None:
    assert {kind for kind in FAMILY if issubclass(kind, OSError)} == {FetchError, LockError}


@pytest.mark.parametrize("kind", [FetchError, LockError])
def test_an_os_error_of_ours_says_its_sentence_and_no_number(kind: type[Exception]) -> None:
    error = kind("the folder is held: wait for it")
    assert str(error) == "the folder is held: wait for it"
    assert repr(error) == f"{kind.__name__}('the folder is held: wait for it')"


def test_unknown_locations_are_told_in_sentences() -> None:
    error = errors.UnknownLocationError({"Nigera": ("Nigeria", "Niger"), "Atlantis": ()})
    assert str(error) == (
        "no location 'Nigera'; nearest: Nigeria, Niger. no location 'Atlantis'. "
        "Expected a code, ISO3 code, name or alias."
    )


def test_long_input_is_told_shortly() -> None:
    assert len(str(errors.UnknownLocationError({"x" * 10_000: ()}))) < 200
    assert "990 more are unknown" in str(errors.UnknownLocationError({str(i): () for i in range(1000)}))


def test_locations_not_found_are_still_named_after_a_pickle() -> None:
    error = UnknownLocationError({"Wurld": ("World",)})
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.unknown, str(copy)) == (error.unknown, str(error))
