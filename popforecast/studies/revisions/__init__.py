"""Comparison of two revisions, for the notebook ``revision-diff``."""

from popforecast.studies.revisions.measurement import Comparison, compare_revisions, find_moved
from popforecast.studies.revisions.presentation import (
    count_changes,
    describe_sources,
    explain_errors,
    explain_held,
    list_renamed,
    score_errors,
    score_held,
    sum_regions,
    tabulate_all,
    tabulate_moved,
    tell_finding,
    tell_forecast,
    tell_order,
    tell_small,
)
