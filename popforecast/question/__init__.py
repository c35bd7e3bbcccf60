"""Questions: one table of parameters, shared by URLs, the command line and Python code."""

from popforecast.question.ages import AgesQuestion, ComponentsQuestion
from popforecast.question.code import write_code
from popforecast.question.places import EVERY, LONGEST_GROUP_NAME, MOST_GROUPS, MOST_LOCATIONS, split_group
from popforecast.question.reading import (
    Faults,
    Given,
    Parameter,
    QuestionError,
    Schema,
    Texts,
    find_unknown,
    read_values,
    write_arguments,
)
from popforecast.question.table import PARAMETERS, Asked, Question, View
from popforecast.question.texts import Group, read_level, read_year

__all__ = [
    "EVERY",
    "LONGEST_GROUP_NAME",
    "MOST_GROUPS",
    "MOST_LOCATIONS",
    "PARAMETERS",
    "AgesQuestion",
    "Asked",
    "ComponentsQuestion",
    "Faults",
    "Given",
    "Group",
    "Parameter",
    "Question",
    "QuestionError",
    "Schema",
    "Texts",
    "View",
    "find_unknown",
    "read_level",
    "read_values",
    "read_year",
    "split_group",
    "write_arguments",
    "write_code",
]
