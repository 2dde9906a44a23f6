"""The fixed cost of an object: many small objects compared with the same lines in few objects."""

from pathlib import Path

from benches.limits.bench import ACCESS, Bench, Day, table, verdict
from benches.s3.small_objects import fill

# The number of small objects in a large one.
JOINED = 2000
LINES_PER_OBJECT = 4
TARGET_MICROSECONDS = 50


def section(bench: Bench, work: Path) -> str:
    """Publishes the same lines in small and in large objects."""
    small, large = work / "small", work / "large"
    size = fill(small, bench.objects)
    count = join(small, large)
    rows = LINES_PER_OBJECT * bench.objects
    days = {"small": Day(ACCESS, small, rows), "large": Day(ACCESS, large, rows)}
    runs = bench.in_turn({name: lambda day=day: bench.run(day, work / "lake") for name, day in days.items()})
    extra = (runs["small"].cpu - runs["large"].cpu) / (bench.objects - count) * 1e6
    text = (
        "## Many small objects in a folder\n\n"
        f"{bench.objects:,} access-log objects of {size / bench.objects:,.0f} bytes, and the same lines in"
        f" {count:,} objects. Medians of {bench.runs} alternating runs. Fixed CPU cost per object:"
        f" {extra:.0f} microseconds (target: below {TARGET_MICROSECONDS},"
        f" {verdict(extra < TARGET_MICROSECONDS)}).\n\n"
    )
    shown = [
        [f"{objects:,}", f"{run.wall:.2f}", f"{run.cpu:.2f}", f"{run.cpu / objects * 1e6:,.0f}"]
        for objects, run in ((bench.objects, runs["small"]), (count, runs["large"]))
    ]
    return text + table(("objects", "seconds", "CPU s", "CPU microseconds per object"), shown)


def join(small: Path, large: Path) -> int:
    """Joins consecutive objects under the name of the first. Returns the number of joined objects."""
    large.mkdir()
    names = sorted(path.name for path in small.iterdir())
    starts = range(0, len(names), JOINED)
    for start in starts:
        content = b"".join((small / name).read_bytes() for name in names[start : start + JOINED])
        (large / names[start]).write_bytes(content)
    return len(starts)
