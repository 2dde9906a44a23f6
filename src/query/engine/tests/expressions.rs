//! Texts, numbers, bytes, dates and addresses.

use super::{check, check_refused};

#[test]
fn texts_and_regular_expressions() {
    check(&[
        (r"regexp_extract_all('a1b22','\d+')", "[1, 22]"),
        (r"regexp_extract_all('a1b22','([a-z])(\d+)', 2)", "[1, 22]"),
        (r"regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 2)", "a"),
        (r"regexp_extract('abc', '\d')", "NULL"),
        (r"regexp_split('1a 2b 14m', '\s*[a-z]+\s*')", "[1, 2, 14, ]"),
        (r"regexp_count('1a 2b 14m', '\s*[a-z]+\s*')", "3"),
        (r"regexp_position('I have 23 apples, 5 pears', '\b\d+\b')", "8"),
        (r"regexp_position('I have 23 apples, 5 pears', '\b\d+\b', 5, 2)", "19"),
        (r"regexp_position('abc', 'x')", "-1"),
        (r"regexp_replace('1a 2b 14m', '(\d+)([ab]) ', '3c$2 ')", "3ca 3cb 14m"),
        (r"regexp_replace('new york', '(\w)(\w*)', '$2x$1')", "ewxn orkxy"),
        (r"regexp_like('1a 2b', '\d+b')", "true"),
        ("url_encode('a/b c?=&')", "a%2Fb+c%3F%3D%26"),
        ("url_decode(url_encode('\u{ae40} a/b'))", "\u{ae40} a/b"),
        ("url_extract_port('http://h:8080/x')", "8080"),
        ("url_extract_fragment('http://h/x#y')", "y"),
        ("split_to_map('a=1&b=2','&','=')", "{a: 1, b: 2}"),
        ("split_to_multimap('a=1&b=2&a=3','&','=')", "{a: [1, 3], b: [2]}"),
        ("split('a-b-c', '-', 2)", "[a, b-c]"),
        ("soundex('Robert'), soundex('a'), soundex('Ashcraft')", "R163|A000|A261"),
        ("levenshtein_distance('kitten','sitting'), hamming_distance('abc','abd')", "3|1"),
        ("luhn_check('79927398713'), luhn_check('79927398714')", "true|false"),
        (
            "strpos('abcabc','c'), strpos('abcabc','c',2), strpos('abc','x'), strpos('abcabc','a',-1)",
            "3|6|0|4",
        ),
        ("translate('abcd','ab','x')", "xcd"),
        ("normalize('\u{1112}\u{1161}\u{11ab}'), length(normalize('\u{d55c}', NFD))", "\u{d55c}|3"),
        ("codepoint('a'), chr(97)", "97|a"),
        ("lpad('a',3,'xy'), rpad('abcd',2,'x')", "xya|ab"),
        ("format('%s%%', 123), format('%03d', 8), format('%,.2f', 1234567.89)", "123%|008|1,234,567.89"),
        ("format('%s, %s', 'a', NULL)", "a, null"),
        ("format_number(123456), format_number(1000000)", "123K|1M"),
        ("concat('a','b','c'), 'a' || 'b', starts_with('abc','ab')", "abc|ab|true"),
        ("reverse('abc'), replace('abc','b'), replace('abc','b','x')", "cba|ac|axc"),
        ("position('b' IN 'abc'), upper('a'), trim('  a '), length('\u{ae40}')", "2|A|a|1"),
        ("concat_ws(',', 'a', NULL, 'b')", "a,b"),
        ("typeof(map(ARRAY['a'],ARRAY[1])), typeof(json_parse('1'))", "map(varchar, bigint)|json"),
    ]);
}

