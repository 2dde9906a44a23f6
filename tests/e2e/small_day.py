"""A day of few objects, published before and after late objects arrived. Tests of faults and kills use it.

Each table has objects that the first publication lacks, so that the two can be distinguished, and rows that
are quarantined.
"""

from dataclasses import dataclass

from aws import Aws, S3Lake, sample_objects, table_of
from harness import DATASETS

EARLY = (
    "20231031T2036Z",
    "20231031T2334Z",
    "20231101T0317Z",
    "20231101T0840Z",
    "20231101T1240Z",
    "2023-10-31-16-43-49",
    "2023-10-31-22-29-01",
    "2023-10-31-23-35-00",
    "2023-11-01-09-21-17",
)
LATE = ("20231101T0959Z", "2023-11-01-13-58-11")


@dataclass(frozen=True)
class SmallDay:
    """The raw objects, the lake before the late ones arrived, and what readers see before and after."""

    source: str
    lake: S3Lake
    old: dict[str, list[str]]
    new: dict[str, list[str]]
    rows: dict[str, tuple[int, int]]

    def published(self, aws: Aws) -> S3Lake:
        """A copy of the lake before the late objects arrived."""
        return S3Lake(aws, self.lake.copy().bucket, self.lake.prefix)

    def assert_whole(self, lake: S3Lake) -> None:
        """Asserts that each table has the old day or the new one."""
        found = lake.readers()
        assert found.keys() == self.old.keys()
        for table, parts in found.items():
            assert parts in (self.old[table], self.new[table]), f"{table} is neither the old nor the new day"

    def assert_converges(self, aws: Aws, lake: S3Lake, *options: str) -> None:
        """Asserts that the next run publishes the new day and leaves nothing behind."""
        aws.run(lake, *options, source=self.source)
        assert lake.readers() == self.new, "readers do not see the new day"
        lake.assert_clean()


def few_objects(times: tuple[str, ...] = EARLY + LATE) -> dict[str, bytes]:
    """The raw objects of the day, optionally only those of some times, by key."""
    objects = {key: body for key, body in sample_objects().items() if any(time in key for time in times)}
    assert len(objects) == len(times)
    return objects


def small_day(aws: Aws) -> SmallDay:
    """Publishes the day twice."""
    objects, early = few_objects(), few_objects(EARLY)
    source, old, new = aws.source(early), aws.lake(), aws.lake()
    before = aws.run(old, source=source)
    aws.put(source.split("/")[2], {f"logs/{key}": body for key, body in objects.items()})
    after = aws.run(new, source=source)
    rows = {
        table: (table_of(before, table)["written"], table_of(after, table)["written"]) for table in DATASETS
    }
    assert all(0 < few < many for few, many in rows.values())
    assert all(table_of(after, table)["quarantined"] for table in DATASETS)
    return SmallDay(source, old, old.readers(), new.readers(), rows)
