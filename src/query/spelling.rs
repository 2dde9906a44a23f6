//! Rewrites, in the text of a statement, what Athena's grammar has and the engine's parser lacks:
//!
//! * casts to arrays, maps, rows, JSON and IP addresses, which become calls with the name of the type;
//! * the clauses of `json_value`, `json_object` and the like, which become arguments;
//! * literals such as `IPADDRESS '10.0.0.1'`, and `FETCH FIRST`, which becomes `LIMIT`;
//! * quoted names, which match in any case, as in Athena.

mod json_calls;

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::tokenizer::Token;

use super::ties::WITH_TIES;
use super::tokens::{Piece, in_parentheses, literal, pieces, split};
use super::type_names::TypeName;
use crate::error::{Error, ErrorKind, Result};

/// A statement as the parser reads it.
#[derive(Debug, Default)]
pub(super) struct Spelled {
    pub(super) sql: String,
    /// Quoted names with capitals, by their small letters. Columns are shown under them.
    pub(super) names: BTreeMap<String, String>,
}

/// Rewrites a statement. Text that cannot be split into tokens is left for the parser to report.
pub(super) fn spelled(sql: &str) -> Result<Spelled> {
    let Some(pieces) = pieces(sql) else { return Ok(Spelled { sql: sql.to_owned(), ..Spelled::default() }) };
    let mut speller = Speller::default();
    let sql = speller.all(&pieces)?;
    Ok(Spelled { sql, names: speller.names })
}

#[derive(Default)]
struct Speller {
    names: BTreeMap<String, String>,
}

/// What a rewriting returns: the text and the number of tokens that it replaces.
type Replaced = Option<(String, usize)>;

impl Speller {
    fn all(&mut self, pieces: &[Piece<'_>]) -> Result<String> {
        let (mut text, mut at) = (String::new(), 0);
        while at < pieces.len() {
            if let Some((replacement, length)) = self.at(&pieces[at..])? {
                text += &replacement;
                at += length;
            } else {
                text += pieces[at].text;
                at += 1;
            }
        }
        Ok(text)
    }

    fn at(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Token::Word(word) = &pieces[0].token else { return Ok(None) };
        if word.quote_style == Some('"') {
            return Ok(self.quoted(&word.value));
        }
        if word.quote_style.is_some() {
            return Ok(None);
        }
        match word.value.to_ascii_lowercase().as_str() {
            "cast" => self.cast(pieces, "cast_to"),
            "try_cast" => self.cast(pieces, "try_cast_to"),
            "json_value" => self.json_value(pieces),
            "json_query" => self.json_query(pieces),
            "json_exists" => self.json_exists(pieces),
            "json_object" => self.json_object(pieces),
            "json_array" => self.json_array(pieces),
            name @ ("ipaddress" | "ipprefix" | "json") => Ok(typed_literal(name, pieces)),
            "fetch" => Ok(fetch(pieces)),
            "values" => self.values(pieces),
            _ => Ok(None),
        }
    }

    fn quoted(&mut self, name: &str) -> Replaced {
        let small = name.to_lowercase();
        if small == name {
            return None;
        }
        let quoted = format!("\"{}\"", small.replace('"', "\"\""));
        self.names.insert(small, name.to_owned());
        Some((quoted, 1))
    }

    fn cast(&mut self, pieces: &[Piece<'_>], function: &str) -> Result<Replaced> {
        let Some((inside, length)) = in_parentheses(&pieces[1..]) else { return Ok(None) };
        let parts = split(inside, |piece| piece.is_word("as"));
        let [expression, of_type] = parts.as_slice() else { return Ok(None) };
        let name = words(of_type).join(" ");
        let is_ours = ["array", "map", "row", "json", "ipaddress", "ipprefix"]
            .iter()
            .any(|kind| name.strip_prefix(kind).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)));
        if !is_ours {
            return Ok(None);
        }
        let written: String = of_type.iter().map(|piece| piece.text).collect();
        if TypeName::read(&written).and_then(|name| name.data_type()).is_none() {
            return Err(Error::new(ErrorKind::Usage, format!("unknown type '{}' in a cast", written.trim()))
                .hint("use a type of Athena, for example array(varchar) or map(varchar, bigint)"));
        }
        let expression = self.all(expression)?;
        Ok(Some((format!("{function}({}, {})", expression.trim(), literal(written.trim())), length + 1)))
    }

    /// Rewrites `VALUES 1, 2` to `VALUES (1), (2)`.
    fn values(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        const ENDS: [&str; 8] = ["order", "limit", "offset", "fetch", "union", "except", "intersect", ";"];
        let first = pieces[1..].iter().position(|piece| !piece.is_space()).map(|place| place + 1);
        let Some(first) =
            first.filter(|first| !matches!(pieces[*first].token, Token::LParen | Token::Comma | Token::Eq))
        else {
            return Ok(None);
        };
        let mut depth = 0;
        let is_end = |piece: &Piece<'_>| {
            depth += match piece.token {
                Token::LParen | Token::LBracket => 1,
                Token::RParen | Token::RBracket => -1,
                _ => 0,
            };
            depth < 0 || depth == 0 && ENDS.iter().any(|end| piece.text.eq_ignore_ascii_case(end))
        };
        let length = pieces[first..].iter().position(is_end).unwrap_or(pieces.len() - first);
        let mut rows = Vec::new();
        for row in split(&pieces[first..first + length], Piece::is_comma) {
            let row = self.all(row)?;
            let row = row.trim();
            rows.push(if row.starts_with('(') { row.to_owned() } else { format!("({row})") });
        }
        Ok(Some((format!("VALUES {} ", rows.join(", ")), first + length)))
    }
}

