//! Rewrites, in the text of a statement, what Athena's grammar has and the engine's parser lacks:
//!
//! * casts to arrays, maps, rows, JSON and IP addresses, which become calls with the name of the type;
//! * the clauses of `json_value`, `json_query` and `json_exists`, which become arguments;
//! * literals such as `IPADDRESS '10.0.0.1'`, and `FETCH FIRST`, which becomes `LIMIT`;
//! * quoted names, which match in any case, as in Athena.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::tokenizer::Token;

use super::tokens::{Piece, in_parentheses, literal, pieces, split, trimmed};
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
            name @ ("ipaddress" | "ipprefix" | "json") => Ok(typed_literal(name, pieces)),
            "fetch" => fetch(pieces),
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

    /// The document, the path and the clauses of a call.
    fn json_call<'p, 's>(
        &mut self,
        pieces: &'p [Piece<'s>],
    ) -> Result<Option<(String, String, Clauses<'p, 's>, usize)>> {
        let Some((inside, length)) = in_parentheses(&pieces[1..]) else { return Ok(None) };
        let parts = split(inside, Piece::is_comma);
        let [document, path] = parts.as_slice() else { return Ok(None) };
        let end = document.iter().position(|piece| piece.is_word("format")).unwrap_or(document.len());
        let document = self.all(&document[..end])?;
        let path = trimmed(path);
        let Some((first, clauses)) = path.split_first() else { return Ok(None) };
        if clauses.iter().any(|piece| piece.is_word("passing")) {
            return Err(Error::new(ErrorKind::Usage, "PASSING is not available in a JSON path")
                .hint("write the value into the path"));
        }
        let clauses = Clauses { pieces: clauses.iter().filter(|piece| !piece.is_space()).collect() };
        if let Some(unknown) = clauses.unknown() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("'{unknown}' is not a clause of {}", pieces[0].text),
            ));
        }
        Ok(Some((document.trim().to_owned(), first.text.to_owned(), clauses, length + 1)))
    }

    fn json_exists(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some((document, path, clauses, length)) = self.json_call(pieces)? else { return Ok(None) };
        let on_error = clauses.on("error").map_or_else(|| "false".to_owned(), |clause| clause.0);
        Ok(Some((format!("json_exists_of({document}, {path}, '{on_error}')"), length)))
    }

    fn json_value(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some((document, path, clauses, length)) = self.json_call(pieces)? else { return Ok(None) };
        let [(empty, of_empty), (error, of_error)] = ["empty", "error"]
            .map(|case| clauses.on(case).unwrap_or_else(|| ("null".to_owned(), "NULL".to_owned())));
        let returning = clauses.returning().filter(|kind| !kind.starts_with("varchar"));
        let as_text = |default: String| match &returning {
            Some(_) if default != "NULL" => format!("CAST({default} AS varchar)"),
            _ => default,
        };
        let (of_empty, of_error) = (as_text(of_empty), as_text(of_error));
        let call = format!("json_value_of({document}, {path}, '{empty}', {of_empty}, '{error}', {of_error})");
        let call = match returning {
            Some(kind) if error == "error" => format!("CAST({call} AS {kind})"),
            Some(kind) if error == "default" => {
                format!("coalesce(TRY_CAST({call} AS {kind}), CAST({of_error} AS {kind}))")
            }
            Some(kind) => format!("TRY_CAST({call} AS {kind})"),
            None => call,
        };
        Ok(Some((call, length)))
    }

    fn json_query(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some((document, path, clauses, length)) = self.json_call(pieces)? else { return Ok(None) };
        let wrapper = match clauses.before("wrapper").as_deref() {
            None | Some("without") => "without",
            Some("conditional") => "conditional",
            Some(_) => "unconditional",
        };
        let quotes = if clauses.before("quotes").as_deref() == Some("omit") { "omit" } else { "keep" };
        let [empty, error] = ["empty", "error"]
            .map(|case| clauses.on(case).map_or_else(|| "null".to_owned(), |clause| clause.0));
        let call =
            format!("json_query_of({document}, {path}, '{wrapper}', '{quotes}', '{empty}', '{error}')");
        Ok(Some((call, length)))
    }
}

/// The words of clauses, except types and default values.
const CLAUSE_WORDS: [&str; 23] = [
    "array",
    "conditional",
    "default",
    "empty",
    "error",
    "false",
    "format",
    "json",
    "keep",
    "null",
    "object",
    "omit",
    "on",
    "quotes",
    "returning",
    "scalar",
    "string",
    "true",
    "unconditional",
    "unknown",
    "with",
    "without",
    "wrapper",
];

/// The tokens after a path.
struct Clauses<'p, 's> {
    pieces: Vec<&'p Piece<'s>>,
}