#[test]
fn numbers_and_bytes() {
    check(&[
        ("width_bucket(5.0,0.0,10.0,5), width_bucket(-1,0,10,5), width_bucket(10,0,10,5)", "3|0|6"),
        ("width_bucket(3.5, ARRAY[1.0,2.0,3.0])", "3"),
        ("bitwise_and(19,25), bitwise_or(19,25), bitwise_xor(19,25), bitwise_not(19)", "17|27|10|-20"),
        ("bitwise_left_shift(1,2), bitwise_right_shift(8,3), bitwise_right_shift_arithmetic(-8,1)", "4|1|-4"),
        ("bit_count(9,64), bit_count(-7,64), bit_count(-7,8)", "2|62|6"),
        ("from_base('ff',16), to_base(255,2), to_base(-10,16)", "255|11111111|-a"),
        ("sign(-5), sign(25e-1), mod(7,3), truncate(-27e-1), ceiling(12e-1)", "-1|1.0|1|-2.0|2.0"),
        ("is_nan(nan()), is_finite(1e0), is_infinite(infinity())", "true|true|true"),
        ("7/2, -7/2, 7%3, 2*3+1, 5-3", "3|-3|1|7|2"),
        ("round(25e-1), round(-25e-1), round(1005e-3, 1)", "3.0|-3.0|1.0"),
        ("power(2,10), log(2,8), log10(100), cbrt(27)", "1024.0|3.0|2.0|3.0"),
        ("lower(to_hex(md5(to_utf8('a'))))", "0cc175b9c0f1b6a831c399e269772661"),
        ("lower(to_hex(sha1(to_utf8('a'))))", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        (
            "lower(to_hex(sha256(to_utf8('a'))))",
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        ),
        ("length(sha512(to_utf8('a')))", "64"),
        ("to_hex(xxhash64(to_utf8('a'))), crc32(to_utf8('123456789'))", "D24EC4F1A98C6E5B|3421780262"),
        (
            "from_utf8(from_base64('aGk=')), to_base64(to_utf8('hi')), from_utf8(from_base64url('aGk_'))",
            "hi|aGk=|hi?",
        ),
        ("from_utf8(from_hex('6869')), to_hex(to_utf8('hi'))", "hi|6869"),
        ("to_base32(to_utf8('foob')), from_utf8(from_base32('MZXW6YQ='))", "MZXW6YQ=|foob"),
        (
            "to_hex(hmac_sha256(to_utf8('a'), to_utf8('k')))",
            "78DA91511E675587F5B9DF78BEDEBAF5560DA2ABB88162EE875DCDF744951D9E",
        ),
        ("from_big_endian_64(to_big_endian_64(258))", "258"),
        ("TRY(1/0), TRY(CAST('x' AS bigint)), TRY(6/2), coalesce(TRY(1/0), 0)", "NULL|NULL|3|0"),
        ("SELECT x, TRY(10/x) FROM (VALUES 0, 5) AS t(x) ORDER BY 1", "0|NULL;5|2"),
    ]);
    check_refused(&[
        ("SELECT 1/0", "zero"),
        ("SELECT 9223372036854775807 + 1", "64 bits"),
        ("SELECT 9223372036854775807 * x FROM (VALUES 2) AS t(x)", "64 bits"),
        ("SELECT sha256('a')", "sha256 takes (varbinary), not (varchar)"),
        ("SELECT ARRAY[1,2][3]", "use element_at"),
        ("SELECT map(ARRAY['a'],ARRAY[1])['b']", "use element_at"),
        ("SELECT word_stem('a')", "not available"),
        ("SELECT regexp_extrct_all('a','b')", "did you mean regexp_extract_all?"),
        ("SELECT frobnicate(1)", "docs/query.md lists the functions"),
    ]);
}

#[test]
fn dates_and_spans() {
    check(&[
        (
            "last_day_of_month(date '2023-11-01'), last_day_of_month(timestamp '2024-02-01 10:00:00')",
            "2023-11-30|2024-02-29",
        ),
        (
            "human_readable_seconds(96), human_readable_seconds(56363463)",
            "1 minute, 36 seconds|93 weeks, 1 day, 8 hours, 31 minutes, 3 seconds",
        ),
        ("to_milliseconds(interval '1' day), to_milliseconds(interval '90' second)", "86400000|90000"),
        ("sequence(date '2023-11-01', date '2023-11-03')", "[2023-11-01, 2023-11-02, 2023-11-03]"),
        (
            "sequence(date '2023-01-31', date '2023-03-31', interval '1' month)",
            "[2023-01-31, 2023-02-28, 2023-03-31]",
        ),
        (
            "cardinality(sequence(timestamp '2023-11-01 00:00:00', timestamp '2023-11-01 05:00:00', interval '1' hour))",
            "6",
        ),
        (
            "date_diff('day', date '2023-11-01', date '2023-11-30'), date_add('month', 1, date '2023-01-31')",
            "29|2023-02-28",
        ),
        (
            "CAST(at_timezone(timestamp '2023-11-01 00:00:00 UTC', 'Asia/Seoul') AS varchar)",
            "2023-11-01 09:00:00.000 Asia/Seoul",
        ),
        (
            "CAST(with_timezone(timestamp '2023-11-01 00:00:00','Asia/Seoul') AS varchar)",
            "2023-11-01 00:00:00.000 Asia/Seoul",
        ),
        (
            "CAST(TRY(from_iso8601_timestamp('2023-11-01T09:00:00Z')) AS varchar), TRY(from_iso8601_timestamp('x')) IS NULL",
            "2023-11-01 09:00:00.000 UTC|true",
        ),
        ("current_timezone(), localtimestamp = localtimestamp", "UTC|true"),
        ("typeof(localtime), localtime = CAST(localtimestamp AS time)", "time(3)|true"),
        ("to_iso8601(date_parse('2023-11-01 09:30','%Y-%m-%d %H:%i'))", "2023-11-01T09:30:00.000"),
    ]);
}

#[test]
fn addresses() {
    check(&[
        ("CAST('10.0.0.1' AS IPADDRESS)", "10.0.0.1"),
        ("IPADDRESS '2001:db8::0:1', CAST(IPADDRESS '10.0.0.1' AS varchar)", "2001:db8::1|10.0.0.1"),
        (
            "ip_prefix(CAST('10.0.1.2' AS IPADDRESS),16), CAST('10.0.1.2/8' AS ipprefix)",
            "10.0.0.0/16|10.0.0.0/8",
        ),
        (
            "ip_subnet_min(IPPREFIX '192.64.1.1/9'), ip_subnet_max(IPPREFIX '192.64.0.0/9')",
            "192.0.0.0|192.127.255.255",
        ),
        ("ip_subnet_range(IPPREFIX '10.0.0.0/30')", "[10.0.0.0, 10.0.0.3]"),
        ("is_subnet_of(IPPREFIX '192.168.3.131/26', IPPREFIX '192.168.3.144/30')", "true"),
        ("is_subnet_of(IPPREFIX '10.0.0.0/8', IPADDRESS '11.0.0.1')", "false"),
        (
            "contains('10.0.0.0/8', IPADDRESS '10.255.255.255'), contains('10.0.0.0/8', IPADDRESS '11.255.255.255')",
            "true|false",
        ),
        ("contains('2001:0db8::/32', IPADDRESS '2001:0db8::1')", "true"),
        ("IPADDRESS '10.0.0.2' > IPADDRESS '10.0.0.1', TRY_CAST('x' AS ipaddress)", "true|NULL"),
        (
            "SELECT ip, count(*) FROM (SELECT CAST(x AS ipaddress) AS ip FROM (VALUES '10.0.0.1','10.0.0.1') AS t(x)) GROUP BY ip",
            "10.0.0.1|2",
        ),
        (
            "SELECT count(*) FROM (VALUES '10.0.0.1','8.8.8.8','-') AS t(x) WHERE contains('10.0.0.0/8', TRY_CAST(x AS ipaddress))",
            "1",
        ),
    ]);
    check_refused(&[("SELECT CAST('x' AS ipaddress)", "cannot cast 'x' to ipaddress")]);
}