/// The words of tokens in small letters.
fn words(pieces: &[Piece<'_>]) -> Vec<String> {
    pieces.iter().filter(|piece| !piece.is_space()).map(|piece| piece.text.to_lowercase()).collect()
}

/// Rewrites a literal with a type that the engine lacks.
fn typed_literal(name: &str, pieces: &[Piece<'_>]) -> Replaced {
    let place = 1 + pieces[1..].iter().position(|piece| !piece.is_space())?;
    let Token::SingleQuotedString(_) = pieces[place].token else { return None };
    let text = pieces[place].text;
    let call =
        if name == "json" { format!("json_parse({text})") } else { format!("cast_to({text}, '{name}')") };
    Some((call, place + 1))
}

/// Rewrites `FETCH FIRST 5 ROWS ONLY` and `WITH TIES`.
fn fetch(pieces: &[Piece<'_>]) -> Replaced {
    let places: Vec<usize> = (0..pieces.len()).filter(|place| !pieces[*place].is_space()).take(7).collect();
    let word =
        |at: usize| places.get(at).map(|place| pieces[*place].text.to_ascii_lowercase()).unwrap_or_default();
    if !matches!(word(1).as_str(), "first" | "next") {
        return None;
    }
    let (count, next) =
        if matches!(word(2).as_str(), "row" | "rows") { ("1".to_owned(), 3) } else { (word(2), 4) };
    if !matches!(word(next - 1).as_str(), "row" | "rows") {
        return None;
    }
    match (word(next).as_str(), places.get(next)) {
        ("only", Some(last)) => Some((format!("LIMIT {count}"), last + 1)),
        ("with", _) if word(next + 1) == "ties" => {
            places.get(next + 1).map(|last| (format!("LIMIT {WITH_TIES}({count})"), last + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn athenas_grammar_becomes_the_engines() {
        for (theirs, ours) in [
            ("SELECT CAST(a AS array(ROW(x bigint)))", "SELECT cast_to(a, 'array(ROW(x bigint))')"),
            (
                "TRY_CAST(CAST(a AS json) AS map(varchar, bigint))",
                "try_cast_to(cast_to(a, 'json'), 'map(varchar, bigint)')",
            ),
            ("CAST(a AS varchar)", "CAST(a AS varchar)"),
            ("IPADDRESS '10.0.0.1', ipaddress", "cast_to('10.0.0.1', 'ipaddress'), ipaddress"),
            ("SELECT \"EventName\" FROM \"T\" -- \"A\"", "SELECT \"eventname\" FROM \"t\" -- \"A\""),
            ("a OFFSET 2 ROWS FETCH NEXT 5 ROWS ONLY;", "a OFFSET 2 ROWS LIMIT 5;"),
            ("FETCH FIRST ROW ONLY", "LIMIT 1"),
            ("FETCH FIRST 5 ROWS WITH TIES", "LIMIT with_ties(5)"),
            ("(VALUES 1, f(2, 3)) AS t(x)", "(VALUES (1), (f(2, 3)) ) AS t(x)"),
            ("VALUES (1, 2), (3, 4)", "VALUES (1, 2), (3, 4)"),
            ("SELECT fetch, first", "SELECT fetch, first"),
            ("json_exists(a, 'lax $.b' TRUE ON ERROR)", "json_exists_of(a, 'lax $.b', 'true')"),
            ("json_value(a, 'lax $.b')", "json_value_of(a, 'lax $.b', 'null', NULL, 'null', NULL)"),
            (
                "json_value(a, '$' RETURNING bigint DEFAULT 0 ON EMPTY ERROR ON ERROR)",
                "CAST(json_value_of(a, '$', 'default', CAST(0 AS varchar), 'error', NULL) AS bigint)",
            ),
            (
                "json_query(a, '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY)",
                "json_query_of(a, '$', 'conditional', 'keep', 'empty array', 'null')",
            ),
            (
                "json_query(a, '$' OMIT QUOTES ON SCALAR STRING)",
                "json_query_of(a, '$', 'without', 'omit', 'null', 'null')",
            ),
            (
                "json_value(a, 'lax $.b[$i]' PASSING f(1, 2) AS \"i\", c FORMAT JSON AS d NULL ON EMPTY)",
                "json_value_of(a, 'lax $.b[$i]', 'null', NULL, 'null', NULL, 'i', f(1, 2), 'D', json_input(c))",
            ),
            (
                "json_object(KEY 'a' VALUE 1, 'b' : json_array(NULL NULL ON NULL) ABSENT ON NULL WITH UNIQUE KEYS)",
                "json_object_of('absent', 'a', 1, 'b', json_input(json_array_of('null', NULL)))",
            ),
            (
                "json_object(), json_array(a, b RETURNING varchar(9))",
                "json_object_of('null'), json_array_of('absent', a, b)",
            ),
        ] {
            assert_eq!(spelled(theirs).unwrap().sql, ours);
        }
        assert_eq!(spelled("\"EventName\"").unwrap().names["eventname"], "EventName");
        for refused in [
            "CAST(a AS array(strings))",
            "json_object('a' : 1 RETURNING varbinary)",
            "json_query(a, '$' PASSING 1 x)",
            "json_query(a, '$' WRAPPED)",
            "json_value(a, '$' RETURNING bigint NULL ON FAILURE)",
        ] {
            assert!(spelled(refused).is_err(), "{refused}");
        }
    }
}
