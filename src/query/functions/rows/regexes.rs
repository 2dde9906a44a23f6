//! Functions of regular expressions. Positions count characters from 1.

use datafusion::common::{Result, exec_err};
use regex::Captures;

use super::compiled::regex;
use super::{RowFunction, Value, count, row, size, text, whole};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    row("regexp_count(varchar, varchar) -> bigint", |of, _| {
        Ok(count(regex(text(of, 1))?.find_iter(text(of, 0)).count()))
    }),
    row("regexp_extract(varchar, varchar) -> varchar", |of, _| extract(of, 0)),
    row("regexp_extract(varchar, varchar, bigint) -> varchar", |of, _| extract(of, whole(of, 2))),
    row("regexp_extract_all(varchar, varchar) -> array(varchar)", |of, _| extract_all(of, 0)),
    row("regexp_extract_all(varchar, varchar, bigint) -> array(varchar)", |of, _| {
        extract_all(of, whole(of, 2))
    }),
    row("regexp_position(varchar, varchar) -> bigint", |of, _| position(of, 1, 1)),
    row("regexp_position(varchar, varchar, bigint) -> bigint", |of, _| position(of, whole(of, 2), 1)),
    row("regexp_position(varchar, varchar, bigint, bigint) -> bigint", |of, _| {
        position(of, whole(of, 2), whole(of, 3))
    }),
    row("regexp_replace(varchar, varchar) -> varchar", |of, _| {
        Ok(regex(text(of, 1))?.replace_all(text(of, 0), "").into_owned().into())
    }),
    row("regexp_replace(varchar, varchar, varchar) -> varchar", |of, _| {
        replaced(text(of, 0), text(of, 1), text(of, 2))
    }),
    row("regexp_split(varchar, varchar) -> array(varchar)", |of, _| {
        Ok(regex(text(of, 1))?.split(text(of, 0)).map(Value::from).collect::<Vec<_>>().into())
    }),
];

fn group(found: &Captures<'_>, number: usize) -> Value {
    found.get(number).map_or(Value::Null, |group| group.as_str().into())
}

/// Checks the number of a group.
fn known_group(of: &[Value], number: i64) -> Result<usize> {
    let regex = regex(text(of, 1))?;
    let wanted = size(number, "the group")?;
    if wanted >= regex.captures_len() {
        return exec_err!("'{}' has {} groups, not {wanted}", text(of, 1), regex.captures_len() - 1);
    }
    Ok(wanted)
}

fn extract(of: &[Value], number: i64) -> Result<Value> {
    let number = known_group(of, number)?;
    let found = regex(text(of, 1))?;
    Ok(found.captures(text(of, 0)).map_or(Value::Null, |found| group(&found, number)))
}

fn extract_all(of: &[Value], number: i64) -> Result<Value> {
    let number = known_group(of, number)?;
    let regex = regex(text(of, 1))?;
    Ok(regex.captures_iter(text(of, 0)).map(|found| group(&found, number)).collect::<Vec<_>>().into())
}

fn position(of: &[Value], start: i64, nth: i64) -> Result<Value> {
    let (Some(skipped), Some(nth)) = (usize::try_from(start - 1).ok(), usize::try_from(nth - 1).ok()) else {
        return exec_err!("the start and the occurrence of regexp_position must be positive");
    };
    let value = text(of, 0);
    let Some(from) = value.char_indices().map(|(at, _)| at).chain([value.len()]).nth(skipped) else {
        return Ok(Value::Whole(-1));
    };
    let regex = regex(text(of, 1))?;
    let found = regex.find_iter(&value[from..]).nth(nth);
    Ok(found.map_or(Value::Whole(-1), |found| count(value[..from + found.start()].chars().count() + 1)))
}

/// Replaces all matches. As in Java, `$1` and `${name}` are groups, and a backslash quotes the next letter.
fn replaced(value: &str, pattern: &str, with: &str) -> Result<Value> {
    let regex = regex(pattern)?;
    let parts = parts(with, regex.captures_len())?;
    let replaced = regex.replace_all(value, |found: &Captures<'_>| {
        let text = parts.iter().map(|part| match part {
            Part::Letter(letter) => letter.to_string(),
            Part::Group(number) => {
                found.get(*number).map_or_else(String::new, |group| group.as_str().to_owned())
            }
            Part::Name(name) => found.name(name).map_or_else(String::new, |group| group.as_str().to_owned()),
        });
        text.collect::<String>()
    });
    Ok(replaced.into_owned().into())
}

/// A part of a replacement.
enum Part {
    Letter(char),
    Group(usize),
    Name(String),
}

fn parts(with: &str, groups: usize) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = with.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, rest.peek().copied()) {
            ('\\', Some(quoted)) => {
                rest.next();
                parts.push(Part::Letter(quoted));
            }
            ('$', Some('{')) => {
                rest.next();
                let name: String = rest.by_ref().take_while(|letter| *letter != '}').collect();
                parts.push(name.parse().map_or(Part::Name(name), Part::Group));
            }
            ('$', Some(digit)) if digit.is_ascii_digit() => {
                let mut number = 0;
                // A further digit belongs to the number if such a group exists.
                while let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(10)) {
                    let longer = number * 10 + digit as usize;
                    if number > 0 && longer >= groups {
                        break;
                    }
                    number = longer;
                    rest.next();
                }
                if number >= groups {
                    return exec_err!("the replacement '{with}' names group {number}, which does not exist");
                }
                parts.push(Part::Group(number));
            }
            ('$' | '\\', _) => return exec_err!("the replacement '{with}' ends within a group"),
            (letter, _) => parts.push(Part::Letter(letter)),
        }
    }
    Ok(parts)
}
