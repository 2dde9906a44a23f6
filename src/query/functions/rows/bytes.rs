//! Functions of bytes and of their texts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use datafusion::common::{Result, exec_err};

use super::{RowFunction, Value, bytes, row, text, whole};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("from_base32(varchar) -> varbinary", |of, _| from_base32(text(of, 0))),
    row("from_base64(varchar) -> varbinary", |of, _| from_base64(text(of, 0), "+/")),
    row("from_base64url(varchar) -> varbinary", |of, _| from_base64(text(of, 0), "-_")),
    row("from_big_endian_64(varbinary) -> bigint", |of, _| {
        let Ok(number) = <[u8; 8]>::try_from(bytes(of, 0)) else {
            return exec_err!("from_big_endian_64 takes 8 bytes");
        };
        Ok(Value::Whole(i64::from_be_bytes(number)))
    }),
    row("from_hex(varchar) -> varbinary", |of, _| from_hex(text(of, 0))),
    row("from_utf8(varbinary) -> varchar", |of, _| {
        Ok(String::from_utf8_lossy(bytes(of, 0)).into_owned().into())
    }),
    row("from_utf8(varbinary, varchar) -> varchar", |of, _| {
        Ok(String::from_utf8_lossy(bytes(of, 0)).replace('\u{fffd}', text(of, 1)).into())
    }),
    row("to_base32(varbinary) -> varchar", |of, _| Ok(to_base32(bytes(of, 0)).into())),
    row("to_base64(varbinary) -> varchar", |of, _| Ok(STANDARD.encode(bytes(of, 0)).into())),
    row("to_base64url(varbinary) -> varchar", |of, _| Ok(URL_SAFE.encode(bytes(of, 0)).into())),
    row("to_big_endian_64(bigint) -> varbinary", |of, _| Ok(whole(of, 0).to_be_bytes().to_vec().into())),
    row("to_hex(varbinary) -> varchar", |of, _| Ok(to_hex(bytes(of, 0)).into())),
    row("to_utf8(varchar) -> varbinary", |of, _| Ok(text(of, 0).as_bytes().to_vec().into())),
];

pub(super) fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default().to_ascii_uppercase();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(hex: &str) -> Result<Value> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => {
            let bytes = digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok());
            Ok(bytes.collect::<Vec<_>>().into())
        }
        _ => exec_err!("'{hex}' is not hexadecimal"),
    }
}

/// Decodes base64 in one of its alphabets, with or without padding.
fn from_base64(written: &str, signs: &str) -> Result<Value> {
    let other = if signs == "+/" { "-_" } else { "+/" };
    let plain = written.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let padded = format!("{plain}{}", "=".repeat((4 - plain.len() % 4) % 4));
    match STANDARD.decode(padded) {
        Ok(bytes) if !written.contains(|letter| other.contains(letter)) => Ok(bytes.into()),
        _ => exec_err!("'{written}' is not base64"),
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let bits =
            chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - chunk.len()));
        let letters = (chunk.len() * 8).div_ceil(5);
        for place in 0..8 {
            let index = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or_default();
            text.push(if place < letters { char::from(BASE32[index]) } else { '=' });
        }
    }
    text
}

fn from_base32(written: &str) -> Result<Value> {
    let (mut bits, mut held, mut bytes) = (0_u64, 0, Vec::new());
    for letter in written.trim_end_matches('=').bytes() {
        let Some(place) = BASE32.iter().position(|known| *known == letter.to_ascii_uppercase()) else {
            return exec_err!("'{written}' is not base32");
        };
        bits = bits << 5 | place as u64;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 255).unwrap_or_default());
        }
    }
    Ok(bytes.into())
}
