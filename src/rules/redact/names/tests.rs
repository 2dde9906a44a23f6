//! Start and end of values in any text.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn names() -> Names {
    Names::new(["X-Amz-Signature", "token", "to"].map(str::to_owned).to_vec(), true)
}

fn masked(text: &str) -> String {
    names().mask(text.as_bytes()).map_or(text.to_owned(), |masked| String::from_utf8(masked).unwrap())
}

#[test]
fn the_value_of_a_parameter_ends_with_the_parameter() {
    for (text, expected) in [
        ("GET /k?X-Amz-Signature=ab12 HTTP/1.1", "GET /k?X-Amz-Signature=REDACTED HTTP/1.1"),
        ("x-amz-signature=ab", "x-amz-signature=REDACTED"),
        ("?a=1&X-AMZ-SIGNATURE=ab&b=2", "?a=1&X-AMZ-SIGNATURE=REDACTED&b=2"),
        ("?token=a%26b%3Dc;d'e/f+g&h", "?token=REDACTED&h"),
        ("?token=a#top", "?token=REDACTED#top"),
        ("<a href=\"/?token=a\">", "<a href=\"/?token=REDACTED\">"),
        ("?token=&b=1", "?token=&b=1"),
        ("?token", "?token"),
        ("?token=a&token=b", "?token=REDACTED&token=REDACTED"),
        ("?token=to=b&c", "?token=REDACTED&c"),
        // A name inside a value, whose own value ends later.
        ("?token=a?to: b c", "?token=REDACTED REDACTED"),
        ("?token=a?to: b?X-Amz-Signature: c", "?token=REDACTED REDACTED"),
        ("?token=비밀 끝", "?token=REDACTED 끝"),
        (r"?token=a\b\&c\", r"?token=REDACTED&c\"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

/// Each of the names is inside the values of all names before it.
#[test]
fn many_names_in_one_value_take_one_reading() {
    for name in ["?token=a?to: b ", "token=to: ", "?token=a?to: b c&", r#""token":{"to":"#] {
        let text = name.repeat(40_000);
        let masked = masked(&text);
        assert!(masked.len() < text.len(), "{name}");
        assert!(!masked.contains("to: b"), "{name}");
    }
}

#[test]
fn only_whole_names_count() {
    for same in
        ["my-token=a", "tokens=a", "token_b=a", "_token=a", "xtoken=a", "token a", "tokens: a", "token%73=a"]
    {
        assert_eq!(masked(same), same);
    }
    for (text, expected) in [
        ("(token=a)", "(token=REDACTED"),
        ("%26token=a", "%26token=REDACTED"),
        ("%253Ftoken%253Da", "%253Ftoken%253DREDACTED"),
        (r"\u0026token=a", r"\u0026token=REDACTED"),
        (r"line\ntoken=a", r"line\ntoken=REDACTED"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn encoded_names_are_found() {
    for (text, expected) in [
        ("?X%2DAmz%2DSignature=ab", "?X%2DAmz%2DSignature=REDACTED"),
        ("?x%2damz%2dsIGNATURE=ab&c", "?x%2damz%2dsIGNATURE=REDACTED&c"),
        ("?X%252DAmz%252DSignature=ab", "?X%252DAmz%252DSignature=REDACTED"),
        ("?X%252DAmz-Signature%253Dab%2526c", "?X%252DAmz-Signature%253DREDACTED%2526c"),
        (
            "?%58%2D%41%6D%7A%2D%53%69%67%6E%61%74%75%72%65=ab",
            "?%58%2D%41%6D%7A%2D%53%69%67%6E%61%74%75%72%65=REDACTED",
        ),
        ("?u=%3F%58-Amz-Signature%3Dab%26c", "?u=%3F%58-Amz-Signature%3DREDACTED%26c"),
        ("?tok%65n=a", "?tok%65n=REDACTED"),
        ("?tok%252565n=a", "?tok%252565n=REDACTED"),
        (r"?X\u002dAmz\u002dSignature\u003dab\u0026c", r"?X\u002dAmz\u002dSignature\u003dREDACTED\u0026c"),
        (r#"{"X%2DAmz%2DSignature":"ab","b":1}"#, r#"{"X%2DAmz%2DSignature":"REDACTED","b":1}"#),
        (r#""{\"tok\\u0065n\":\"ab\"}""#, r#""{\"tok\\u0065n\":\"REDACTED\"}""#),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
    let odd = Names::new(["a.1", "$x", "k"].map(str::to_owned).to_vec(), true);
    for text in ["?a.1=s", "?a%2e%31=s", "?%24x=s", "?%2524X=s", "?k=s", "?%4B=s", "?K%3Ds"] {
        let masked = odd.mask(text.as_bytes()).map(String::from_utf8);
        assert!(masked.is_some_and(|text| text.is_ok_and(|text| text.ends_with(MASK))), "{text}");
    }
}

/// The gate searches all texts of a column at once, concatenated.
#[test]
fn a_name_is_found_whatever_surrounds_its_text() {
    for text in ["token=a", "x-amz-signature%3Da", "TO\"", "t%6F=a", "t%256f=a", r"t\u006F=a", "%74o=a"] {
        for before in ["", "a", "%", "5", "%25", "\\", "to"] {
            let texts = format!("{before}{text}{before}");
            assert!(names().are_in(texts.as_bytes()), "{texts}");
        }
    }
    for none in
        ["", "%", "to", "token", "tokens=", "%EC%84%9C%EC%9A%B8", "%2520%252F", "a%26b%3D", "5453=2D", "2541"]
    {
        assert!(!names().are_in(none.as_bytes()), "{none}");
    }
}

#[test]
fn blanks_and_quotes_may_separate_a_name_and_its_value() {
    for (text, expected) in [
        ("?X-Amz-Signature%20=ab&c", "?X-Amz-Signature%20=REDACTED&c"),
        ("?X%2DAmz%2DSignature%2520%253Dab%2526c", "?X%2DAmz%2DSignature%2520%253DREDACTED%2526c"),
        ("?token+=ab", "?token+=REDACTED"),
        ("?token%2B%3Dab", "?token%2B%3DREDACTED"),
        ("?token%09%20=ab", "?token%09%20=REDACTED"),
        ("token = ab c", "token = REDACTED c"),
        (r"token\t=ab", r"token\t=REDACTED"),
        (r"token\u0020\u003d ab", r"token\u0020\u003d ab"),
        ("GET /?token= HTTP/1.1", "GET /?token= HTTP/1.1"),
        ("token=\"a b\" c", "token=\"REDACTED\" c"),
        (r#"{"u":"token=\"a b\" c"}"#, r#"{"u":"token=\"REDACTED\" c"}"#),
        (r#"{"u":"token=","v":"token: ","w":1}"#, r#"{"u":"token=","v":"token: ","w":1}"#),
        (r#""{\"u\":\"token=\",\"v\":1}""#, r#""{\"u\":\"token=\",\"v\":1}""#),
        ("?j=%7B%22token%22%3A%22a%22,b", "?j=%7B%22token%22%3A%22REDACTED%22,b"),
        ("{'token': 'a'}", "{'token': REDACTED"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn a_semicolon_separates_parameters() {
    for (text, expected) in [
        ("/?a=1;token=ab;b=2", "/?a=1;token=REDACTED;b=2"),
        ("/;token=ab;b%3D2", "/;token=REDACTED;b%3D2"),
        ("%3Btoken%3Dab%3Bb%3D2", "%3Btoken%3DREDACTED%3Bb%3D2"),
        ("/?token=ab;cd", "/?token=REDACTED"),
        ("/?token=ab%3Bb=2", "/?token=REDACTED"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn the_value_of_a_header_ends_with_its_line_or_its_string() {
    for (text, expected) in [
        ("X-Amz-Signature: ab c", "X-Amz-Signature: REDACTED"),
        ("x-amz-signature:ab\r\nHost: x", "x-amz-signature:REDACTED\r\nHost: x"),
        ("a: 1\nToken : ab\nb: 2", "a: 1\nToken : REDACTED\nb: 2"),
        ("curl -H \"TOKEN: Basic ab\" x", "curl -H \"TOKEN: REDACTED\" x"),
        ("token:\tab\tc", "token:\tREDACTED"),
        (r#"{"h":"token: a b\r\nHost: x"}"#, r#"{"h":"token: REDACTED\r\nHost: x"}"#),
        (r#"{"h":"token: a\u000db"}"#, r#"{"h":"token: REDACTED\u000db"}"#),
        (r#"{"h":["token: a","b"]}"#, r#"{"h":["token: REDACTED","b"]}"#),
        (r#""{\"h\":\"token: a\\r\\nb: c\",\"d\":1}""#, r#""{\"h\":\"token: REDACTED\\r\\nb: c\",\"d\":1}""#),
        (r#"{"h":"token: a\\nb\/c"}"#, r#"{"h":"token: REDACTED"}"#),
        (
            "?h=token%3A%20a%20b%0D%0AHost&c",
            "?h=token%3A%20a%20b%0D%0AHost&c".replace("%20a%20b", "REDACTED").as_str(),
        ),
        ("?h=token%3Aa&c d", "?h=token%3AREDACTED&c d"),
        ("token:", "token:"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

/// In decoded text, a blank may have been a `+`, and an `&` may have been `%26`.
#[test]
fn decoded_text_is_masked_from_the_first_value_to_the_end() {
    let rest =
        |text: &str| names().mask_rest(text.as_bytes()).map(|masked| String::from_utf8(masked).unwrap());
    for (text, expected) in [
        ("a/b?a=1&token=ab cd&e#f", "a/b?a=1&token=REDACTED"),
        ("{\"token\":\"a\"}", "{\"token\":\"REDACTED"),
        ("X-Amz-Signature: a\r\nb", "X-Amz-Signature: REDACTED"),
    ] {
        assert_eq!(rest(text).as_deref(), Some(expected), "{text}");
    }
    assert!(rest("a/b?tokens=ab cd").is_none());
}

/// A character that ends a value in other text can be its first character here: `k?token=%2BQZ` decodes to `k?token= QZ`.
#[test]
fn a_decoded_value_may_begin_with_any_character() {
    for first in [
        " ", "+", "\t", "\n", "\r\n", "\0", "\x7f", "\"", "&", "#", "<", ">", ";b=", "%20", "%23", "%22",
        "\\\"",
    ] {
        for before in
            ["k?token=", "k?token%3D", "k?token%253D", "k?a=1&token=", "k?token =", "k?token:", "{\"token\":"]
        {
            let text = format!("{before}{first}QZ");
            let masked = String::from_utf8(names().mask_rest(text.as_bytes()).unwrap()).unwrap();
            assert!(masked.starts_with(before) && masked.ends_with(MASK), "{text:?} -> {masked:?}");
            assert!(!masked.contains('Q'), "{text:?} -> {masked:?}");
        }
    }
    for (text, expected) in [
        ("k?token= QZ", Some("k?token=REDACTED")),
        ("k?to=&token= QZ", Some("k?to=REDACTED")),
        ("k?token", None),
        ("k?token=", None),
        ("k?token: ", None),
    ] {
        let masked = names().mask_rest(text.as_bytes()).map(|masked| String::from_utf8(masked).unwrap());
        assert_eq!(masked.as_deref(), expected, "{text}");
    }
}

#[test]
fn a_string_of_encoded_json_is_masked_whatever_precedes_it() {
    for (text, expected) in [
        ("%7B%22token%22%3A%20%22a%22%7D", "%7B%22token%22%3A%20%22REDACTED%22%7D"),
        ("%7B%22token%22%3A+%22a+b%22%7D", "%7B%22token%22%3A+%22REDACTED%22%7D"),
        ("%7B%22token%22%3A%0D%0A%09%22a%22%7D", "%7B%22token%22%3A%0D%0A%09%22REDACTED%22%7D"),
        (
            "%257B%2522token%2522%253A%2520%2522a%2522%257D",
            "%257B%2522token%2522%253A%2520%2522REDACTED%2522%257D",
        ),
        ("%2522token%2522%253A%2B%2522a%2522%257D", "%2522token%2522%253A%2B%2522REDACTED%2522%257D"),
        ("%2522token%2522%253A+%2522a%2522%257D", "%2522token%2522%253A+%2522REDACTED%2522%257D"),
        ("%22token%22:%20%22a%22%7D HTTP", "%22token%22:REDACTED"),
        ("%22token%22%3A%20%22a%5C%22b%22%7D", "%22token%22%3A%20%22REDACTED%22%7D"),
        ("%22token%22%3A%22a%5c%5c%22%7D", "%22token%22%3A%22REDACTED%22%7D"),
        ("%5C%22token%5C%22%3A%20%5C%22a%5C%22%7D", "%5C%22token%5C%22%3A%20%5C%22REDACTED%22%7D"),
        ("%5C%22token%5C%22%3A%5C%22a%5C%5C%5C%22b%5C%22%7D", "%5C%22token%5C%22%3A%5C%22REDACTED%22%7D"),
        ("?u=token%3D%22a%22%2Cb", "?u=token%3D%22REDACTED%22%2Cb"),
        ("?u=token%20%3D%20%22a%22%2Cb", "?u=token%20%3D%20%22REDACTED%22%2Cb"),
        ("?u=%22token%3D%22 HTTP/1.1", "?u=%22token%3D%22 HTTP/1.1"),
        ("?u=%22token%3D%22%26b", "?u=%22token%3D%22%26b"),
        (r#""{\u0022token\u0022: \u0022a\u0022}""#, r#""{\u0022token\u0022: \u0022REDACTED\u0022}""#),
        (r#""token\u003d\u0022a\u0022}""#, r#""token\u003d\u0022REDACTED\u0022}""#),
        ("%22Host%5Cr%5Cntoken%3A%20a%22", "%22Host%5Cr%5Cntoken%3AREDACTED%22"),
        ("%22?a%5Cu0026token%5Cu003da%5Cu0026b%22", "%22?a%5Cu0026token%5Cu003dREDACTED%5Cu0026b%22"),
        ("%5C%22token%5C%22%3A%5Cn%5C%22a%5C%22", "%5C%22token%5C%22%3A%5Cn%5C%22REDACTED%22"),
        ("{\"token\":nullQZ}", "{\"token\":\"REDACTED\"}"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn a_url_within_a_url_is_masked_at_its_own_level() {
    for (text, expected) in [
        ("?u=%3Ftoken%3Da%26b%3D1&c=2", "?u=%3Ftoken%3DREDACTED%26b%3D1&c=2"),
        ("?u=%3ftoken%3da%2526x%26b", "?u=%3ftoken%3dREDACTED%26b"),
        ("?u=%253Ftoken%253Da%2526b%26c&d", "?u=%253Ftoken%253DREDACTED%2526b%26c&d"),
        ("?u=%253Ftoken%253Da%26c", "?u=%253Ftoken%253DREDACTED%26c"),
        ("?u=%3Ftoken%3Da&d", "?u=%3Ftoken%3DREDACTED&d"),
        ("?u=%3Ftoken%3Da%20b&c", "?u=%3Ftoken%3DREDACTED&c"),
        ("?u=%3Ftoken%3Da%0Ab", "?u=%3Ftoken%3DREDACTED%0Ab"),
        ("?token=100%", "?token=REDACTED"),
        ("?token=%zz%2", "?token=REDACTED"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn json_with_a_masked_url_is_still_json() {
    for (text, expected) in [
        (r#"{"u":"?token=a"}"#, r#"{"u":"?token=REDACTED"}"#),
        (r#"{"u":"?token=a\u0026b"}"#, r#"{"u":"?token=REDACTED\u0026b"}"#),
        (r#"{"u":"?token\u003da\u002fb\/c\"d"}"#, r#"{"u":"?token\u003dREDACTED\"d"}"#),
        (r#"{"u":"{\"v\":\"?token=a\\u0026b\"}"}"#, r#"{"u":"{\"v\":\"?token=REDACTED\\u0026b\"}"}"#),
        (r#"{"u":"?token=a\\"}"#, r#"{"u":"?token=REDACTED"}"#),
        (r#"{"u":"?token=a\\b\nc d"}"#, r#"{"u":"?token=REDACTED d"}"#),
        (r#"{"u":"{\"v\":\"?token=a\\\/b\\\\c\"}"}"#, r#"{"u":"{\"v\":\"?token=REDACTED\"}"}"#),
    ] {
        assert_eq!(masked(text), expected, "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok());
    }
}

#[test]
fn a_json_member_with_a_name_is_masked_in_any_text() {
    for (text, expected) in [
        (r#"{"token":"a","b":1}"#, r#"{"token":"REDACTED","b":1}"#),
        (r#""token" : "a \" b\\", "c""#, r#""token" : "REDACTED", "c""#),
        (r#"{"token":12}"#, r#"{"token":"REDACTED"}"#),
        (r#"{"token":{"a":["}"]},"b":1}"#, r#"{"token":"REDACTED","b":1}"#),
        (r#"{"token":null,"b":1}"#, r#"{"token":null,"b":1}"#),
        (r#"{"token":"cut"#, r#"{"token":"REDACTED"#),
        (r#"{"token":{"a":"cut"#, r#"{"token":"REDACTED""#),
        (r#"{"token":"#, r#"{"token":"#),
        (r#"{"a":"token","b":1}"#, r#"{"a":"token","b":1}"#),
        (r#""{\"token\":\"a \\\" b\",\"c\":1}""#, r#""{\"token\":\"REDACTED\",\"c\":1}""#),
        (r#""{\"token\":{\"a\":\"}\"},\"c\":1}""#, r#""{\"token\":\"REDACTED\",\"c\":1}""#),
        (r#""{\"token\":[12" "#, r#""{\"token\":\"REDACTED\"" "#),
        (r#""{\"token\":12,\"c\":1}""#, r#""{\"token\":\"REDACTED\",\"c\":1}""#),
        (r#"{"token\\":[],"b":1}"#, r#"{"token\\":[],"b":1}"#),
        (r#""{\"token\":\"cut","b":1"#, r#""{\"token\":\"REDACTED","b":1"#),
        (r#""{\"token\":{\"a\":\"cut","b":1"#, r#""{\"token\":\"REDACTED\"","b":1"#),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
    let keys_only = Names::new(vec!["token".to_owned()], false);
    assert!(keys_only.mask(b"?token=a").is_none());
    assert!(keys_only.mask(b"{\"token\":\"a\"").is_some());
}

#[test]
fn text_that_is_not_utf8_is_masked() {
    let masked = names().mask(b"\xff?token=\xfe\xfd&b\x80").unwrap();
    assert_eq!(masked, b"\xff?token=REDACTED&b\x80");
}

/// Percent-encodes a text for a URL, `level` times.
fn encoded(text: &str, level: usize) -> String {
    (0..level).fold(text.to_owned(), |text, _| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let code = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(code).collect()
    })
}

proptest! {
    /// The letters of the secrets occur nowhere else in the texts.
    #[test]
    fn no_byte_of_a_secret_survives_however_deeply_the_url_is_encoded(
        secret in "[QZW]{1,12}([+/=&;# \"<>%]?[QZW]{1,3}){0,3}",
        level in 0_usize..4,
        json in 0_usize..3,
        before in "[a-z?&/ ]{0,6}[?& ]",
        escaped in any::<[bool; 15]>(),
        layers in 1_usize..3,
        after in "(&[a-m]{0,4}=[a-m]{0,4})?",
    ) {
        // The value is encoded once in its URL, and the whole URL may then be encoded again.
        let value = encoded(&secret, 1);
        let name = "X-Amz-Signature".bytes().zip(escaped).map(|(byte, escaped)| {
            if escaped { format!("%{}{byte:02x}", "25".repeat(layers - 1)) } else { char::from(byte).to_string() }
        });
        let name = name.collect::<String>();
        let mut text = encoded(&format!("{before}{name}={value}{after}"), level);
        for _ in 0..json {
            text = serde_json::to_string(&text).unwrap();
        }
        let masked = masked(&text);
        prop_assert!(!masked.contains(['Q', 'Z', 'W']), "{text} -> {masked}");
        prop_assert!(masked.contains(MASK));
        if json > 0 {
            prop_assert!(serde_json::from_str::<String>(&masked).is_ok(), "{text} -> {masked}");
        }
        if !after.is_empty() {
            let kept = encoded(&after, level);
            prop_assert!(masked.contains(&kept), "{text} -> {masked} keeps {kept}");
        }
    }

    #[test]
    fn no_byte_of_a_header_survives_however_deeply_it_is_encoded(
        secret in "[QZW]{1,12}([+/=&;# '<>%:]?[QZW]{1,3}){0,3}",
        level in 0_usize..3,
        json in 0_usize..3,
        blanks in "[ \t]{0,2}",
        end in "(\r\n|\n)?",
    ) {
        let mut text = encoded(&format!("Host: x\r\nx-amz-Signature:{blanks}{secret}{end}"), level);
        for _ in 0..json {
            text = serde_json::to_string(&text).unwrap();
        }
        let masked = masked(&text);
        prop_assert!(!masked.contains(['Q', 'Z', 'W']), "{text} -> {masked}");
        if json > 0 {
            prop_assert!(serde_json::from_str::<String>(&masked).is_ok(), "{text} -> {masked}");
        }
    }

    /// The innermost layer may encode a blank as `+`.
    #[test]
    fn no_byte_of_a_member_survives_however_deeply_its_document_is_encoded(
        secret in "[QZW]{1,12}([+/=&;# '\"\\\\<>%:]?[QZW]{1,3}){0,3}",
        blanks in "[ \t\r\n]{0,3}",
        strings in 0_usize..3,
        level in 1_usize..4,
        as_form in any::<bool>(),
        json in 0_usize..3,
    ) {
        let mut text = format!("{{\"a\":1, \"X-Amz-Signature\":{blanks}{}, \"b\":2}}", Value::from(secret));
        for _ in 0..strings {
            text = Value::from(text).to_string();
        }
        let innermost = encoded(&text, 1);
        let innermost = if as_form { innermost.replace("%20", "+") } else { innermost };
        let mut text = encoded(&innermost, level - 1);
        for _ in 0..json {
            text = Value::from(text).to_string();
        }
        let masked = masked(&text);
        prop_assert!(!masked.contains(['Q', 'Z', 'W']), "{text} -> {masked}");
        prop_assert!(masked.contains(&encoded("b", level)));
        if json > 0 {
            prop_assert!(serde_json::from_str::<String>(&masked).is_ok(), "{text} -> {masked}");
        }
    }

    #[test]
    fn any_text_can_be_masked_and_masking_is_idempotent(
        text in "(token|X-Amz-Signature|=|%3D|%253D|&|;|\"|'|\\\\|\\{|\\}|\\[|\\]|:|%3A|,|null|\\\\u003d|\\\\r|\\\\\\\\n|\r\n|a|%26|%20|%22|\\+|%0A|%5C|\\\\u0022|한| ){0,14}",
    ) {
        let once = masked(&text);
        prop_assert_eq!(masked(&once), once.clone(), "{} -> {}", text, once);
    }
}
