"""What a day costs in AWS, on paper: prints the tables of docs/deploy.md.

Every number that goes in stands at the top, with where it comes from: `python3 deploy/cost.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

GB, TB = 10**9, 10**12


@dataclass(frozen=True)
class Prices:
    """List prices in dollars of 2024-25, not looked up anew: check them before you rely on them."""

    region: str
    fargate_vcpu_hour: float
    fargate_gb_hour: float
    glue_dpu_hour: float
    get_1000: float
    put_or_list_1000: float
    stored_gb_month: float
    athena_tb: float


VIRGINIA = Prices("us-east-1", 0.04048, 0.004445, 0.44, 0.0004, 0.005, 0.023, 5.0)
SEOUL = Prices("ap-northeast-2", 0.04656, 0.00511, 0.44, 0.00035, 0.0045, 0.025, 5.0)


@dataclass(frozen=True)
class Log:
    """A kind of log: what was measured of it with the benchmark days, and the size of its objects."""

    name: str
    # Raw bytes a second of CPU, from files: benches/results/limits.md (ten-fold day) for CloudTrail, peers.md
    # for access logs, slowed down as CloudTrail is when the day outgrows memory (12.81 / 10).
    bytes_per_cpu_second: float
    object_bytes: int
    # Published bytes, by peers.md, and what shards leave in a bucket and on the disk of the publisher,
    # measured with a quarter of the benchmark day; all against raw bytes.
    published: float
    staged: float
    spilled: float


LOGS = (
    Log("CloudTrail, gzip, 50 KB an object", 1_167_529_430 / 70.0, 50_000, 0.56, 0.88, 4.55),
    Log("access logs, 50 KB an object", 959_971_374 / 12.04 / 1.281, 50_000, 0.19, 0.27, 0.76),
    Log("access logs, 2 KB an object", 959_971_374 / 12.04 / 1.281, 2_000, 0.19, 0.27, 0.76),
)
SIZES = (("1 GB", GB), ("100 GB", 100 * GB), ("10 TB", 10 * TB))

# CPU of an object from S3 beside that of one from a folder, and objects a second of one process that mostly
# waits: benches/results/s3-small-objects.md.
CPU_SECONDS_PER_OBJECT = (239 - 44) / 1e6
OBJECTS_PER_SECOND = 1413
# Of a vCPU that is paid for: 1.8 of two threads' worth, by limits.md.
USED = 0.9
# GB of memory beside each vCPU.
GB_PER_VCPU = 2
VCPU_PER_DPU = 4
# Of the CPU time of a day, what the publisher does, and what one thread of it does alone: results/profile.md.
PUBLISHED_BY_ONE, ALONE = 0.41, 0.03
NAMES_PER_LIST = 1000
# Bytes of a request that writes, or reads what was staged.
PART = 8 * 2**20


@dataclass(frozen=True)
class Day:
    """A day of one log."""

    log: Log
    raw: int

    @property
    def objects(self) -> float:
        """Raw objects."""
        return self.raw / self.log.object_bytes

    @property
    def bytes_seconds(self) -> float:
        """Seconds of CPU for bytes and rows, wherever they are spent."""
        return self.raw / self.log.bytes_per_cpu_second

    @property
    def cpu_seconds(self) -> float:
        """Seconds of CPU, with those for requests."""
        return self.bytes_seconds + self.objects * CPU_SECONDS_PER_OBJECT

    @property
    def vcpu_hours(self) -> float:
        """Hours of a vCPU that are paid for: at work, or waiting for S3 where objects are small."""
        return max(self.cpu_seconds / USED, self.objects / OBJECTS_PER_SECOND) / 3600

    def requests(self, prices: Prices) -> float:
        """Dollars for listing and fetching the raw objects, for staging in S3 and for what is published."""
        staged = self.raw * self.log.staged / PART
        gets = self.objects + staged
        others = self.objects / NAMES_PER_LIST + staged + self.published / PART
        return (gets * prices.get_1000 + others * prices.put_or_list_1000) / 1000

    def fargate(self, prices: Prices) -> float:
        """Dollars for ECS or Batch on Fargate."""
        return self.vcpu_hours * (prices.fargate_vcpu_hour + GB_PER_VCPU * prices.fargate_gb_hour)

    def glue(self, prices: Prices) -> float:
        """Dollars for the same hours of vCPUs as DPUs of Glue."""
        return self.vcpu_hours / VCPU_PER_DPU * prices.glue_dpu_hour

    @property
    def published(self) -> float:
        """Bytes of Parquet."""
        return self.raw * self.log.published

    def kept(self, prices: Prices) -> float:
        """Dollars a month for keeping the published day."""
        return self.published / GB * prices.stored_gb_month

    def scanned(self, prices: Prices) -> float:
        """Dollars for one query of Athena that reads every column of the day."""
        return self.published / TB * prices.athena_tb

    @property
    def publisher_hours(self) -> float:
        """Hours of the publisher with so many cores that only what one thread does alone counts."""
        return self.bytes_seconds * ALONE / 3600

    @property
    def publisher_vcpu_hours(self) -> float:
        """Hours of vCPUs on the publisher."""
        return self.bytes_seconds * PUBLISHED_BY_ONE / 3600


def days() -> Iterator[tuple[str, Day]]:
    """Every day of the tables."""
    for size, raw in SIZES:
        for log in LOGS:
            yield size, Day(log, raw)


def dollars(amount: float) -> str:
    """An amount with as many digits as tell something."""
    digits = 3 if amount < 1 else 2 if amount < 100 else 0
    return f"${amount:,.{digits}f}"


def number(amount: float) -> str:
    """A number with as many digits as tell something."""
    return f"{amount:,.{2 if amount < 10 else 0}f}"


def size(bytes_: float) -> str:
    """Bytes as people write them."""
    return f"{number(bytes_ / GB)} GB" if bytes_ < TB else f"{number(bytes_ / TB)} TB"


def table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    rule = "|---" * (head.count("|") - 1) + "|"
    return "\n".join([head, rule, *("| " + " | ".join(row) + " |" for row in rows)])


def costs(prices: Prices) -> str:
    """What each day costs."""
    head = "| raw logs | requests | Fargate | together | instead, on Glue | kept, a month | one full scan |"
    rows = (
        (
            f"{size_}, {day.log.name}",
            dollars(day.requests(prices)),
            dollars(day.fargate(prices)),
            dollars(day.requests(prices) + day.fargate(prices)),
            dollars(day.requests(prices) + day.glue(prices)),
            dollars(day.kept(prices)),
            dollars(day.scanned(prices)),
        )
        for size_, day in days()
    )
    return f"{prices.region}:\n\n{table(head, rows)}"


def machines() -> str:
    """What each day needs."""
    work = "vCPU hours | of these, publisher | at least, hours"
    head = f"| raw logs | objects | {work} | staged in S3 | disk of the publisher |"
    rows = (
        (
            f"{size_}, {day.log.name}",
            f"{day.objects:,.0f}",
            number(day.vcpu_hours),
            number(day.publisher_vcpu_hours),
            number(day.publisher_hours),
            size(day.raw * day.log.staged),
            size(day.raw * day.log.spilled),
        )
        for size_, day in days()
    )
    return table(head, rows)


def tables() -> str:
    """All that docs/deploy.md takes over."""
    return "\n\n".join([costs(VIRGINIA), costs(SEOUL), machines()])


if __name__ == "__main__":
    print(tables())
