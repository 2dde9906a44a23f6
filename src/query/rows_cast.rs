//! Rewrites casts to structs and maps, which the engine cannot parse, in the text of a statement.
//!
//! * `CAST(ROW(a, b) AS ROW(x varchar, y varchar))` becomes `named_struct('x', ..., 'y', ...)`.
//! * An array of structs from `zip` becomes `named_zip`.
//! * A map from `json_parse` becomes `json_text_map`.
//!
//! All other text is kept letter by letter. The remaining casts of these kinds are for [`super::spelling`].

use datafusion::sql::sqlparser::tokenizer::{Token, Whitespace};

use super::tokens::{Piece, call_of, in_parentheses, literal, pieces, split, trimmed};

/// Rewrites the casts to rows and maps in a statement.
pub(super) fn rewritten(sql: &str) -> String {
    let lower = sql.to_ascii_lowercase();
    if !(lower.contains("row") || lower.contains("map")) || !lower.contains("cast") {
        return sql.to_owned();
    }
    pieces(sql).map_or_else(|| sql.to_owned(), |pieces| with_casts_rewritten(&pieces, |piece| piece.text))
}

/// Rewrites the casts among the tokens of a statement; `other` gives the text of all other tokens.
fn with_casts_rewritten<'s>(pieces: &[Piece<'s>], other: impl Fn(&Piece<'s>) -> &'s str) -> String {
    let (mut text, mut at) = (String::new(), 0);
    while at < pieces.len() {
        if let Some((cast, length)) = cast_at(&pieces[at..]) {
            text += &cast;
            at += length;
        } else {
            text += other(&pieces[at]);
            at += 1;
        }
    }
    text
}

/// The target type of a cast, as far as it matters here.
#[derive(Debug)]
enum CastType {
    Row(Vec<(String, CastType)>),
    Array(Box<CastType>),
    Map { of_texts: bool },
    Plain(String),
}

