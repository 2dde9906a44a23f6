"""The dashboards: the views to load, and their visuals.

A visual is one entry of a table of sheets. `make.py` generates the templates.
"""

from dataclasses import dataclass

# The Korean day as a time, so that axes and filters treat it as a day. QuickSight shows times as UTC.
DAY = "day_kst"
DAY_EXPRESSION = "addDateTime(9, 'HH', {day_utc})"


@dataclass(frozen=True)
class DataSet:
    """A view in SPICE: its columns in order, and the UTC column that identifies new days."""

    columns: str
    utc: str | None = "day_utc"

    def types(self) -> dict[str, str]:
        """QuickSight's types by column. The default is text."""
        words = (word.partition(":") for word in self.columns.split())
        return {name: TYPES[type_] for name, _, type_ in words}

    @property
    def day(self) -> str | None:
        """The Korean time by which rows are filtered."""
        return {"day_utc": DAY, "hour_utc": "hour_kst", None: None}[self.utc]


TYPES = {"": "STRING", "int": "INTEGER", "double": "DECIMAL", "time": "DATETIME"}

DATA_SETS = {
    "monthly_users": DataSet("month users:int events:int", utc=None),
    "daily_users_by_service": DataSet(
        "proc_ymd day_utc:time event_source users:int events:int events_per_user:double"
    ),
    "s3_requests_by_hour": DataSet(
        "proc_ymd hour_utc:time hour_kst:time bucket all_requests:int get_requests:int put_requests:int "
        "delete_requests:int head_requests:int post_requests:int select_requests:int "
        "select_bytes_scanned:int "
        "select_bytes_returned:int list_requests:int bytes_downloaded:int bytes_uploaded:int errors_4xx:int "
        "errors_5xx:int first_byte_latency:double total_request_latency:double",
        utc="hour_utc",
    ),
    "status_codes": DataSet("proc_ymd day_utc:time bucket http_status:int requests:int"),
    "top_objects": DataSet("proc_ymd day_utc:time bucket key requests:int bytes_sent:int"),
    "access_ips": DataSet("proc_ymd day_utc:time bucket remote_ip requests:int"),
    "denied_ips": DataSet("proc_ymd day_utc:time bucket remote_ip requests:int"),
    "denied_keys": DataSet("proc_ymd day_utc:time bucket key requests:int"),
    "access_denied_by_principal": DataSet(
        "proc_ymd day_utc:time principal account_id event_source event_name error_code requests:int "
        "first_time:time "
        "last_time:time"
    ),
    "sigv2_callers": DataSet(
        "log proc_ymd day_utc:time requester source_ip bucket operation user_agent requests:int"
    ),
}


@dataclass(frozen=True)
class Visual:
    """A chart: kind, title, data set, grouping columns, aggregated columns, and number of groups shown."""

    kind: str
    title: str
    data_set: str
    by: str
    values: str
    color: str = ""
    most: int = 0
    width: int = 18

    @property
    def id(self) -> str:
        """The title as an identifier."""
        return self.title.lower().replace(" ", "-").replace(",", "")


REQUESTS = (
    "all_requests get_requests put_requests delete_requests head_requests post_requests list_requests "
    "select_requests"
)
BYTES = "bytes_downloaded bytes_uploaded select_bytes_scanned select_bytes_returned"
CALLER = "log requester source_ip bucket operation user_agent"

