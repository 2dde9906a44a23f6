//! Functions of texts.

use datafusion::common::{Result, exec_err};

use super::{RowFunction, Value, count, list, row, text, whole};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("array_join(array(T), varchar) -> varchar", |of, _| joined(list(of, 0), text(of, 1), None)),
    row("array_join(array(T), varchar, varchar) -> varchar", |of, _| {
        joined(list(of, 0), text(of, 1), Some(text(of, 2)))
    }),
    row("hamming_distance(varchar, varchar) -> bigint", |of, _| hamming(text(of, 0), text(of, 1))),
    row("levenshtein_distance(varchar, varchar) -> bigint", |of, _| {
        Ok(levenshtein(text(of, 0), text(of, 1)))
    }),
    row("luhn_check(varchar) -> boolean", |of, _| Ok(luhn(text(of, 0)).into())),
    row("normalize(varchar) -> varchar", |of, _| normalized(text(of, 0), "NFC")),
    row("normalize(varchar, varchar) -> varchar", |of, _| normalized(text(of, 0), text(of, 1))),
    row("soundex(varchar) -> varchar", |of, _| soundex(text(of, 0))),
    row("split(varchar, varchar, bigint) -> array(varchar)", |of, _| {
        let Some(most) = usize::try_from(whole(of, 2)).ok().filter(|most| *most > 0) else {
            return exec_err!("the limit of split must be positive");
        };
        Ok(text(of, 0).splitn(most, text(of, 1)).map(Value::from).collect::<Vec<_>>().into())
    }),
    row("split_to_map(varchar, varchar, varchar) -> map(varchar, varchar)", |of, _| {
        split_to_map(text(of, 0), text(of, 1), text(of, 2))
    }),
    row("split_to_multimap(varchar, varchar, varchar) -> map(varchar, array(varchar))", |of, _| {
        split_to_multimap(text(of, 0), text(of, 1), text(of, 2))
    }),
    row("url_encode(varchar) -> varchar", |of, _| Ok(url_encoded(text(of, 0)).into())),
    row("url_extract_fragment(varchar) -> varchar", |of, _| {
        Ok(text(of, 0).split_once('#').map_or("", |(_, fragment)| fragment).into())
    }),
    row("url_extract_port(varchar) -> bigint", |of, _| Ok(Value::from_option(port(text(of, 0))))),
];

/// Forms of functions of the engine that it lacks.
pub(super) const PLUMBING: &[RowFunction] = &[
    row("byte_length(varbinary) -> bigint", |of, _| Ok(count(super::bytes(of, 0).len()))),
    row("strpos_nth(varchar, varchar, bigint) -> bigint", |of, _| {
        if whole(of, 2) == 0 {
            return exec_err!("the instance of strpos must not be 0");
        }
        Ok(position(text(of, 0), text(of, 1), whole(of, 2)))
    }),
];

fn joined(elements: &[Value], between: &str, of_null: Option<&str>) -> Result<Value> {
    let mut parts = Vec::new();
    for element in elements {
        match element {
            Value::Null => parts.extend(of_null.map(str::to_owned)),
            element => parts.push(super::casts::as_text(element)?),
        }
    }
    Ok(parts.join(between).into())
}

fn hamming(one: &str, other: &str) -> Result<Value> {
    if one.chars().count() != other.chars().count() {
        return exec_err!("hamming_distance takes two texts of one length");
    }
    Ok(count(one.chars().zip(other.chars()).filter(|(one, other)| one != other).count()))
}

fn levenshtein(one: &str, other: &str) -> Value {
    let other: Vec<char> = other.chars().collect();
    let mut edits: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut edits[0], row + 1);
        for (column, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = edits[column + 1];
            edits[column + 1] = replaced.min(diagonal + 1).min(edits[column] + 1);
        }
    }
    count(edits[other.len()])
}

/// Whether the last digit is the check digit of the others.
fn luhn(digits: &str) -> bool {
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| !digits.is_empty()) else { return false };
    let sum = digits.iter().rev().enumerate().map(|(place, digit)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, double) => double / 10 + double % 10,
    });
    sum.sum::<u32>() % 10 == 0
}

