//! Packs rows into the bytes of an object, with the damage of its kind, and writes files.
//!
//! Packing also says what an import makes of the damage: how many rejects it has to count, and which rows it
//! cannot read any more. A kind that means nothing to a layout packs like a plain one. gzip headers hold no time, so
//! the same rows give the same bytes.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::objects::Kind;
use crate::rows::GeneratedRow;

/// Two elements that are no usable records: one has no event time, one is no object.
const UNUSABLE: &str =
    r#",{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject"},"a bare string""#;

/// A line of something else.
const GARBAGE: &str = "delivery agent: connection reset by peer, 3 retries left\n";

/// Writes a file, and the folders above it.
pub(crate) fn store(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}

/// One gzip member.
pub(crate) fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// Packs records; gives the bytes and the number of rejects, and takes away rows that cannot be read.
pub(crate) fn pack_records(rows: &mut Vec<GeneratedRow>, kind: Kind) -> std::io::Result<(Vec<u8>, u64)> {
    let bytes = match kind {
        Kind::Truncated => return Ok((truncated(rows)?, 1)),
        Kind::Unusable => return Ok((gzip(&document("", rows, UNUSABLE))?, 2)),
        // gzip files in a row are a gzip file.
        Kind::Members => {
            let (left, right) = rows.split_at(rows.len() / 2);
            [gzip(&document("", left, ""))?, gzip(&document("", right, ""))?].concat()
        }
        Kind::Reordered => gzip(&document(r#""foo":1,"#, rows, ""))?,
        _ => gzip(&document("", rows, ""))?,
    };
    Ok((bytes, 0))
}

/// Packs lines; gives the bytes and the number of rejects, and takes away rows that cannot be read.
pub(crate) fn pack_lines(rows: &mut Vec<GeneratedRow>, kind: Kind) -> (Vec<u8>, u64) {
    let (mut text, end) = match kind {
        Kind::Torn => (torn(rows), "\n"),
        Kind::Garbage => (GARBAGE.to_owned(), "\n"),
        Kind::Crlf => (String::new(), "\r\n"),
        Kind::Blank => ("\n".to_owned(), "\n\n"),
        _ => (String::new(), "\n"),
    };
    // What is joined or foreign is one line, and one reject.
    let rejects = u64::from(matches!(kind, Kind::Torn | Kind::Garbage));
    text.extend(rows.iter().flat_map(|row| [row.text.as_str(), end]));
    if kind == Kind::Unended {
        text.pop();
    }
    (text.into_bytes(), rejects)
}

/// The document of an object, with `first` before its key and `last` behind its records.
fn document(first: &str, rows: &[GeneratedRow], last: &str) -> String {
    let records: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    format!("{{{first}\"Records\":[{}{last}]}}", records.join(","))
}

/// Packs records and cuts the end off; of the rows stay those that still come out whole.
fn truncated(rows: &mut Vec<GeneratedRow>) -> std::io::Result<Vec<u8>> {
    let mut bytes = gzip(&document("", rows, ""))?;
    // Enough is left for some of the records, not for all.
    bytes.truncate(bytes.len() * 6 / 10);
    let mut readable = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut readable).expect_err("the stream is cut");
    // Records begin where an empty document has its `]}`, and a comma stands between two of them.
    let mut next = document("", &[], "").len() - 2;
    rows.retain(|row| {
        let end = next + row.text.len();
        next = end + 1;
        end <= readable.len()
    });
    Ok(bytes)
}

/// Makes one line of the last two rows: the first ends in its requester, and there the second begins.
fn torn(rows: &mut Vec<GeneratedRow>) -> String {
    let second = rows.pop().map(|row| row.text).unwrap_or_default();
    let first = rows.pop().map(|row| row.text).unwrap_or_default();
    // The fields before the requester; the time is two words.
    let head: Vec<&str> = first.split(' ').take(5).collect();
    format!("{} arn:aws:iam::1234567{second}\n", head.join(" "))
}
