//! Packs rows into the bytes of an object, with the damage of its kind, and writes files.
//!
//! Packing also determines the effect of the damage: the number of rejects that an import must count, and the rows that it
//! can no longer read. A kind that does not apply to a layout is packed as plain. gzip headers hold no time, so the same rows
//! give the same bytes.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::objects::Kind;
use crate::rows::GeneratedRow;

/// Two elements that are not usable records: one has no event time, and one is not an object.
const UNUSABLE: &str =
    r#",{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject"},"a bare string""#;

/// A line that is not an access line.
const GARBAGE: &str = "delivery agent: connection reset by peer, 3 retries left\n";

/// Writes a file and creates its parent folders.
pub(crate) fn store(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}

/// Compresses text as one gzip member.
pub(crate) fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// Packs records. Returns the bytes and the number of rejects, and removes rows that cannot be read.
pub(crate) fn pack_records(rows: &mut Vec<GeneratedRow>, kind: Kind) -> std::io::Result<(Vec<u8>, u64)> {
    let bytes = match kind {
        Kind::Truncated => return Ok((truncated(rows)?, 1)),
        Kind::Unusable => return Ok((gzip(&document("", rows, UNUSABLE))?, 2)),
        // Concatenated gzip files are a valid gzip file.
        Kind::Members => {
            let (left, right) = rows.split_at(rows.len() / 2);
            [gzip(&document("", left, ""))?, gzip(&document("", right, ""))?].concat()
        }
        Kind::Reordered => gzip(&document(r#""foo":1,"#, rows, ""))?,
        _ => gzip(&document("", rows, ""))?,
    };
    Ok((bytes, 0))
}

/// Packs lines. Returns the bytes and the number of rejects, and removes rows that cannot be read.
pub(crate) fn pack_lines(rows: &mut Vec<GeneratedRow>, kind: Kind) -> (Vec<u8>, u64) {
    let (mut text, end) = match kind {
        Kind::Torn => (torn(rows), "\n"),
        Kind::Garbage => (GARBAGE.to_owned(), "\n"),
        Kind::Crlf => (String::new(), "\r\n"),
        Kind::Blank => ("\n".to_owned(), "\n\n"),
        _ => (String::new(), "\n"),
    };
    // A torn line and a foreign line are one reject each.
    let rejects = u64::from(matches!(kind, Kind::Torn | Kind::Garbage));
    text.extend(rows.iter().flat_map(|row| [row.text.as_str(), end]));
    if kind == Kind::Unended {
        text.pop();
    }
    (text.into_bytes(), rejects)
}

/// Returns the document of an object, with `first` before its key and `last` after its records.
fn document(first: &str, rows: &[GeneratedRow], last: &str) -> String {
    let records: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    format!("{{{first}\"Records\":[{}{last}]}}", records.join(","))
}

/// Packs records and cuts the end off. Keeps only the rows that can still be read completely.
fn truncated(rows: &mut Vec<GeneratedRow>) -> std::io::Result<Vec<u8>> {
    let mut bytes = gzip(&document("", rows, ""))?;
    // The rest holds some records, but not all.
    bytes.truncate(bytes.len() * 6 / 10);
    let mut readable = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut readable).expect_err("the stream is truncated");
    // Records start at the `]}` of an empty document, with a comma between two records.
    let mut next = document("", &[], "").len() - 2;
    rows.retain(|row| {
        let end = next + row.text.len();
        next = end + 1;
        end <= readable.len()
    });
    Ok(bytes)
}

/// Joins the last two rows to one line: the first is cut inside its requester, and the second follows.
fn torn(rows: &mut Vec<GeneratedRow>) -> String {
    let second = rows.pop().map(|row| row.text).unwrap_or_default();
    let first = rows.pop().map(|row| row.text).unwrap_or_default();
    // The fields before the requester. The time consists of two words.
    let head: Vec<&str> = first.split(' ').take(5).collect();
    format!("{} arn:aws:iam::1234567{second}\n", head.join(" "))
}
