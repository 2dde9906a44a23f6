"""Targets of logmill compared with other engines, and whether this run meets them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from benches.peers.contestants import LOGMILL, Contestant
from benches.peers.questions import Answer
from benches.peers.rows import Result

Number = Callable[[Result], float]
Found = dict[str, dict[Contestant, Result]]


def cpu(result: Result) -> float:
    """Returns the CPU seconds."""
    return result.run.cpu


def wall(result: Result) -> float:
    """Returns the elapsed seconds."""
    return result.run.wall


def size(result: Result) -> float:
    """Returns the size of the files in bytes."""
    return result.loaded.size


@dataclass(frozen=True)
class Target:
    """A limit for a number of logmill, as a share of the same number of another engine."""

    text: str
    table: str
    number: Number
    engine: str
    at_most: Fraction


TARGETS = (
    Target("CloudTrail: CPU", "cloudtrail", cpu, "ClickHouse", Fraction(1, 4)),
    Target("CloudTrail: time", "cloudtrail", wall, "ClickHouse", Fraction(1, 4)),
    Target("CloudTrail: CPU", "cloudtrail", cpu, "DuckDB", Fraction(1, 15)),
    Target("access logs: CPU", "s3_access", cpu, "ClickHouse", Fraction(1, 10)),
    Target("ALB: CPU", "alb_access", cpu, "ClickHouse", Fraction(1, 2)),
    Target("AWS WAF: CPU", "waf", cpu, "ClickHouse", Fraction(1, 2)),
    Target("CloudTrail: files", "cloudtrail", size, "DuckDB", Fraction(1)),
    Target("CloudTrail: files, stretch target", "cloudtrail", size, "DuckDB", Fraction(3, 4)),
    Target("access logs: files", "s3_access", size, "DuckDB", Fraction(1)),
    Target("access logs: files, stretch target", "s3_access", size, "DuckDB", Fraction(3, 4)),
)
QUESTIONS_BELOW = Fraction(1, 10)


def table(found: Found, answers: list[Answer]) -> list[str]:
    """Formats a row for each target and each variant of its engine that ran."""
    lines = [
        "## Targets",
        "",
        "logmill's numbers as a share of the other engine's: target and result.",
        "",
        "| target | compared with | limit | result |",
        "|---|---|---|---|",
        *(line for target in TARGETS if target.table in found for line in met(target, found[target.table])),
        *met_by_questions(answers),
    ]
    return [*lines, ""]


def met(target: Target, results: dict[Contestant, Result]) -> Iterator[str]:
    """Formats a target for each variant of its engine. Sizes of files that lack rows are not compared."""
    ours = target.number(results[LOGMILL])
    for contestant, result in results.items():
        is_incomplete = target.number is size and result.lost > 0
        if contestant.engine == target.engine and not is_incomplete:
            share = ours / target.number(result)
            verdict = "met" if share <= target.at_most else "missed"
            yield f"| {target.text} | {contestant.name} | at most {target.at_most} | {verdict}: {share:.3f} |"


def met_by_questions(answers: list[Answer]) -> Iterator[str]:
    """Formats the target for the bytes of each question and each other contestant."""
    for answer in answers:
        for name in list(answer.costs)[1:]:
            share = answer.ratio(LOGMILL.name, name)
            verdict = "met" if share < QUESTIONS_BELOW else "missed"
            text = f"bytes for: {answer.question.text}"
            yield f"| {text} | {name} | below {QUESTIONS_BELOW} | {verdict}: {share:.3f} |"