SHEETS = {
    "Users": [
        Visual("combo", "Users and events by month", "monthly_users", "month", "events users", width=36),
        Visual(
            "line", "Users of each service by day", "daily_users_by_service", DAY, "users", "event_source", 20
        ),
        Visual(
            "line",
            "Events per user by day",
            "daily_users_by_service",
            DAY,
            "events_per_user:AVERAGE",
            "event_source",
            20,
        ),
        Visual(
            "table",
            "Services",
            "daily_users_by_service",
            "event_source",
            "events users:MAX events_per_user:AVERAGE",
            width=36,
        ),
    ],
    "S3 requests": [
        Visual("line", "Requests by hour", "s3_requests_by_hour", "hour_kst", REQUESTS, width=36),
        Visual("line", "Bytes by hour", "s3_requests_by_hour", "hour_kst", BYTES),
        Visual("line", "Errors by hour", "s3_requests_by_hour", "hour_kst", "errors_4xx errors_5xx"),
        Visual(
            "line",
            "Latency by hour, mean of the means of buckets",
            "s3_requests_by_hour",
            "hour_kst",
            "first_byte_latency:AVERAGE total_request_latency:AVERAGE",
        ),
        Visual("bar", "Requests by bucket", "s3_requests_by_hour", "bucket", "all_requests", most=20),
    ],
    "Objects": [
        Visual("pie", "Five most requested objects", "top_objects", "key", "requests", most=5),
        Visual("bar", "Addresses that read objects", "access_ips", "remote_ip", "requests", most=20),
        Visual("table", "Objects", "top_objects", "bucket key", "requests bytes_sent", width=36),
    ],
    "Status and denials": [
        Visual("bar", "Requests by status code", "status_codes", "http_status", "requests", "bucket"),
        Visual("line", "Status codes by day", "status_codes", DAY, "requests", "http_status"),
        Visual("bar", "Denied addresses", "denied_ips", "remote_ip", "requests", most=20),
        Visual("bar", "Denied keys", "denied_keys", "key", "requests", most=20),
        Visual(
            "table",
            "Denied principals",
            "access_denied_by_principal",
            "principal event_source event_name error_code",
            "requests last_time:MAX",
            width=36,
        ),
    ],
    "Signature Version 2": [
        Visual("line", "Requests with Signature Version 2 by day", "sigv2_callers", DAY, "requests", "log"),
        Visual(
            "bar", "Callers with Signature Version 2", "sigv2_callers", "requester", "requests", "log", 20
        ),
        Visual("table", "Calls with Signature Version 2", "sigv2_callers", CALLER, "requests", width=36),
    ],
}

DATA_SETS_OF_ALB = {
    "alb_requests_by_hour": DataSet(
        "proc_ymd hour_utc:time hour_kst:time elb requests:int errors_4xx:int errors_5xx:int "
        "received_bytes:int sent_bytes:int target_latency:double",
        utc="hour_utc",
    ),
    "alb_status_codes": DataSet("proc_ymd day_utc:time elb elb_status_code:int requests:int"),
    "alb_targets": DataSet(
        "proc_ymd day_utc:time elb target_ip requests:int errors:int latency:double"
    ),
    "alb_clients": DataSet("proc_ymd day_utc:time elb client_ip requests:int errors:int sent_bytes:int"),
}

SHEETS_OF_ALB = {
    "Load balancers": [
        Visual("line", "Requests by hour", "alb_requests_by_hour", "hour_kst", "requests", "elb", 20),
        Visual("line", "Errors by hour", "alb_requests_by_hour", "hour_kst", "errors_4xx errors_5xx"),
        Visual("line", "Bytes by hour", "alb_requests_by_hour", "hour_kst", "received_bytes sent_bytes"),
        Visual(
            "line",
            "Latency by hour, mean of the means of load balancers",
            "alb_requests_by_hour",
            "hour_kst",
            "target_latency:AVERAGE",
        ),
        Visual("bar", "Requests by status code", "alb_status_codes", "elb_status_code", "requests", "elb"),
        Visual("line", "Status codes by day", "alb_status_codes", DAY, "requests", "elb_status_code"),
        Visual(
            "table",
            "Targets",
            "alb_targets",
            "elb target_ip",
            "errors requests latency:AVERAGE",
            width=36,
        ),
        Visual("bar", "Busiest clients", "alb_clients", "client_ip", "requests", most=20),
        Visual("table", "Clients", "alb_clients", "elb client_ip", "requests errors sent_bytes"),
    ],
}

DATA_SETS_OF_CLOUDFRONT = {
    "cloudfront_requests_by_hour": DataSet(
        "proc_ymd hour_utc:time hour_kst:time distribution_id requests:int hits:int errors_4xx:int "
        "errors_5xx:int received_bytes:int sent_bytes:int time_taken:double",
        utc="hour_utc",
    ),
    "cloudfront_results": DataSet(
        "proc_ymd day_utc:time distribution_id x_edge_result_type sc_status:int requests:int"
    ),
    "cloudfront_uris": DataSet(
        "proc_ymd day_utc:time x_host_header cs_uri_stem requests:int hits:int errors:int sent_bytes:int"
    ),
    "cloudfront_clients": DataSet(
        "proc_ymd day_utc:time distribution_id c_ip requests:int errors:int sent_bytes:int"
    ),
}

