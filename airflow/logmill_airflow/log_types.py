"""The log types of logmill and the tables that they feed, in one list. Independent of Airflow."""

import difflib
from collections.abc import Iterable

# Log type: its default table.
LOG_TYPES = {"cloudtrail": "cloudtrail", "s3-access": "s3_access"}


def log_type(name: object) -> str:
    """The log type of a name; `s3_access` is one for `s3-access`."""
    known = str(name).replace("_", "-")
    if known not in LOG_TYPES:
        raise ValueError(f"'{name}' is not a log type: {meant(str(name), LOG_TYPES)}")
    return known


def meant(name: str, known: Iterable[str]) -> str:
    """The nearest known name for a misspelt one, or all known names if none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(names)}"
