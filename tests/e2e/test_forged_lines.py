"""Clients choose the request line, the referer and the user agent. This text must never pass as a field.

Lines are built from known fields, so the true values are known whatever the line looks like. The forged texts
are all combinations of the four critical characters, up to a length.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from harness import logmill

Fields = dict[str, str | None]
TEXTS = ["".join(text) for length in range(1, 5) for text in itertools.product('" -x', repeat=length)]
FORGERIES = [
    'x" 200 - 113 114 7 8 "-" "agent',
    'x" "agent" - HOST= SigV4 CIPHER AuthHeader host TLSv1.2" "',
    '-" "forged" - - - - - - - "',
    "[06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT",
]
TAILS = [
    ("-", "HOST=", "SigV4", "CIPHER", "AuthHeader", "host", "TLSv1.2", "-", "-", "us-east-1"),
    ("3HL4kqtJvjVBH40Nrjfkd", "HOST=", "-", "-", "-", "host", "-"),
]
CLIENT_TEXT = ("request_uri", "referer", "user_agent")
TAIL_FIELDS = ("version_id", "host_id", "signature_version", "cipher_suite")


def forged_lines() -> Iterator[tuple[str, Fields]]:
    """Lines with a forged text in one of the three fields, each with its true fields."""
    for text, tail, other in itertools.product(TEXTS + FORGERIES, TAILS, (None, "-", "plain text")):
        for place in CLIENT_TEXT:
            uri = "GET /key HTTP/1.1"
            fields: Fields = {"request_uri": uri, "referer": other, "user_agent": other} | {place: text}
            if place == "request_uri":
                fields["request_uri"] = f"GET /key?{text} HTTP/1.1"
            quoted = ["-" if value is None else f'"{value}"' for value in fields.values()]
            line = (
                "79a5 bucket [01/Nov/2023:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT key "
                f"{quoted[0]} 200 - 113 114 7 8 {quoted[1]} {quoted[2]} {' '.join(tail)}"
            )
            fields |= dict(zip(TAIL_FIELDS, tail, strict=False))
            yield line, {name: None if value == "-" else value for name, value in fields.items()}


def test_forged_text_never_passes_as_a_field_without_a_mark(tmp_path: Path) -> None:
    """Each line is read correctly or marked `ambiguous`. Lines with plain text are never marked.

    Plain text has no quote, and no time in brackets, which would be the sign of two lines merged into one.
    """
    lines = list(forged_lines())
    raw = tmp_path / "2023-11-01-01-00-00-0123456789ABCDEF"
    raw.write_text("".join(f"{line}\n" for line, _ in lines))
    shown = logmill("inspect", raw, "--dataset", "s3-access", "--format", "json").stdout.splitlines()
    assert len(shown) == len(lines)
    exact = 0
    for (line, fields), found in zip(lines, map(json.loads, shown), strict=True):
        row = found["row"]
        is_true = all(row.get(name) == value for name, value in fields.items())
        is_exact = row["parse_quality"] == "exact"
        assert is_true or not is_exact, line
        assert is_exact or any(set('"[') & set(fields[name] or "") for name in CLIENT_TEXT), line
        exact += is_exact
    assert exact > len(lines) // 3


WHOLE = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [05/Mar/2024:03:00:00 +0000] "
    "192.0.2.3 arn:aws:iam::111122223333:user/alice 3E57427F3EXAMPLE REST.GET.OBJECT key "
    '"GET /key HTTP/1.1" 200 - 113 114 7 8 "-" {agent} - Rm9vQmFyQmF6UXV4MDEyMzQ1Njc4OQ== SigV4 '
    "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket.s3.amazonaws.com TLSv1.2 - - ap-northeast-2"
)
AGENTS = ['"aws-cli/2.15"', '"pip/19.1 {"ci":null,"cpu":"x86_64"}"', "-"]
PUT_BEFORE = ["file:", "12:", "access.log-", "     1\t", "\ufeff\ufeff", '"', "'", "> ", "1 ", "Mar 5 host s3: "]
PUT_BEHIND = ['"', "'", "\0", ' "some text"', ' "a b" -', ' new "a b"', ' ""', '",', "\\n"]


def test_a_changed_line_never_passes_as_a_line_of_s3(tmp_path: Path) -> None:
    """Cut at any byte, or with text around it: correct, marked or rejected, but never exact and shifted."""
    lines: list[tuple[str, str]] = []
    for agent in AGENTS:
        whole = WHOLE.format(agent=agent)
        changed = [whole[:end] for end in range(1, len(whole))]
        changed += [f"{before}{whole}" for before in PUT_BEFORE] + [f"{whole}{more}" for more in PUT_BEHIND]
        changed += [whole.replace('"', '""'), whole.replace('"', '\\"'), whole.replace(" ", "\t")]
        lines += [(whole, whole), *((whole, line) for line in changed)]
    raw = tmp_path / "2024-03-05-04-00-00-0123456789ABCDEF"
    raw.write_text("".join(f"{line}\n" for _, line in lines))
    shown = logmill("inspect", raw, "--dataset", "s3-access", "--format", "json").stdout.splitlines()
    found = {line["record"]: line for line in map(json.loads, shown)}
    rows = {number: line["row"] for number, line in found.items() if "row" in line}
    of_whole = {line: rows[number] for number, (whole, line) in enumerate(lines, 1) if line == whole}
    exact = {number for number, row in rows.items() if row["parse_quality"] == "exact"}
    for number in exact:
        whole, line = lines[number - 1]
        expected = of_whole[whole]
        assert all(expected.get(name) == value for name, value in rows[number].items()), line
    assert len(of_whole) == len(AGENTS)
    assert all(row["parse_quality"] == "exact" for row in of_whole.values())
    assert 5 * len(AGENTS) < len(exact) < 30 * len(AGENTS)


def test_a_host_id_with_a_space_does_not_shift_other_fields(tmp_path: Path) -> None:
    """S3 has written such lines (a published one: ncbi/ncbi-logging, REST.GET.TAGGING, 20 Mar 2019)."""
    host = (
        "AIDAISBTTLPGXGH6YFFAY LzYGmYpiLp7R7wNJiVYmdRo4ZFqgcpxZ7qPKRq3W6VLqzC9cJVpZ7Y1gFvLfYhJqm4cbbQpUO5Y="
    )
    raw = tmp_path / "2019-03-20-01-00-00-0123456789ABCDEF"
    raw.write_text(
        "79a5 bucket [20/Mar/2019:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.TAGGING - "
        f'"GET /?tagging HTTP/1.1" 404 NoSuchTagSet 300 - 7 - "-" "aws-cli/1.16" - {host} SigV4 CIPHER '
        "AuthHeader host TLSv1.2\n"
    )
    (line,) = logmill("inspect", raw, "--dataset", "s3-access", "--format", "json").stdout.splitlines()
    row = json.loads(line)["row"]
    read = [row.get(name) for name in ("referer", "user_agent", "version_id", "host_id", "signature_version")]
    assert read == [None, "aws-cli/1.16", None, host, "SigV4"]
    assert row["parse_quality"] == "repaired"
