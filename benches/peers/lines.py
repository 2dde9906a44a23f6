"""What the engines' scripts know about access lines.

A line is cut at its quotes into seven parts (head, request line, numbers, referer, a blank, user agent,
tail) and those at blanks: in ClickHouse and DuckDB twice as cheap as one expression with a group a field.
Lines with more or fewer quotes (client text with quotes, deletions in a batch) go through an expression
with six groups, so that none is lost.

Most published recipes have one expression with a group a field; `ONE_EXPRESSION` is of that kind. It loses
lines with a blank in the requester, or with quotes in what a client sent.
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
# What a line says, in order.
FIELDS = (*HEAD, "request_uri", *STATUS, "referer", "user_agent", *TAIL, *LATER)
# The columns behind the time.
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
# Form-decoded once where S3 itself names the key, form- and percent-decoded where a request does.
ONCE = ("BATCH.DELETE.OBJECT", "S3.")


def words(time: str, requester: str) -> dict[str, str]:
    """What a line says, by field, in terms of the pieces it was cut into, counted from one."""
    heads = {"bucket_owner": "head[1]", "bucket": "head[2]", "remote_ip": "head[5]"}
    return {
        **heads,
        **{"time": time, "requester": requester},
        **{"request_id": "head[-3]", "operation": "head[-2]", "key": "head[-1]", "request_uri": "part[2]"},
        **{name: f"number[{at}]" for at, name in enumerate(STATUS, 1)},
        **{"referer": "part[4]", "user_agent": "part[6]"},
        **{name: f"tail[{at}]" for at, name in enumerate((*TAIL, *LATER), 1)},
    }
