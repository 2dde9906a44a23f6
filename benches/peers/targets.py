"""What logmill aims at beside other engines, and whether the figures of this run meet it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from benches.peers.contestants import LOGMILL, Contestant
from benches.peers.questions import Answer
from benches.peers.rows import Standing

Number = Callable[[Standing], float]
Found = dict[str, dict[Contestant, Standing]]


def cpu(standing: Standing) -> float:
    """Seconds of CPU."""
    return standing.run.cpu


def wall(standing: Standing) -> float:
    """Seconds."""
    return standing.run.wall


def size(standing: Standing) -> float:
    """Bytes of the files."""
    return standing.made.size


@dataclass(frozen=True)
class Target:
    """A number of logmill's, at most so much of another engine's."""

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
    Target("CloudTrail: files", "cloudtrail", size, "DuckDB", Fraction(1)),
    Target("CloudTrail: files, as an aim", "cloudtrail", size, "DuckDB", Fraction(3, 4)),
    Target("access logs: files", "s3_access", size, "DuckDB", Fraction(1)),
    Target("access logs: files, as an aim", "s3_access", size, "DuckDB", Fraction(3, 4)),
)
QUESTIONS_BELOW = Fraction(1, 10)


def table(found: Found, answers: list[Answer]) -> list[str]:
    """A line for each target beside each form of an engine that ran."""
    lines = [
        "## Targets",
        "",
        "logmill's share of what the other takes: what it is to be, and what it is.",
        "",
        "| target | beside | share | |",
        "|---|---|---|---|",
        *(line for target in TARGETS for line in held(target, found[target.table])),
        *asked(answers),
    ]
    return [*lines, ""]


def held(target: Target, standings: dict[Contestant, Standing]) -> Iterator[str]:
    """The target beside each form of its engine; files that lack rows are no measure of size."""
    ours = target.number(standings[LOGMILL])
    for contestant, standing in standings.items():
        short = target.number is size and standing.lost > 0
        if contestant.engine == target.engine and not short:
            share = ours / target.number(standing)
            verdict = "met" if share <= target.at_most else "missed"
            yield f"| {target.text} | {contestant.name} | at most {target.at_most} | {verdict}: {share:.3f} |"


def asked(answers: list[Answer]) -> Iterator[str]:
    """The bytes of each question beside each of those who were asked, too."""
    for answer in answers:
        for name in list(answer.costs)[1:]:
            share = answer.ratio(LOGMILL.name, name)
            verdict = "met" if share < QUESTIONS_BELOW else "missed"
            text = f"bytes for: {answer.question.text}"
            yield f"| {text} | {name} | below {QUESTIONS_BELOW} | {verdict}: {share:.3f} |"
