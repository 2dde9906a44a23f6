"""Checks of the oracle itself, since the binary is compared with it."""

import pytest

from oracle_cloudtrail import boolean, instant, integer, text
from oracle_s3_access import decoded_key, readings
from raw_json import elements, members

LINE = (
    "79a5 bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT key "
    '"GET /key HTTP/1.1" 200 - 113 - 7 - {referer} {agent} - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6Uk= '
    "SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket.s3.amazonaws.com TLSv1.2 - - us-east-1"
)


@pytest.mark.parametrize(
    "value", ["1e400", "9007199254740993", "-0.0", "1E-7", '{ "a" : [1, 2] }', r'"\uAE40"', "null"]
)
def test_a_value_comes_out_as_it_was_written(value: str) -> None:
    assert members(f' {{ "before" : 1 , "a": {value} , "after":[] }}')["a"] == value
    assert elements(f"[{value} , 2]") == [value, "2"]


@pytest.mark.parametrize("broken", ['{"a":NaN}', '{"a":1,}', '{"a" 1}', '{"a":"\n"}', "{", "[1"])
def test_invalid_json_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        members(broken) if broken.startswith("{") else elements(broken)


@pytest.mark.parametrize(
    ("operation", "logged", "key"),
    [
        (
            "REST.PUT.OBJECT",
            "WhatsApp%2BImage%2B2020-07-05%2Bat%2B18.34.43.jpeg",
            "WhatsApp Image 2020-07-05 at 18.34.43.jpeg",
        ),
        ("REST.GET.OBJECT", "date_%253D2021-03-14/x", "date_=2021-03-14/x"),
        (
            "BATCH.DELETE.OBJECT",
            "Screen+Shot+2019-09-09+at+9.08.44+AM.png",
            "Screen Shot 2019-09-09 at 9.08.44 AM.png",
        ),
        ("S3.EXPIRE.OBJECT", "a%2Bb", "a+b"),
    ],
)
def test_keys_are_decoded_as_often_as_their_operation_encodes_them(
    operation: str, logged: str, key: str
) -> None:
    """Lines published by signalfx/aws-log-collector, rotemfogel/s3-access-logs-parser and elastic/beats."""
    assert decoded_key(operation, logged) == key


@pytest.mark.parametrize(
    ("referer", "agent", "found"),
    [
        ('"-"', '"S3Console/0.4"', 1),
        ("-", "-", 1),
        ('"http://a/ b"', '"pip/19.1 {"ci":null,"cpu":"x86_64"}"', 1),
        ('"a" "b"', '"c"', 2),
        ('"a', 'b"', 0),
    ],
)
def test_all_readings_of_a_line_are_found(referer: str, agent: str, found: int) -> None:
    assert len(list(readings(LINE.format(referer=referer, agent=agent)))) == found


def test_scalars_are_read_in_every_form_found_in_logs() -> None:
    assert instant('"2023-11-01T00:00:00Z"') == instant('"20231101T000000Z"') == 1698796800000
    assert instant('"2023-11-01T09:00:00.5+09:00"') == 1698796800500
    assert instant('"2023-02-30T00:00:00Z"') is instant('"..."') is instant("5") is None
    assert (boolean('"true"'), boolean("false"), boolean('"yes"')) == (True, False, None)
    assert (integer("240890.0"), integer('"12"'), integer("1.5")) == (240890, 12, None)
    assert (text(r'"\uAE40\uBBFC"'), text("1e400"), text("null"), text('""')) == ("김민", "1e400", None, "")
