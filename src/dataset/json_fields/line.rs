//! One JSON object in one line.

use super::shape::{Found, Shape};
use crate::dataset::records::Fault;
use crate::json::{self, Stop, Walker, unescape};

/// The mark that some editors write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Whether a line begins with a JSON object.
pub(in crate::dataset) fn begins_line(line: &[u8]) -> bool {
    match line.first() {
        Some(b'{') => true,
        Some(b' ' | b'\t' | b'\r' | 0xef) => {
            let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii_start();
            line.first() == Some(&b'{')
        }
        _ => false,
    }
}

/// Walks over the only object of a line.
pub(in crate::dataset) fn walk_line<'a>(
    shape: &Shape,
    line: &'a str,
    found: &mut Found<'a>,
) -> Result<(), Fault> {
    let mut walker = Walker::new(line, 0);
    walker.skip_byte_order_mark();
    if walker.peek() != Ok(b'{') {
        return Err(("not_an_object", "the line is not a JSON object".to_owned()));
    }
    shape.walk(&mut walker, found).map_err(fault)?;
    match walker.peek() {
        Ok(_) => Err(("text_after_record", format!("text follows the record at byte {}", walker.at()))),
        Err(_) => Ok(()),
    }
}

/// Returns the keys and values of the first object of an object's first bytes, up to the place where they end.
pub(in crate::dataset) fn first_object(head: &[u8]) -> Vec<(String, &str)> {
    let text = head.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let mut walker = Walker::new(text, 0);
    walker.skip_byte_order_mark();
    let mut members = Vec::new();
    // An error ends the object at the end of the first bytes or at invalid JSON.
    let _ = add_members(&mut walker, &mut members);
    members
}

fn add_members<'a>(walker: &mut Walker<'a>, members: &mut Vec<(String, &'a str)>) -> Result<(), Stop> {
    walker.take(b'{', "an object")?;
    let mut first = true;
    while walker.next_element(b'}', first)? {
        first = false;
        let key = unescape(walker.key()?).into_owned();
        members.push((key, walker.value(1)?));
    }
    Ok(())
}

fn fault(stop: Stop) -> Fault {
    match stop {
        Stop::Incomplete => ("truncated_json", "the line ends inside the record".to_owned()),
        Stop::Invalid { at, expected } => ("invalid_json", format!("expected {expected} at byte {at}")),
        Stop::TooDeep => ("too_deep", format!("more than {} levels deep", json::MAX_DEPTH)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_begin_with_an_object_are_recognised() {
        for (line, expected) in [
            ("{}", true),
            (" \t{", true),
            ("\u{feff}{\"a\":1}", true),
            ("\u{feff}[", false),
            ("79a59df9 bucket [06/Feb/2019:00:00:38 +0000] {", false),
            ("\"{\"", false),
            ("", false),
            (" ", false),
        ] {
            assert_eq!(begins_line(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn a_line_holds_exactly_one_object() {
        let shape = Shape::of_paths(["a"]);
        for (line, expected) in [
            ("{\"a\":1}", None),
            ("\u{feff} {\"a\":1} \t", None),
            ("{}", None),
            ("{\"a\":1", Some("truncated_json")),
            ("{\"a\":12", Some("truncated_json")),
            ("{\"a\":\"", Some("truncated_json")),
            ("{\"a\":1}{\"a\":2}", Some("text_after_record")),
            ("{\"a\":1},", Some("text_after_record")),
            ("{\"a\" 1}", Some("invalid_json")),
            ("{a:1}", Some("invalid_json")),
            ("[{}]", Some("not_an_object")),
            ("1", Some("not_an_object")),
            ("", Some("not_an_object")),
        ] {
            let walked = walk_line(&shape, line, &mut Found::default());
            assert_eq!(walked.err().map(|(reason, _)| reason), expected, "{line}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(json::MAX_DEPTH));
        assert_eq!(walk_line(&shape, &deep, &mut Found::default()).unwrap_err().0, "too_deep");
    }

    #[test]
    fn the_first_bytes_show_the_complete_members_of_the_first_object() {
        let keys =
            |head: &str| first_object(head.as_bytes()).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys("{\"a\":1,\"\\u0062\":{\"c\":2},\"d\":\"cut"), ["a", "b"]);
        assert_eq!(keys("{\"a\":1} rest"), ["a"]);
        for head in ["", "[", "a b c", "{\"a\""] {
            assert!(keys(head).is_empty(), "{head}");
        }
    }
}
