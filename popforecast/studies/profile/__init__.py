"""Profile of a location for the notebook ``country-profile``: tables, charts and text."""

from popforecast.studies.profile.charts import chart_difference, chart_growth, chart_history
from popforecast.studies.profile.context import tell_events, tell_finding
from popforecast.studies.profile.figures import (
    Profile,
    make_profile,
    tabulate_difference,
    tabulate_forecast,
    tabulate_record,
    tabulate_vintages,
)
from popforecast.studies.profile.scenarios import Scenario, imagine, tabulate_scenarios
from popforecast.studies.profile.sentences import (
    describe_source,
    list_cautions,
    list_milestones,
    tell_difference,
    tell_forecast,
    tell_growth,
    tell_intervals,
    tell_record,
    tell_scenarios,
    tell_vintages,
)