impl Clauses<'_, '_> {
    /// The first token that belongs to no clause.
    fn unknown(&self) -> Option<&str> {
        let mut value_of = None;
        for piece in &self.pieces {
            let word = CLAUSE_WORDS.iter().find(|word| piece.is_word(word)).copied();
            value_of = match (value_of, word) {
                // Only ON ends a default value: it can contain words of clauses, such as NULL.
                (Some("default"), Some("on")) => None,
                (Some("default"), _) => Some("default"),
                (_, Some(begin @ ("default" | "returning"))) => Some(begin),
                (_, Some(_)) => None,
                (Some(kind), None) => Some(kind),
                (None, None) => return Some(piece.text),
            };
        }
        None
    }

    /// The clause before `ON EMPTY` or `ON ERROR`, and its default value.
    fn on(&self, case: &str) -> Option<(String, String)> {
        let place = self.pieces.windows(2).position(|pair| pair[0].is_word("on") && pair[1].is_word(case))?;
        let word = |back: usize| place.checked_sub(back).map(|at| self.pieces[at].text.to_ascii_lowercase());
        let last = word(1)?;
        if matches!(last.as_str(), "array" | "object") && word(2).as_deref() == Some("empty") {
            return Some((format!("empty {last}"), "NULL".to_owned()));
        }
        let begin = self.pieces[..place].iter().rposition(|piece| piece.is_word("default"));
        // Another clause may be between the default and this one.
        let begin = begin.filter(|begin| !self.pieces[*begin..place].iter().any(|piece| piece.is_word("on")));
        match begin {
            Some(begin) => {
                let value = self.pieces[begin + 1..place].iter().map(|piece| piece.text).collect::<Vec<_>>();
                Some(("default".to_owned(), value.join(" ")))
            }
            None => Some((last, "NULL".to_owned())),
        }
    }

    /// The type after `RETURNING`.
    fn returning(&self) -> Option<String> {
        const ENDS: [&str; 9] =
            ["null", "error", "default", "empty", "without", "with", "keep", "omit", "format"];
        let begin = self.pieces.iter().position(|piece| piece.is_word("returning"))? + 1;
        let rest = &self.pieces[begin..];
        let end = rest.iter().position(|piece| ENDS.iter().any(|word| piece.is_word(word)));
        let kind = rest[..end.unwrap_or(rest.len())].iter().map(|piece| piece.text.to_ascii_lowercase());
        Some(kind.collect::<String>())
    }

    /// The word that decides about a wrapper or quotes: the first one of its clause that is not a filler.
    fn before(&self, word: &str) -> Option<String> {
        let place = self.pieces.iter().position(|piece| piece.is_word(word))?;
        let kinds = ["without", "conditional", "unconditional", "keep", "omit", "with"];
        let back = self.pieces[..place].iter().rev().map(|piece| piece.text.to_ascii_lowercase());
        back.take(3).find(|word| kinds.contains(&word.as_str()))
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

/// Rewrites `FETCH FIRST 5 ROWS ONLY`.
fn fetch(pieces: &[Piece<'_>]) -> Result<Replaced> {
    let places: Vec<usize> = (0..pieces.len()).filter(|place| !pieces[*place].is_space()).take(6).collect();
    let word =
        |at: usize| places.get(at).map(|place| pieces[*place].text.to_ascii_lowercase()).unwrap_or_default();
    if !matches!(word(1).as_str(), "first" | "next") {
        return Ok(None);
    }
    let (count, next) =
        if matches!(word(2).as_str(), "row" | "rows") { ("1".to_owned(), 3) } else { (word(2), 4) };
    if !matches!(word(next - 1).as_str(), "row" | "rows") {
        return Ok(None);
    }
    match (word(next).as_str(), places.get(next)) {
        ("only", Some(last)) => Ok(Some((format!("LIMIT {count}"), last + 1))),
        ("with", _) => {
            Err(Error::new(ErrorKind::Usage, "the engine does not support this: FETCH FIRST ... WITH TIES")
                .hint("filter by rank() in an outer SELECT, for example: WHERE place <= 5"))
        }
        _ => Ok(None),
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
        ] {
            assert_eq!(spelled(theirs).unwrap().sql, ours);
        }
        assert_eq!(spelled("\"EventName\"").unwrap().names["eventname"], "EventName");
        for refused in [
            "FETCH FIRST 5 ROWS WITH TIES",
            "CAST(a AS array(strings))",
            "json_query(a, '$' WRAPPED)",
            "json_value(a, '$' RETURNING bigint NULL ON FAILURE)",
        ] {
            assert!(spelled(refused).is_err(), "{refused}");
        }
    }
}
