"""Estimates what a day costs in AWS, and prints the tables of docs/deploy.md.

All inputs are at the top of the file, with their sources. Run `python3 deploy/cost.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

GB, TB = 10**9, 10**12


@dataclass(frozen=True)
class Prices:
    """List prices in dollars of 2024-25. They are not updated: check them before you rely on them."""

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
    """A log type: measurements from the benchmark days, and its object size."""

    name: str
    # Raw bytes per second of CPU, from files: benches/results/limits.md (ten-fold day) for CloudTrail, peers.md
    # for access logs. The rate for access logs is divided by 1.281, as CloudTrail's rate drops by that factor
    # (12.81 / 10) when the day outgrows memory.
    bytes_per_cpu_second: float
    object_bytes: int
    # Ratios to raw bytes: published bytes, from peers.md; bytes that shards stage in a bucket and bytes that the
    # publisher spills to disk, measured with a quarter of the benchmark day.
    published: float
    staged: float
    spilled: float


LOGS = (
    Log("CloudTrail, gzip, 50 KB objects", 1_167_529_430 / 70.0, 50_000, 0.56, 0.88, 4.55),
    Log("access logs, 50 KB objects", 959_971_374 / 12.04 / 1.281, 50_000, 0.19, 0.27, 0.76),
    Log("access logs, 2 KB objects", 959_971_374 / 12.04 / 1.281, 2_000, 0.19, 0.27, 0.76),
)
SIZES = (("1 GB", GB), ("100 GB", 100 * GB), ("10 TB", 10 * TB))

# Extra CPU of an object from S3 over one from a folder, and objects per second of one process that mostly waits:
# benches/results/s3-small-objects.md.
CPU_SECONDS_PER_OBJECT = (239 - 44) / 1e6
OBJECTS_PER_SECOND = 1413
# Used share of a paid vCPU: 1.8 of two threads' worth, from limits.md.
USED = 0.9
# GB of memory per vCPU.
GB_PER_VCPU = 2
VCPU_PER_DPU = 4
# Shares of a day's CPU time: the publisher's work, and the work of a single thread in it. See results/profile.md.
PUBLISHED_BY_ONE, ALONE = 0.41, 0.03
NAMES_PER_LIST = 1000
# Bytes per request that writes or reads staged data.
PART = 8 * 2**20


@dataclass(frozen=True)
class Day:
    """A day of one log type."""

    log: Log
    raw: int

    @property
    def objects(self) -> float:
        """Raw objects."""
        return self.raw / self.log.object_bytes

    @property
    def bytes_seconds(self) -> float:
        """CPU seconds for bytes and rows, on all machines."""
        return self.raw / self.log.bytes_per_cpu_second

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds, including requests."""
        return self.bytes_seconds + self.objects * CPU_SECONDS_PER_OBJECT

    @property
    def vcpu_hours(self) -> float:
        """Paid vCPU hours: working, or waiting for S3 if objects are small."""
        return max(self.cpu_seconds / USED, self.objects / OBJECTS_PER_SECOND) / 3600

    def requests(self, prices: Prices) -> float:
        """Dollars for listing and fetching the raw objects, for staging in S3 and for publishing."""
        staged = self.raw * self.log.staged / PART
        gets = self.objects + staged
        others = self.objects / NAMES_PER_LIST + staged + self.published / PART
        return (gets * prices.get_1000 + others * prices.put_or_list_1000) / 1000

    def fargate(self, prices: Prices) -> float:
        """Dollars for ECS or Batch on Fargate."""
        return self.vcpu_hours * (prices.fargate_vcpu_hour + GB_PER_VCPU * prices.fargate_gb_hour)

    def glue(self, prices: Prices) -> float:
        """Dollars for the same vCPU hours as Glue DPUs."""
        return self.vcpu_hours / VCPU_PER_DPU * prices.glue_dpu_hour

    @property
    def published(self) -> float:
        """Bytes of Parquet."""
        return self.raw * self.log.published

    def storage(self, prices: Prices) -> float:
        """Dollars per month for storing the published day."""
        return self.published / GB * prices.stored_gb_month

    def scanned(self, prices: Prices) -> float:
        """Dollars for one Athena query that reads every column of the day."""
        return self.published / TB * prices.athena_tb

    @property
    def publisher_hours(self) -> float:
        """Hours of the publisher with unlimited cores: only single-threaded work counts."""
        return self.bytes_seconds * ALONE / 3600

    @property
    def publisher_vcpu_hours(self) -> float:
        """vCPU hours on the publisher."""
        return self.bytes_seconds * PUBLISHED_BY_ONE / 3600


def days() -> Iterator[tuple[str, Day]]:
    """Every day of the tables."""
    for size, raw in SIZES:
        for log in LOGS:
            yield size, Day(log, raw)


def dollars(amount: float) -> str:
    """An amount with significant digits only."""
    digits = 3 if amount < 1 else 2 if amount < 100 else 0
    return f"${amount:,.{digits}f}"


def number(amount: float) -> str:
    """A number with significant digits only."""
    return f"{amount:,.{2 if amount < 10 else 0}f}"


def size(bytes_: float) -> str:
    """A human-readable size."""
    return f"{number(bytes_ / GB)} GB" if bytes_ < TB else f"{number(bytes_ / TB)} TB"


def table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    rule = "|---" * (head.count("|") - 1) + "|"
    return "\n".join([head, rule, *("| " + " | ".join(row) + " |" for row in rows)])


def costs(prices: Prices) -> str:
    """The costs of each day."""
    head = "| raw logs | requests | Fargate | total | total on Glue | storage per month | one full scan |"
    rows = (
        (
            f"{size_}, {day.log.name}",
            dollars(day.requests(prices)),
            dollars(day.fargate(prices)),
            dollars(day.requests(prices) + day.fargate(prices)),
            dollars(day.requests(prices) + day.glue(prices)),
            dollars(day.storage(prices)),
            dollars(day.scanned(prices)),
        )
        for size_, day in days()
    )
    return f"{prices.region}:\n\n{table(head, rows)}"


def machines() -> str:
    """The machines that each day needs."""
    work = "vCPU hours | vCPU hours of the publisher | minimum hours of the publisher"
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
    """The tables of docs/deploy.md."""
    return "\n\n".join([costs(VIRGINIA), costs(SEOUL), machines()])


if __name__ == "__main__":
    print(tables())
