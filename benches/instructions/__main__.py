"""Instructions of a small day of each log type: `make bench-instructions`. Needs valgrind.

Run from the root of the repository. Builds logmill without S3 and SQL, generates a small day of each log type, and counts the
instructions of a run with one thread under callgrind. A count hardly depends on other work of the machine, so it shows a
slowdown that seconds hide; it does not show waiting for memory or disk. Fails if a count is more than 3 % above the committed
one. `--accept` writes the counts to `benches/results/instructions.md` instead.

Counts depend on the compiler and on valgrind, which offers programs no AVX-512. Both are named in the results.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benches.limits.bench import DAY, published_rows, table
from benches.measure import ROOT

RESULTS = ROOT / "benches" / "results" / "instructions.md"
LIMIT = 1.03


@dataclass(frozen=True)
class SmallDay:
    """A preset of the generator with its options, and the log type and the table that it feeds."""

    preset: str
    options: tuple[str, ...]
    dataset: str
    table: str

    @property
    def name(self) -> str:
        """What tells this day from the others."""
        return f"{self.preset}, {self.dataset}"


RECORDS = ("--records", "20000", "--record-objects", "20")
LINES = ("--lines", "40000", "--line-objects", "20")
NO_RECORDS = ("--records", "0", "--record-objects", "0")
NO_LINES = ("--lines", "0", "--line-objects", "0")
DAYS = (
    SmallDay("bench", RECORDS + NO_LINES, "cloudtrail", "cloudtrail"),
    SmallDay("bench", LINES + NO_RECORDS, "s3-access", "s3_access"),
    SmallDay("access-json-bench", RECORDS, "s3-access", "s3_access"),
    SmallDay("elb-bench", LINES, "alb-access", "alb_access"),
    SmallDay("waf-bench", RECORDS, "waf", "waf"),
)


@dataclass(frozen=True)
class Count:
    """The instructions of a run over a day."""

    name: str
    rows: int
    instructions: int


def main() -> None:
    """Counts, prints the comparison, and fails beyond the limit."""
    arguments = parsed_arguments()
    logmill, generator = build()
    with tempfile.TemporaryDirectory(prefix="logmill-instructions-") as folder:
        counts = [count(arguments.logmill or logmill, day, raw_logs(generator, day, Path(folder))) for day in DAYS]
    if arguments.accept:
        RESULTS.write_text(report(counts), encoding="utf-8")
        print(report(counts))
        return
    known = committed()
    rows = [compared(one, known.get(one.name)) for one in counts]
    print(table(("day", "instructions", "committed", "ratio"), rows))
    if slower := [one.name for one in counts if one.instructions > LIMIT * known.get(one.name, 0)]:
        raise SystemExit(f"more than {LIMIT - 1:.0%} above {RESULTS.relative_to(ROOT)}, or not in it: {', '.join(slower)}")


def parsed_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept", action="store_true", help="write the counts to the results instead of comparing")
    parser.add_argument("--logmill", type=Path, help="count this binary instead of the one that was built")
    return parser.parse_args()


def build() -> tuple[Path, Path]:
    """Builds logmill without S3 and SQL, and the generator, with names of functions. Returns both programs."""
    command = ["cargo", "build", "--profile", "profiling", "--locked", "--no-default-features"]
    subprocess.run([*command, "--bin", "logmill", "--example", "generate"], cwd=ROOT, check=True)
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "profiling"
    return built / "logmill", built / "examples" / "generate"


def raw_logs(generator: Path, day: SmallDay, work: Path) -> Path:
    """Generates a day in a folder of its own, next to the counts of its rows."""
    raw = work / day.table / day.preset
    subprocess.run([generator, "--out", raw, "--day", DAY, "--preset", day.preset, *day.options], check=True)
    (raw / "expected.json").rename(raw.with_suffix(".json"))
    return raw


def count(logmill: Path, day: SmallDay, raw: Path) -> Count:
    """Counts the instructions of publishing a day. Fails if rows are missing."""
    tally = json.loads(raw.with_suffix(".json").read_bytes())[day.table]
    lake, counted = raw.with_suffix(".lake"), raw.with_suffix(".callgrind")
    places = ["--input", raw, "--output", lake]
    run = [logmill, "run", "--day", DAY, "--dataset", day.dataset, "--threads", "1", "--quiet", *places]
    subprocess.run(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={counted}", *run], check=True)
    if (written := published_rows(lake, day.table)) != tally["written"]:
        raise RuntimeError(f"{day.name}: published {written} of {tally['written']} rows")
    total = re.search(r"^(?:totals|summary): (\d+)$", counted.read_text(), re.MULTILINE)
    if total is None:
        raise RuntimeError(f"no total in {counted}")
    return Count(day.name, tally["read"], int(total[1]))


def compared(one: Count, before: int | None) -> list[str]:
    """Formats a row of the comparison."""
    ratio = f"{one.instructions / before:.3f}" if before else "new"
    return [one.name, f"{one.instructions:,}", f"{before:,}" if before else "", ratio]


def committed() -> dict[str, int]:
    """Reads the committed counts by day."""
    rows = re.findall(r"^\| ([a-z-]+, [a-z0-9-]+) \|.*\| ([\d,]+) \|$", RESULTS.read_text(), re.MULTILINE)
    return {name: int(number.replace(",", "")) for name, number in rows}


def report(counts: list[Count]) -> str:
    """Formats the page of results."""
    versions = [["rustc", "--version"], ["valgrind", "--version"]]
    tools = ", ".join(subprocess.run(one, check=True, stdout=subprocess.PIPE, text=True).stdout.strip() for one in versions)
    rows = [
        (one.name, f"{one.rows:,}", f"{one.instructions / one.rows:,.0f}", f"{one.instructions:,}") for one in counts
    ]
    return (
        "# Instructions of a small day\n\n"
        "Written by `python3 -m benches.instructions --accept`. One thread under callgrind, from the start of the process to its"
        f" end. {tools}.\n\n"
        f"{table(('day', 'rows', 'instructions a row', 'instructions'), rows)}\n"
    )


if __name__ == "__main__":
    main()
