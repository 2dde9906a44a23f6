//! Where values begin and end in any text.

use proptest::prelude::*;

use super::*;

fn names() -> Names {
    Names::new(["X-Amz-Signature", "token", "to"].map(str::to_owned).to_vec(), true)
}

fn masked(text: &str) -> String {
    names().mask(text.as_bytes()).map_or(text.to_owned(), |masked| String::from_utf8(masked).unwrap())
}

#[test]
fn the_value_of_a_parameter_ends_where_the_parameter_does() {
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
        ("?token=비밀 끝", "?token=REDACTED 끝"),
        (r"?token=a\b\&c\", r"?token=REDACTED&c\"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn a_name_counts_only_when_it_is_whole() {
    for same in
        ["my-token=a", "tokens=a", "token_b=a", "_token=a", "xtoken=a", "token a", "token:a", "token%73=a"]
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
fn an_encoded_name_is_the_same_name() {
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

/// Whether some of a column holds a name is asked of all its texts at once, one behind the other.
#[test]
fn a_name_is_seen_whatever_stands_around_its_text() {
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
fn a_url_within_a_url_is_masked_at_its_own_level() {
    for (text, expected) in [
        ("?u=%3Ftoken%3Da%26b%3D1&c=2", "?u=%3Ftoken%3DREDACTED%26b%3D1&c=2"),
        ("?u=%3ftoken%3da%2526x%26b", "?u=%3ftoken%3dREDACTED%26b"),
        ("?u=%253Ftoken%253Da%2526b%26c&d", "?u=%253Ftoken%253DREDACTED%2526b%26c&d"),
        ("?u=%253Ftoken%253Da%26c", "?u=%253Ftoken%253DREDACTED%26c"),
        ("?u=%3Ftoken%3Da&d", "?u=%3Ftoken%3DREDACTED&d"),
        ("?u=%3Ftoken%3Da%20b", "?u=%3Ftoken%3DREDACTED%20b"),
        ("?token=100%", "?token=REDACTED"),
        ("?token=%zz%2", "?token=REDACTED"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn a_url_in_a_json_text_keeps_the_text_json() {
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
fn a_json_member_of_that_name_is_masked_in_any_text() {
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
fn bytes_that_are_no_text_are_masked_too() {
    let masked = names().mask(b"\xff?token=\xfe\xfd&b\x80").unwrap();
    assert_eq!(masked, b"\xff?token=REDACTED&b\x80");
}

/// Percent-encodes what a URL cannot hold, as often as `level` says.
fn encoded(text: &str, level: usize) -> String {
    (0..level).fold(text.to_owned(), |text, _| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let code = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(code).collect()
    })
}

proptest! {
    /// The secrets are made of letters that stand nowhere else.
    #[test]
    fn no_byte_of_a_secret_survives_however_deep_the_url_is_packed(
        secret in "[QZW]{1,12}([+/=&# \"<>%]?[QZW]{1,3}){0,3}",
        level in 0_usize..4,
        json in 0_usize..3,
        before in "[a-z?&/ ]{0,6}[?& ]",
        escaped in any::<[bool; 15]>(),
        layers in 1_usize..3,
        after in "(&[a-m]{0,4}=[a-m]{0,4})?",
    ) {
        // In a URL a value is encoded once; around it the URL as a whole may be, in turn.
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
    fn any_bytes_can_be_masked_and_masking_twice_is_masking_once(
        text in "(token|X-Amz-Signature|=|%3D|%253D|&|\"|\\\\|\\{|\\}|\\[|\\]|:|,|null|\\\\u003d|a|%26|한| ){0,14}",
    ) {
        let once = masked(&text);
        prop_assert_eq!(masked(&once), once.clone(), "{} -> {}", text, once);
    }
}
