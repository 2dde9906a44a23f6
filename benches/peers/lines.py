"""Parsing of access lines, shared by the scripts of the engines.

A line is split at its quotes into seven parts (head, request line, numbers, referer, a space, user agent,
tail), and these parts at spaces. In ClickHouse and DuckDB, this costs half as much as one expression with a
group per field. Lines with more or fewer quotes (quotes in client text, batch deletions) are parsed with an
expression with six groups, so that no line is lost.

Most published recipes use one expression with a group per field, like `ONE_EXPRESSION`. It loses lines with a
space in the requester or with quotes in client text.
"""

OAI = r"arn:aws[\w-]*:iam::cloudfront:user/CloudFront Origin Access Identity \w+"
SIX_GROUPS = (
    r"^(\S+ \S+ \[[^\]]+\] \S+ (?:" + OAI + r"|\S+) \S+ \S+ \S+) "
    r'(?:"(.*?)"|-) ((?:\d{3}|-) \S+ (?:\d+|-) (?:\d+|-) (?:\d+|-) (?:\d+|-)) '
    r'(?:"(.*?)"|-) (?:"(.*)"|-) (.*)$'
)
NUMBERS = ("bytes_sent", "object_size", "total_time", "turn_around_time")
TAIL = (
    *("version_id", "host_id", "signature_version", "cipher_suite", "authentication_type"),
    *("host_header", "tls_version", "access_point_arn"),
)
HEAD = ("bucket_owner", "bucket", "time", "remote_ip", "requester", "request_id", "operation", "key")
STATUS = ("http_status", "error_code", *NUMBERS)
LATER = ("acl_required", "source_region")
# The fields of a line, in order.
FIELDS = (*HEAD, "request_uri", *STATUS, "referer", "user_agent", *TAIL, *LATER)
# The columns after the time.
AFTER_TIME = (
    *("remote_ip", "requester", "request_id", "operation", "key", "key_decoded", "request_uri"),
    *(*STATUS, "referer", "user_agent", *TAIL, *LATER),
)
QUOTED = r'(?:"([^"]*)"|-)'
ONE_EXPRESSION = (
    r"^(\S+) (\S+) \[([^\]]+)\] (\S+) (\S+) (\S+) (\S+) (\S+) "
    + QUOTED
    + r" (\d{3}|-) (\S+) (\d+|-) (\d+|-) (\d+|-) (\d+|-) "
    + f"{QUOTED} {QUOTED}"
    + r" (\S+) (\S+)"
    + r"(?: (\S+))?" * (len(TAIL) + len(LATER) - 2)
)
# Operations whose key S3 form-encodes once. Keys of other operations are form- and percent-encoded.
ONCE = ("BATCH.DELETE.OBJECT", "S3.")


def words(time: str, requester: str) -> dict[str, str]:
    """Returns the SQL expression of each field, in terms of the parts of a line, with indexes from 1."""
    heads = {"bucket_owner": "head[1]", "bucket": "head[2]", "remote_ip": "head[5]"}
    return {
        **heads,
        **{"time": time, "requester": requester},
        **{"request_id": "head[-3]", "operation": "head[-2]", "key": "head[-1]", "request_uri": "part[2]"},
        **{name: f"number[{at}]" for at, name in enumerate(STATUS, 1)},
        **{"referer": "part[4]", "user_agent": "part[6]"},
        **{name: f"tail[{at}]" for at, name in enumerate((*TAIL, *LATER), 1)},
    }
