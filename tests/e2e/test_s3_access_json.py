"""Access logs in JSON against an independent decoder, alone and together with their text lines."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compare import assert_same_rows, read_rows
from decoded import Reject, Row
from harness import REPOSITORY, SAMPLE_DAY, run_day
from oracle import kst_window
from oracle_s3_access import S3AccessOracle
from oracle_s3_access_json import NAMES
from schema import columns

SOURCE = "tests/samples/access-json"
OPTIONS = ("--dataset", "s3-access", "--max-reject-ratio", "5%", "--redact", "none")


def test_every_cell_of_the_sample_day_is_as_the_oracle_reads_it(tmp_path: Path) -> None:
    start, end = (int(time.timestamp() * 1000) for time in kst_window(SAMPLE_DAY))
    counts = dict.fromkeys(("objects", "written", "other_day", "duplicate", "quarantined"), 0)
    rows, seen = {}, set()
    for path in sorted((REPOSITORY / SOURCE).rglob("*.gz")):
        counts["objects"] += 1
        key = str(path.relative_to(REPOSITORY))
        for found in S3AccessOracle(columns("s3-access")).decode(path.read_bytes()):
            if isinstance(found, Reject):
                fate = "quarantined"
            elif not start <= found.event_ms < end:
                fate = "other_day"
            elif found.identity in seen:
                fate = "duplicate"
            else:
                fate = "written"
                rows[key, found.record] = found.columns | {
                    "source_object": key,
                    "source_record": found.record,
                }
            counts[fate] += 1
            if isinstance(found, Row) and fate == "written":
                seen.add(found.identity)
    published = run_day(tmp_path, *OPTIONS, source=SOURCE)
    ledger = published.ledger("s3_access")
    assert {name: ledger[name] for name in counts} == counts
    assert min(counts.values()) > 0
    assert_same_rows(read_rows(published.lake.table("s3_access")), rows)


def test_both_forms_of_a_day_give_each_request_once(tmp_path: Path) -> None:
    """The text sample again as JSON: only lines that are not exact, or lack the newest field, occur twice."""
    raw = tmp_path / "raw"
    raw.mkdir()
    lines, records = [], []
    for path in sorted((REPOSITORY / "sample-data/s3-access").rglob("*-*")):
        if path.is_file():
            content = path.read_bytes()
            lines.append(content)
            read = S3AccessOracle(columns("s3-access")).decode(content)
            records += [record(found) for found in read if isinstance(found, Row)]
    (raw / "text.log").write_bytes(b"\n".join(lines))
    alone = run_day(tmp_path / "alone", *OPTIONS, source=raw)
    with gzip.open(raw / "zone.log.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in records)
    both = run_day(tmp_path / "both", *OPTIONS, source=raw)
    text, together = (read_rows(day.lake.table("s3_access")).values() for day in (alone, both))
    repeated = [row for row in together if "zone" in row["source_object"]]
    # Every row of the text form is also a record.
    assert len(records) > len(text) > 500 > len(repeated) > 10
    assert sum("text" in row["source_object"] for row in together) + len(repeated) == len(together)
    whole = {identified(row) for row in text if row["source_region"] and row["parse_quality"] == "exact"}
    assert len(whole) > 100
    assert not whole & {identified(row) for row in repeated}


def identified(row: dict[str, Any]) -> tuple[Any, ...]:
    """The values by which the rows of the sample differ. The keys of a multi-object delete share an id."""
    return row["request_id"], row["operation"], row["key"], row["source_region"]


def record(found: Row) -> dict[str, Any]:
    """A text line as S3 would write it in JSON, with milliseconds."""
    cells = {key: found.columns[name] for key, name in NAMES.items()}
    at = datetime.fromtimestamp(found.event_ms // 1000, UTC)
    return cells | {
        "schema_version_id": "V_1_0",
        "bucket_arn": f"arn:aws:s3:::{found.columns['bucket']}",
        "request_time": f"{at:%Y-%m-%dT%H:%M:%S}.123Z",
        "acl_required": bool(found.columns["acl_required"]),
    }
