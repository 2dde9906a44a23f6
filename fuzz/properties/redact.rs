//! No planted secret survives the masks, in any encoding and next to any text, and all other text is unchanged.

use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, StringArray, new_null_array};
use arrow::datatypes::DataType;
use logmill::rules::RedactRules;
use logmill::rules::redact::{MASK, Redaction};
use logmill::table::{Position, Rejection};
use serde_json::{Value, json};

use super::choice;
use super::decode::of_name;

/// A text that no input contains by chance.
const SECRET: &str = "QZsecretQZ9";
/// Names whose values are masked by default.
const NAMES: [&str; 5] =
    ["X-Amz-Signature", "x-amz-security-token", "X-Amz-Credential", "Signature", "AWSAccessKeyId"];
/// What may be in front of a name.
const BEFORE: [&str; 8] = ["?", "&", ";", " ", "%26", "\"", "\n", "%3F"];
/// Signs between a name and its value.
const SIGNS: [&str; 5] = ["=", "%3D", "%253d", ": ", "%3A%20"];

/// How a name is written in a text.
struct Plant {
    text: String,
    /// Whether it is a plain parameter of a URL.
    is_plain: bool,
}

impl Plant {
    /// Four letters choose the name, what is in front of it, the sign, and the encoding of its letters.
    fn of(data: &mut &[u8]) -> Self {
        let name = NAMES[choice(data, NAMES.len())];
        let (before, sign, style) = (choice(data, BEFORE.len()), choice(data, SIGNS.len()), choice(data, 64));
        let letter = |(place, letter): (usize, char)| match (style >> (place % 6)) & 1 {
            0 => letter.to_string(),
            _ if style >= 32 => format!("%25{:02x}", u32::from(letter)),
            _ => format!("%{:02X}", u32::from(letter)),
        };
        let written: String = name.chars().enumerate().map(letter).collect();
        let text = format!("{}{written}{}{SECRET}", BEFORE[before], SIGNS[sign]);
        Self { text, is_plain: before < 2 && sign == 0 && style == 0 }
    }
}

/// The first four letters choose how the secret is planted, the next one its place in the rest of the input.
pub(crate) fn check(mut data: &[u8]) {
    let plant = Plant::of(&mut data);
    let cut = choice(&mut data, 256) * data.len() / 256;
    rejected(&plant, data, cut);
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.contains("QZ") {
        return;
    }
    let (before, behind) = text.split_at(text.floor_char_boundary(cut));
    in_text(&plant, before, behind);
    in_document(&plant, before, behind);
    unchanged(text);
}

/// The raw bytes of rejected rows can be anything.
fn rejected(plant: &Plant, bytes: &[u8], cut: usize) {
    // The mask of a value without quotes can cover the name in front of the secret.
    if bytes.windows(12).any(|window| window.eq_ignore_ascii_case(b"sessionToken")) {
        return;
    }
    let raw = [&bytes[..cut], plant.text.as_bytes(), b"&", &bytes[cut..]].concat();
    let masked = masks().raw(&raw);
    assert_none(&masked, &raw);
    assert_eq!(masks().raw(&masked), masked, "masked again: {}", String::from_utf8_lossy(&raw));
}

fn in_text(plant: &Plant, before: &str, behind: &str) {
    let text = format!("{before}{}&{behind}", plant.text);
    let masked = masks().text("user_agent", &text);
    assert_none(masked.as_bytes(), text.as_bytes());
    assert_eq!(masks().text("user_agent", &masked), masked, "masked again: {text}");
    let is_inert = |text: &str| {
        !text.contains(['%', '\\', '"', '\'', '=', ':']) && masks().text("user_agent", text) == text
    };
    if plant.is_plain && is_inert(before) && is_inert(behind) {
        assert_eq!(masked, format!("{before}{}&{behind}", plant.text.replace(SECRET, MASK)));
    }
}

