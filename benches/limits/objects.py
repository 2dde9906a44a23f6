"""What an object costs beside its bytes: many small ones against the same lines in few."""

from pathlib import Path

from benches.limits.bench import ACCESS, Bench, Day, table, verdict
from benches.s3.small_objects import fill

# So many small objects make a large one.
JOINED = 2000
LINES_AN_OBJECT = 4
TARGET_MICROSECONDS = 50


def section(bench: Bench, work: Path) -> str:
    """Publishes the same lines twice, in small objects and in large ones."""
    small, large = work / "small", work / "large"
    size = fill(small, bench.objects)
    count = join(small, large)
    rows = LINES_AN_OBJECT * bench.objects
    days = {"small": Day(ACCESS, small, rows), "large": Day(ACCESS, large, rows)}
    runs = bench.in_turn({name: lambda day=day: bench.run(day, work / "lake") for name, day in days.items()})
    extra = (runs["small"].cpu - runs["large"].cpu) / (bench.objects - count) * 1e6
    text = (
        "## Many small objects in a folder\n\n"
        f"{bench.objects:,} access-log objects of {size / bench.objects:,.0f} bytes, and the same lines in"
        f" {count:,} objects; medians of {bench.runs} runs in turn. CPU of an object beside its bytes:"
        f" {extra:.0f} microseconds (target: below {TARGET_MICROSECONDS},"
        f" {verdict(extra < TARGET_MICROSECONDS)}).\n\n"
    )
    shown = [
        [f"{objects:,}", f"{run.wall:.2f}", f"{run.cpu:.2f}", f"{run.cpu / objects * 1e6:,.0f}"]
        for objects, run in ((bench.objects, runs["small"]), (count, runs["large"]))
    ]
    return text + table(("objects", "seconds", "CPU s", "microseconds of CPU an object"), shown)


def join(small: Path, large: Path) -> int:
    """Writes objects in a row as one, under the name of the first; gives their number."""
    large.mkdir()
    names = sorted(path.name for path in small.iterdir())
    starts = range(0, len(names), JOINED)
    for start in starts:
        content = b"".join((small / name).read_bytes() for name in names[start : start + JOINED])
        (large / names[start]).write_bytes(content)
    return len(starts)
