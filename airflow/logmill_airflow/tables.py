"""The tables of a run, as `logmill config` lists them for its settings and days. Independent of Airflow.

The package keeps no list of log types: a new one in the program needs no change here.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

# How the program names the log type of a table: `cloudtrail.dataset`.
OF_TABLE = ".dataset"


def default_table(log_type: str) -> str:
    """The table that a log type feeds if the settings name none."""
    return log_type.replace("-", "_")


def sources_in(settings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources in the lines of `logmill config --format json`, as the fields of `Source`."""
    return [
        # With its log type, the program finds every table by its name.
        {"dataset": line["value"], "table": line["name"].removesuffix(OF_TABLE), "named": True}
        for line in settings
        if line["name"].endswith(OF_TABLE)
    ]


def suggestion(name: str, known: Iterable[str]) -> str:
    """The nearest known name for a misspelt one, or all known names if none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(names)}"


def is_misspelling(name: str, known: Iterable[str]) -> bool:
    """Whether a name that is not known is nearly a known one."""
    names = list(known)
    return name not in names and bool(difflib.get_close_matches(name, names, n=1, cutoff=0.85))