/// In a JSON column, a secret can be a member, a part of a text, or in a document that is packed into a text.
fn in_document(plant: &Plant, before: &str, behind: &str) {
    let text = format!("{before}{}&{behind}", plant.text);
    let inner = json!({"url": text, "X-Amz-Signature": SECRET, "list": [before, {"Signature": [SECRET]}]});
    let document = json!({"a": inner, "packed": inner.to_string(), behind: before, "number": 1.50});
    let written = document.to_string();
    let masked = masks().text("request_parameters", &written);
    assert_none(masked.as_bytes(), written.as_bytes());
    same_shape(&document, &serde_json::from_str(&masked).expect("a masked document is JSON"), &written);
    let token = json!({"credentials": {"sessionToken": SECRET, "expiration": before}, behind: 1}).to_string();
    assert_none(masks().text("response_elements", &token).as_bytes(), token.as_bytes());
}

/// Text without a name and without escapes is not changed, and masked JSON is JSON of the same shape.
fn unchanged(text: &str) {
    let masked = masks().text("user_agent", text);
    let lower = text.to_ascii_lowercase();
    let has_name = NAMES.iter().any(|name| lower.contains(&name.to_ascii_lowercase()));
    if !has_name && !text.contains(['%', '\\']) {
        assert_eq!(masked, text);
    }
    if let Ok(document) = serde_json::from_str::<Value>(text) {
        let masked = masks().text("request_parameters", text);
        same_shape(&document, &serde_json::from_str(&masked).expect("a masked document is JSON"), text);
    }
}

fn assert_none(masked: &[u8], text: &[u8]) {
    let is_there = masked.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    let [masked, text] = [masked, text].map(String::from_utf8_lossy);
    assert!(!is_there, "the secret survives in {masked:?} of {text:?}");
}

/// Fails if masks changed more than values.
fn same_shape(before: &Value, after: &Value, text: &str) {
    match (before, after) {
        (_, Value::String(masked)) if masked.contains(MASK) => {}
        // A key can hold a URL.
        (Value::Object(_), Value::Object(after)) if after.keys().any(|key| key.contains(MASK)) => {}
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            before.iter().zip(after).for_each(|(before, after)| same_shape(before, after, text));
        }
        (Value::Object(before), Value::Object(after)) if before.keys().eq(after.keys()) => {
            before.values().zip(after.values()).for_each(|(before, after)| same_shape(before, after, text));
        }
        _ => assert_eq!(before, after, "{text}"),
    }
}

/// The default masks of CloudTrail.
pub(crate) struct Masks(Redaction);

fn masks() -> &'static Masks {
    static MASKS: OnceLock<Masks> = OnceLock::new();
    MASKS.get_or_init(|| {
        let (dataset, schema) = of_name("cloudtrail");
        Masks(
            Redaction::new(schema, &RedactRules::new(dataset.default_redactions()))
                .expect("the rules are valid"),
        )
    })
}

impl Masks {
    /// Masks one cell of a column.
    fn text(&self, column: &str, text: &str) -> String {
        let (_, schema) = of_name("cloudtrail");
        let place = schema.decoded().position(|known| known.name == column).expect("the column exists");
        let mut cells: Vec<ArrayRef> = vec![new_null_array(&DataType::Null, 1); schema.decoded().count()];
        cells[place] = Arc::new(StringArray::from(vec![text]));
        self.0.apply(&mut cells);
        cells[place].as_string::<i32>().value(0).to_owned()
    }

    /// Masks the raw bytes of a rejected row.
    fn raw(&self, raw: &[u8]) -> Vec<u8> {
        let position = Position { object: 0, record: 1 };
        let (detail, raw, raw_bytes) = (String::new(), Some(raw.to_vec()), raw.len());
        let masked = self.0.rejection(Rejection { position, reason: "bad_time", detail, raw, raw_bytes });
        let raw = masked.raw.expect("the raw bytes are kept");
        assert_eq!(raw.len(), masked.raw_bytes, "a whole row does not look cut");
        raw
    }
}
