//! Structs: Athena makes them with `CAST(ROW(a, b) AS ROW(x varchar, y varchar))`, which the engine cannot read. The text of
//! a statement is changed before it is parsed: into `named_struct('x', ..., 'y', ...)`; an array of structs from `zip` into
//! `named_zip`, a map from `json_parse` into `json_text_map`. Statements without such a cast stay as they are.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

/// A statement without casts to rows and maps.
pub(super) fn rewritten(sql: &str) -> String {
    let lower = sql.to_ascii_lowercase();
    if !(lower.contains("row") || lower.contains("map")) || !lower.contains("cast") {
        return sql.to_owned();
    }
    match Tokenizer::new(&GenericDialect {}, sql).tokenize() {
        // What cannot be read is told by the parser.
        Err(_) => sql.to_owned(),
        Ok(tokens) => {
            // A comment would run on to what follows it.
            let space = || Token::Whitespace(Whitespace::Space);
            let tokens = tokens.into_iter().map(|token| if is_comment(&token) { space() } else { token });
            without_row_casts(&tokens.collect::<Vec<_>>())
        }
    }
}

fn is_comment(token: &Token) -> bool {
    matches!(token, Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)))
}

/// The type that is cast to, as far as it matters.
#[derive(Debug)]
enum CastType {
    Row(Vec<(String, CastType)>),
    Array(Box<CastType>),
    Map,
    Plain(String),
}

fn without_row_casts(tokens: &[Token]) -> String {
    let (mut text, mut at) = (String::new(), 0);
    while at < tokens.len() {
        if let Some((cast, length)) = cast_at(&tokens[at..]) {
            text += &cast;
            at += length;
        } else {
            text += &tokens[at].to_string();
            at += 1;
        }
    }
    text
}

/// A cast to a row, an array of rows or a map at the front of tokens: what stands for it, and how many tokens it has.
fn cast_at(tokens: &[Token]) -> Option<(String, usize)> {
    if !(is_word(tokens.first()?, "cast") || is_word(tokens.first()?, "try_cast")) {
        return None;
    }
    let (inside, length) = in_parentheses(&tokens[1..])?;
    let pieces = split(inside, |token| is_word(token, "as"));
    let [expression @ .., cast_type] = pieces.as_slice() else { return None };
    let [expression] = expression else { return None };
    let cast = match cast_type_of(cast_type)? {
        CastType::Plain(_) => return None,
        cast_type => converted(expression, &cast_type)?,
    };
    Some((cast, length + 1))
}

/// An expression as a value of a type.
fn converted(expression: &[Token], cast_type: &CastType) -> Option<String> {
    match cast_type {
        CastType::Plain(name) => Some(format!("CAST({} AS {name})", without_row_casts(expression).trim())),
        CastType::Map => match call_of(expression, "json_parse") {
            Some(document) => Some(format!("json_text_map({})", without_row_casts(document))),
            None => Some(without_row_casts(expression)),
        },
        CastType::Row(fields) => {
            let values = split(call_of(expression, "row")?, |token| *token == Token::Comma);
            let same = values.len() == fields.len();
            let field = |(value, (name, cast_type)): (&&[Token], &(String, CastType))| {
                Some(format!("{}, {}", literal(name), converted(value, cast_type)?))
            };
            let fields = values.iter().zip(fields).map(field).collect::<Option<Vec<_>>>()?;
            same.then(|| format!("named_struct({})", fields.join(", ")))
        }
        CastType::Array(element) => {
            let CastType::Row(fields) = element.as_ref() else { return None };
            let arrays = split(call_of(expression, "zip")?, |token| *token == Token::Comma);
            let same = arrays.len() == fields.len();
            let pair = |(array, (name, _)): (&&[Token], &(String, CastType))| {
                format!("{}, {}", literal(name), without_row_casts(array).trim())
            };
            let pairs: Vec<String> = arrays.iter().zip(fields).map(pair).collect();
            same.then(|| format!("named_zip({})", pairs.join(", ")))
        }
    }
}

fn literal(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}