fn normalized(of: &str, form: &str) -> Result<Value> {
    use icu_normalizer::{
        ComposingNormalizerBorrowed as Composing, DecomposingNormalizerBorrowed as Decomposing,
    };
    let normalized = match form.to_ascii_uppercase().as_str() {
        "NFC" => Composing::new_nfc().normalize(of),
        "NFKC" => Composing::new_nfkc().normalize(of),
        "NFD" => Decomposing::new_nfd().normalize(of),
        "NFKD" => Decomposing::new_nfkd().normalize(of),
        _ => return exec_err!("unknown form '{form}': normalize takes NFC, NFD, NFKC or NFKD"),
    };
    Ok(normalized.into_owned().into())
}

/// The first letter and three digits for the sounds after it.
fn soundex(name: &str) -> Result<Value> {
    const CODES: &[u8; 26] = b"01230120022455012623010202";
    let mut code = String::new();
    let mut last = b'0';
    for letter in name.chars().filter(|letter| letter.is_alphabetic()) {
        let Some(place) = letter
            .to_ascii_uppercase()
            .is_ascii_uppercase()
            .then(|| usize::from(letter.to_ascii_uppercase() as u8 - b'A'))
        else {
            return exec_err!("soundex takes Latin letters, not '{letter}'");
        };
        let digit = CODES[place];
        if code.is_empty() {
            code.push(letter.to_ascii_uppercase());
        } else if digit != b'0' && digit != last {
            code.push(char::from(digit));
        }
        // H and W do not separate two letters of one sound; vowels do.
        if !matches!(letter.to_ascii_uppercase(), 'H' | 'W') {
            last = digit;
        }
    }
    if code.is_empty() {
        return Ok("".into());
    }
    Ok(format!("{code:0<4}").chars().take(4).collect::<String>().into())
}

fn pairs<'t>(of: &'t str, entry: &str, side: &str) -> Result<Vec<(&'t str, &'t str)>> {
    if entry.is_empty() || side.is_empty() || entry == side {
        return exec_err!("the two delimiters must differ and must not be empty");
    }
    let entries = of.strip_suffix(entry).unwrap_or(of).split(entry).filter(|_| !of.is_empty());
    let pair = |written: &'t str| match written.split_once(side) {
        Some((key, value)) if !value.contains(side) => Ok((key, value)),
        _ => exec_err!("the delimiter '{side}' must appear once in each entry, but '{written}' differs"),
    };
    entries.map(pair).collect()
}

fn split_to_map(of: &str, entry: &str, side: &str) -> Result<Value> {
    let mut entries: Vec<(Value, Value)> = Vec::new();
    for (key, value) in pairs(of, entry, side)? {
        if entries.iter().any(|(known, _)| known.text() == Some(key)) {
            return exec_err!("the key '{key}' occurs twice: use split_to_multimap");
        }
        entries.push((key.into(), value.into()));
    }
    Ok(Value::Map(entries))
}

fn split_to_multimap(of: &str, entry: &str, side: &str) -> Result<Value> {
    let pairs = pairs(of, entry, side)?;
    Ok(super::maps::multimap(pairs.into_iter().map(|(key, value)| (key.into(), value.into()))))
}

/// Returns the position of the nth occurrence, counted from the end if negative; 0 if it does not occur.
fn position(of: &str, part: &str, nth: i64) -> Value {
    if part.is_empty() {
        return Value::Whole(1);
    }
    let starts: Vec<usize> =
        of.char_indices().map(|(start, _)| start).filter(|start| of[*start..].starts_with(part)).collect();
    let nth_start = |nth: i64| usize::try_from(nth.abs() - 1).ok();
    let start = if nth > 0 {
        nth_start(nth).and_then(|nth| starts.get(nth))
    } else {
        nth_start(nth).and_then(|nth| starts.iter().rev().nth(nth))
    };
    start.map_or(Value::Whole(0), |start| count(of[..*start].chars().count() + 1))
}

/// Encodes as an HTML form does: letters, digits and `-_.*` stay, a blank becomes a plus.
fn url_encoded(of: &str) -> String {
    let mut encoded = String::new();
    for byte in of.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'-' | b'_' | b'.' | b'*' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

fn port(url: &str) -> Option<i64> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = authority.rsplit_once(':')?;
    if host.starts_with('[') && !host.ends_with(']') { None } else { port.parse().ok() }
}
