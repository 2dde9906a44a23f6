"""The log types of logmill and the tables that they feed, in one list. Independent of Airflow."""

import difflib
from collections.abc import Iterable

# Log type: its default table. Another log type can be used if its table is named.
LOG_TYPES = {
    "cloudtrail": "cloudtrail",
    "s3-access": "s3_access",
    "alb-access": "alb_access",
    "alb-connection": "alb_connection",
    "nlb-access": "nlb_access",
    "clb-access": "clb_access",
    "cloudfront": "cloudfront",
    "vpc-flow": "vpc_flow",
    "waf": "waf",
}

# The log types of a configuration that names no source. DAGs have tasks for tables that are known when they are parsed, so
# they do not find other log types in the inputs as `logmill run` does.
DEFAULTS = ("cloudtrail", "s3-access")


# How similar a name must be to a known log type to be taken for a misspelling of it.
MISSPELT = 0.85


def log_type(name: object, table: object = None) -> str:
    """The log type of a name; `s3_access` is one for `s3-access`.

    A name that is not in the list passes if it comes with a table and is not a misspelling: the program may know more
    log types than this package, and checks the name itself.
    """
    found = str(name).replace("_", "-")
    if found in LOG_TYPES:
        return found
    if not table or not found or difflib.get_close_matches(found, LOG_TYPES, n=1, cutoff=MISSPELT):
        raise ValueError(f"'{name}' is not a log type: {suggestion(str(name), LOG_TYPES)}")
    return found


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest known name for a misspelt one, or all known names if none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(names)}"