fn cast_type_of(tokens: &[Token]) -> Option<CastType> {
    let tokens = trimmed(tokens);
    if let Some(fields) = call_of(tokens, "row") {
        let field = |field: &[Token]| {
            let field = trimmed(field);
            let (Token::Word(name), cast_type) = field.split_first()? else { return None };
            Some((name.value.to_lowercase(), cast_type_of(cast_type)?))
        };
        let fields = split(fields, |token| *token == Token::Comma).into_iter().map(field);
        return fields.collect::<Option<Vec<_>>>().map(CastType::Row);
    }
    if let Some(element) = call_of(tokens, "array") {
        return Some(match cast_type_of(element)? {
            CastType::Plain(_) => CastType::Plain(plain(tokens)),
            element => CastType::Array(Box::new(element)),
        });
    }
    Some(if call_of(tokens, "map").is_some() { CastType::Map } else { CastType::Plain(plain(tokens)) })
}

fn plain(tokens: &[Token]) -> String {
    tokens.iter().map(ToString::to_string).collect()
}

/// What stands in the parentheses of `name(...)`, where tokens are nothing but that.
fn call_of<'a>(tokens: &'a [Token], name: &str) -> Option<&'a [Token]> {
    let tokens = trimmed(tokens);
    let (first, rest) = tokens.split_first()?;
    let (inside, length) = in_parentheses(rest)?;
    (is_word(first, name) && length == rest.len()).then_some(inside)
}

/// What stands in parentheses at the front of tokens, and how many tokens that is, with both.
fn in_parentheses(tokens: &[Token]) -> Option<(&[Token], usize)> {
    let open = tokens.iter().position(|token| !matches!(token, Token::Whitespace(_)))?;
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        depth += nesting(token);
        if depth == 0 {
            return (place > open).then(|| (&tokens[open + 1..place], place + 1));
        }
    }
    None
}

fn nesting(token: &Token) -> i32 {
    match token {
        Token::LParen | Token::LBracket => 1,
        Token::RParen | Token::RBracket => -1,
        _ => 0,
    }
}

/// Pieces between separators that stand in no parentheses.
fn split(tokens: &[Token], is_separator: impl Fn(&Token) -> bool) -> Vec<&[Token]> {
    let mut depth = 0;
    tokens
        .split(|token| {
            depth += nesting(token);
            depth == 0 && is_separator(token)
        })
        .collect()
}

fn trimmed(tokens: &[Token]) -> &[Token] {
    let is_space = |token: &Token| matches!(token, Token::Whitespace(_));
    let start = tokens.iter().position(|token| !is_space(token)).unwrap_or(tokens.len());
    let end = tokens.iter().rposition(|token| !is_space(token)).map_or(start, |last| last + 1);
    &tokens[start..end]
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_named_structs_and_all_else_stays() {
        for (theirs, ours) in [
            (
                "SELECT CAST(ROW(a, ROW(b || ',')) AS ROW(X varchar, y ROW(\"Z\" varchar(3)))) AS r-- c\nFROM t",
                "SELECT named_struct('x', CAST(a AS varchar), 'y', named_struct('z', CAST(b || ',' AS varchar(3)))) AS r FROM t",
            ),
            (
                "SELECT CAST(zip(a, f(b, c)) AS array(ROW(x varchar, y varchar)))",
                "SELECT named_zip('x', a, 'y', f(b, c))",
            ),
            (
                "SELECT CAST(ROW(TRY_CAST(json_parse(a) AS map(varchar, varchar))) AS ROW(m map(varchar, varchar)))",
                "SELECT named_struct('m', json_text_map(a))",
            ),
            ("SELECT CAST(a AS varchar), 'row cast' FROM t", "SELECT CAST(a AS varchar), 'row cast' FROM t"),
            ("SELECT CAST(ROW(a, b) AS ROW(x varchar))", "SELECT CAST(ROW(a, b) AS ROW(x varchar))"),
            ("SELECT cast(row", "SELECT cast(row"),
        ] {
            assert_eq!(rewritten(theirs), ours);
        }
    }
}
