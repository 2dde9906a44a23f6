//! Properties of the parsers that read hostile or damaged bytes. Each takes any bytes, and panics if a promise is broken.
//!
//! libFuzzer runs them through `targets/property.rs`, and `tests/it/fuzz.rs` replays their corpora. Most inputs begin with
//! a few letters that choose a form, so that one corpus covers all of them.

pub(crate) mod access_line;
pub(crate) mod decode;
pub(crate) mod filter;
pub(crate) mod gzip;
pub(crate) mod json;
pub(crate) mod redact;
pub(crate) mod settings;
#[cfg(feature = "query")]
pub(crate) mod sql;
pub(crate) mod stored;

/// A property: its name, which is that of its corpus and of its target, and its check.
pub(crate) type Property = (&'static str, fn(&[u8]));

/// All properties.
pub(crate) const ALL: &[Property] = &[
    ("access_line", access_line::check),
    ("access_objects", decode::access_objects),
    ("text_objects", decode::text_objects),
    ("json_objects", decode::json_objects),
    ("json", json::check),
    ("gzip", gzip::check),
    ("filter", filter::check),
    ("redact", redact::check),
    ("stored", stored::check),
    ("settings", settings::check),
    #[cfg(feature = "query")]
    ("sql", sql::check),
];

/// Takes the first byte of an input as a choice among `count`.
pub(crate) fn choice(data: &mut &[u8], count: usize) -> usize {
    let Some((first, rest)) = data.split_first() else { return 0 };
    *data = rest;
    usize::from(*first) % count
}
