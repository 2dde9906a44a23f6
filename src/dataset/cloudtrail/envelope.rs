//! The envelope of the records in a file, `{"Records":[...]}`. Event notifications of S3 and other services have the same
//! envelope and even some of the same keys.

use crate::dataset::records::find_list;
use crate::json::{Stop, Walker, text, unescape};

/// The prefix of the event source in an event notification: `aws:s3`, `aws:sqs`, `aws:dynamodb`. In CloudTrail the event
/// source is a host name (AWS, "Event message structure" in the S3 guide; "CloudTrail record contents").
const SENDER_OF_NOTIFICATION: &str = "aws:";

/// The key of the list of records.
pub(super) const LIST: &str = "Records";

/// Whether an event source belongs to an event notification.
pub(super) fn is_notification(event_source: &str) -> bool {
    event_source.starts_with(SENDER_OF_NOTIFICATION)
}

/// Whether a file begins like a document of CloudTrail records. Records that are recognisable as event notifications do
/// not count.
pub(super) fn recognises(front: &[u8]) -> bool {
    let text = front.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let mut walker = Walker::new(text, 0);
    find_list(&mut walker, LIST).unwrap_or_default()
        && !begins_with_notification(&mut walker).unwrap_or_default()
}

/// Whether the first record has the event source of a notification.
fn begins_with_notification(walker: &mut Walker<'_>) -> Result<bool, Stop> {
    walker.take(b'[', "a list")?;
    walker.take(b'{', "an object")?;
    let mut first = true;
    while walker.next_element(b'}', first)? {
        let key = unescape(walker.key()?);
        let value = walker.value(2)?;
        // SNS notifications begin the key with a capital letter.
        if key.eq_ignore_ascii_case("eventSource") {
            return Ok(is_notification(&text(value)));
        }
        first = false;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFICATION: &str =
        r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","s3":{}}]}"#;

    #[test]
    fn records_are_recognised_in_any_spelling_of_their_key() {
        for front in [
            r#"{"Records":[{"eventVersion":"1.08","eventSource":"s3.amazonaws.com"}]}"#,
            r#" { "a":[{"Records":1}], "Rec\u006frds" :["#,
            r#"{"\u0052\u0065cords":[]}"#,
            r#"{"Records":[{"requestParameters":{"eventSource":"aws:s3"},"eventSource":"sqs.amazonaws.com"}]}"#,
            // The event source is beyond the front.
            r#"{"Records":[{"eventVersion":"1.08","eventSour"#,
        ] {
            assert!(recognises(front.as_bytes()), "{front}");
            assert!(recognises(&[front.as_bytes(), b"\xff"].concat()), "{front}");
        }
    }

    #[test]
    fn other_documents_and_event_notifications_are_not_recognised() {
        for front in [
            NOTIFICATION,
            &NOTIFICATION[..62],
            r#"{"Records":[{"eventS\u006furce":"\u0061ws:s3"}]}"#,
            r#"{"Records":[{"EventSource":"aws:sns","Sns":{}}]}"#,
            r#"{"Records":[{"messageId":"a","body":"{}","eventSource":"aws:sqs"}]}"#,
            r#"{"a":{"Records":[]}}"#,
            r#"{"a":"\"Records\""}"#,
            r#"{"records":[]}"#,
            "[{}]",
            "\"Records\"",
            "",
        ] {
            assert!(!recognises(front.as_bytes()), "{front}");
        }
    }
}