SHEETS_OF_CLOUDFRONT = {
    "CloudFront": [
        Visual(
            "line",
            "Requests by hour",
            "cloudfront_requests_by_hour",
            "hour_kst",
            "requests",
            "distribution_id",
            20,
        ),
        Visual(
            "line", "Requests and hits by hour", "cloudfront_requests_by_hour", "hour_kst", "requests hits"
        ),
        Visual(
            "line", "Errors by hour", "cloudfront_requests_by_hour", "hour_kst", "errors_4xx errors_5xx"
        ),
        Visual(
            "line", "Bytes by hour", "cloudfront_requests_by_hour", "hour_kst", "received_bytes sent_bytes"
        ),
        Visual(
            "line",
            "Time by hour, mean of the means of distributions",
            "cloudfront_requests_by_hour",
            "hour_kst",
            "time_taken:AVERAGE",
        ),
        Visual(
            "bar",
            "Requests by result",
            "cloudfront_results",
            "x_edge_result_type",
            "requests",
            "distribution_id",
        ),
        Visual("line", "Status codes by day", "cloudfront_results", DAY, "requests", "sc_status"),
        Visual("bar", "Busiest clients", "cloudfront_clients", "c_ip", "requests", most=20),
        Visual(
            "table",
            "Paths",
            "cloudfront_uris",
            "x_host_header cs_uri_stem",
            "requests hits errors sent_bytes",
            width=36,
        ),
        Visual(
            "table",
            "Clients",
            "cloudfront_clients",
            "distribution_id c_ip",
            "requests errors sent_bytes",
            width=36,
        ),
    ],
}

DATA_SETS_OF_WAF = {
    "waf_actions_by_hour": DataSet(
        "proc_ymd hour_utc:time hour_kst:time webacl_id action requests:int", utc="hour_utc"
    ),
    "waf_rules": DataSet(
        "proc_ymd day_utc:time webacl_id terminating_rule_id terminating_rule_type action requests:int"
    ),
    "waf_clients": DataSet(
        "proc_ymd day_utc:time http_request_client_ip http_request_country requests:int blocked:int"
    ),
    "waf_uris": DataSet("proc_ymd day_utc:time header_host http_request_uri requests:int blocked:int"),
}

SHEETS_OF_WAF = {
    "AWS WAF": [
        Visual("line", "Requests by hour", "waf_actions_by_hour", "hour_kst", "requests", "action", width=36),
        Visual("bar", "Actions of web ACLs", "waf_actions_by_hour", "webacl_id", "requests", "action"),
        Visual("bar", "Rules", "waf_rules", "terminating_rule_id", "requests", "action", 20),
        Visual("bar", "Blocked addresses", "waf_clients", "http_request_client_ip", "blocked", most=20),
        Visual(
            "bar", "Blocked requests by country", "waf_clients", "http_request_country", "blocked", most=20
        ),
        Visual(
            "table",
            "Addresses",
            "waf_clients",
            "http_request_client_ip http_request_country",
            "blocked requests",
        ),
        Visual("table", "Paths", "waf_uris", "header_host http_request_uri", "blocked requests"),
        Visual(
            "table",
            "Decisions",
            "waf_rules",
            "webacl_id terminating_rule_id terminating_rule_type action",
            "requests",
            width=36,
        ),
    ],
}


@dataclass(frozen=True)
class Dashboards:
    """A template: its file, the default prefix of its ids, its data sets and its sheets."""

    file: str
    prefix: str
    data_sets: dict[str, DataSet]
    sheets: dict[str, list[Visual]]


MAIN = Dashboards("dashboards.yaml", "logmill", DATA_SETS, SHEETS)
# A data set needs its view, and many lakes lack some log types, so each of these has a template of its own.
OF_OTHERS = {
    "alb": (DATA_SETS_OF_ALB, SHEETS_OF_ALB),
    "cloudfront": (DATA_SETS_OF_CLOUDFRONT, SHEETS_OF_CLOUDFRONT),
    "waf": (DATA_SETS_OF_WAF, SHEETS_OF_WAF),
}
OTHERS = {
    name: Dashboards(f"{name}-dashboards.yaml", f"logmill-{name}", *content)
    for name, content in OF_OTHERS.items()
}
