//! Finds fields of a certificate that this version does not know: they could state what no check has confirmed.

use serde_json::Value;

use super::Certificate;

/// Returns the path of the first field in some JSON that the certificate read from it does not have. Fields that state
/// nothing, for example empty lists, are ignored.
pub(super) fn field_of(certificate: &Certificate, json: &str) -> Option<String> {
    let known = serde_json::to_value(certificate).ok()?;
    let given = serde_json::from_str(json).ok()?;
    unknown(&given, &known).map(|path| path.trim_start_matches('.').to_owned())
}

fn unknown(given: &Value, known: &Value) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.iter().find_map(|(name, value)| {
            let below = match known.get(name) {
                Some(known) => unknown(value, known)?,
                None if states_nothing(value) => return None,
                None => String::new(),
            };
            Some(format!(".{name}{below}"))
        }),
        (Value::Array(given), Value::Array(known)) => {
            let mut pairs = given.iter().zip(known).enumerate();
            pairs.find_map(|(place, (given, known))| Some(format!("[{place}]{}", unknown(given, known)?)))
        }
        _ => None,
    }
}

fn states_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}
