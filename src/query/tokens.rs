//! Tokens of a statement with their original text, because printing a token does not always restore it.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::dialect::Athena;

/// A token and its original text.
#[derive(Debug)]
pub(super) struct Piece<'s> {
    pub(super) token: Token,
    pub(super) text: &'s str,
}

impl Piece<'_> {
    pub(super) fn is_space(&self) -> bool {
        matches!(self.token, Token::Whitespace(_))
    }

    pub(super) fn is_comma(&self) -> bool {
        self.token == Token::Comma
    }

    pub(super) fn is_word(&self, wanted: &str) -> bool {
        matches!(&self.token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }
}

/// Splits the whole text into pieces; `None` if it cannot be tokenized, which the parser then reports.
pub(super) fn pieces(sql: &str) -> Option<Vec<Piece<'_>>> {
    let tokens = Tokenizer::new(&Athena, sql).tokenize_with_location().ok()?;
    let mut places = places(sql);
    let mut starts = Vec::with_capacity(tokens.len() + 1);
    for token in &tokens {
        starts.push(places.find(|(at, _)| *at == token.span.start)?.1);
    }
    starts.push(sql.len());
    let ranges = starts.windows(2).map(|bounds| Range { start: bounds[0], end: bounds[1] });
    let pieces = tokens.into_iter().zip(ranges);
    Some(pieces.map(|(token, range)| Piece { token: token.token, text: &sql[range] }).collect())
}

/// Returns the location of each letter, as the tokenizer counts, and its byte offset.
fn places(sql: &str) -> impl Iterator<Item = (Location, usize)> + '_ {
    let mut next = Location { line: 1, column: 1 };
    sql.char_indices().map(move |(byte, letter)| {
        let here = next;
        next = if letter == '\n' {
            Location { line: here.line + 1, column: 1 }
        } else {
            Location { line: here.line, column: here.column + 1 }
        };
        (here, byte)
    })
}

pub(super) fn literal(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

/// Returns the arguments of `name(...)` if the tokens are only this call.
pub(super) fn call_of<'p, 's>(tokens: &'p [Piece<'s>], name: &str) -> Option<&'p [Piece<'s>]> {
    let tokens = trimmed(tokens);
    let (first, rest) = tokens.split_first()?;
    let (inside, length) = in_parentheses(rest)?;
    (first.is_word(name) && length == rest.len()).then_some(inside)
}

/// Returns the tokens inside parentheses at the start, and the number of tokens including the parentheses.
pub(super) fn in_parentheses<'p, 's>(tokens: &'p [Piece<'s>]) -> Option<(&'p [Piece<'s>], usize)> {
    let open = tokens.iter().position(|token| !token.is_space())?;
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        depth += nesting(token);
        if depth == 0 {
            return (place > open).then(|| (&tokens[open + 1..place], place + 1));
        }
    }
    None
}

fn nesting(token: &Piece<'_>) -> i32 {
    match token.token {
        Token::LParen | Token::LBracket => 1,
        Token::RParen | Token::RBracket => -1,
        _ => 0,
    }
}

/// Splits tokens at separators outside parentheses.
pub(super) fn split<'p, 's>(
    tokens: &'p [Piece<'s>],
    is_separator: impl Fn(&Piece<'s>) -> bool,
) -> Vec<&'p [Piece<'s>]> {
    let mut depth = 0;
    tokens
        .split(|token| {
            depth += nesting(token);
            depth == 0 && is_separator(token)
        })
        .collect()
}

/// The place of the first token outside parentheses that fits.
pub(super) fn place_of<'s>(tokens: &[Piece<'s>], fits: impl Fn(&Piece<'s>) -> bool) -> Option<usize> {
    let place = split(tokens, fits).first()?.len();
    (place < tokens.len()).then_some(place)
}

pub(super) fn trimmed<'p, 's>(tokens: &'p [Piece<'s>]) -> &'p [Piece<'s>] {
    let start = tokens.iter().position(|token| !token.is_space()).unwrap_or(tokens.len());
    let end = tokens.iter().rposition(|token| !token.is_space()).map_or(start, |last| last + 1);
    &tokens[start..end]
}