/// Rewrites the casts inside a cast and drops comments, because a line comment would swallow the text after it.
fn without_row_casts(pieces: &[Piece<'_>]) -> String {
    with_casts_rewritten(pieces, |piece| match piece.token {
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => " ",
        _ => piece.text,
    })
}

/// Rewrites a cast to a row, an array of rows or a map at the start of the tokens. Returns its replacement and its number of
/// tokens.
fn cast_at(tokens: &[Piece<'_>]) -> Option<(String, usize)> {
    if !(tokens.first()?.is_word("cast") || tokens.first()?.is_word("try_cast")) {
        return None;
    }
    let (inside, length) = in_parentheses(&tokens[1..])?;
    let pieces = split(inside, |token| token.is_word("as"));
    let [expression @ .., cast_type] = pieces.as_slice() else { return None };
    let [expression] = expression else { return None };
    let cast = match cast_type_of(cast_type)? {
        CastType::Plain(_) => return None,
        CastType::Map { of_texts } if !of_texts || call_of(expression, "json_parse").is_none() => {
            return None;
        }
        cast_type => converted(expression, &cast_type)?,
    };
    Some((cast, length + 1))
}

/// Converts an expression to a value of a type.
fn converted(expression: &[Piece<'_>], cast_type: &CastType) -> Option<String> {
    match cast_type {
        CastType::Plain(name) => Some(format!("CAST({} AS {name})", without_row_casts(expression).trim())),
        CastType::Map { of_texts } => match call_of(expression, "json_parse") {
            Some(document) if *of_texts => Some(format!("json_text_map({})", without_row_casts(document))),
            Some(_) => None,
            None => Some(without_row_casts(expression)),
        },
        CastType::Row(fields) => {
            let values = split(call_of(expression, "row")?, Piece::is_comma);
            let same = values.len() == fields.len();
            let field = |(value, (name, cast_type)): (&&[Piece<'_>], &(String, CastType))| {
                Some(format!("{}, {}", literal(name), converted(value, cast_type)?))
            };
            let fields = values.iter().zip(fields).map(field).collect::<Option<Vec<_>>>()?;
            same.then(|| format!("named_struct({})", fields.join(", ")))
        }
        CastType::Array(element) => {
            let CastType::Row(fields) = element.as_ref() else { return None };
            let arrays = split(call_of(expression, "zip")?, Piece::is_comma);
            let same = arrays.len() == fields.len();
            let pair = |(array, (name, _)): (&&[Piece<'_>], &(String, CastType))| {
                format!("{}, {}", literal(name), without_row_casts(array).trim())
            };
            let pairs: Vec<String> = arrays.iter().zip(fields).map(pair).collect();
            same.then(|| format!("named_zip({})", pairs.join(", ")))
        }
    }
}

fn cast_type_of(tokens: &[Piece<'_>]) -> Option<CastType> {
    let tokens = trimmed(tokens);
    if let Some(fields) = call_of(tokens, "row") {
        let field = |field: &[Piece<'_>]| {
            let field = trimmed(field);
            let (Piece { token: Token::Word(name), .. }, cast_type) = field.split_first()? else {
                return None;
            };
            Some((name.value.to_lowercase(), cast_type_of(cast_type)?))
        };
        let fields = split(fields, Piece::is_comma).into_iter().map(field);
        return fields.collect::<Option<Vec<_>>>().map(CastType::Row);
    }
    if let Some(element) = call_of(tokens, "array") {
        return Some(match cast_type_of(element)? {
            CastType::Plain(_) => CastType::Plain(plain(tokens)),
            element => CastType::Array(Box::new(element)),
        });
    }
    Some(match call_of(tokens, "map") {
        Some(sides) => {
            let sides = split(sides, Piece::is_comma);
            CastType::Map {
                of_texts: sides.iter().all(|side| plain(side).trim().eq_ignore_ascii_case("varchar")),
            }
        }
        None => CastType::Plain(plain(tokens)),
    })
}

fn plain(tokens: &[Piece<'_>]) -> String {
    without_row_casts(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_named_structs_and_other_text_is_kept() {
        for (theirs, ours) in [
            (
                "SELECT CAST(ROW(a, ROW(b || ',')) AS ROW(X varchar, y ROW(\"Z\" varchar(3)))) AS r-- row\nFROM t",
                "SELECT named_struct('x', CAST(a AS varchar), 'y', named_struct('z', CAST(b || ',' AS varchar(3)))) AS r-- row\nFROM t",
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
            (
                "SELECT 'é''s', '' -- it's\r\n, CAST(ROW('it''s', /* ' */ E'a\\'b' -- c\n) AS ROW(x varchar, y varchar)), \"q\"\"\"",
                "SELECT 'é''s', '' -- it's\r\n, named_struct('x', CAST('it''s' AS varchar), 'y', CAST(E'a\\'b' AS varchar)), \"q\"\"\"",
            ),
        ] {
            assert_eq!(rewritten(theirs), ours);
        }
    }

    #[test]
    fn statements_without_such_casts_are_unchanged() {
        for sql in [
            "SELECT count(*) AS browsers, CAST(1 AS varchar) v FROM t WHERE a = 'x'' OR ''1''=''1'",
            "SELECT 'it''s a browser' AS a, CAST(1 AS varchar)",
            "SELECT cast(1 AS varchar) AS row, E'it\\'s\\n', U&'\\00e9', X'1F', '', \"a\"\"b\", N'x', $$map'$$",
            "/* row */ SELECT\tCAST ( a /* ' */ AS varchar)\r\n -- it's\n, 'map' FROM t --",
            "SELECT CAST(a AS varchar), '\u{c655}''\u{1f600}' AS row",
            "SELECT CAST(ROW('it''s') AS bigint)",
        ] {
            assert_eq!(rewritten(sql), sql);
        }
    }
}
