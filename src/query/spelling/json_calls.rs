//! The clauses of `json_value`, `json_query`, `json_exists`, `json_object` and `json_array`, which become arguments.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::super::tokens::{Piece, call_of, in_parentheses, literal, place_of, split, trimmed};
use super::{Replaced, Speller};
use crate::error::{Error, ErrorKind, Result};

/// The parts of a call with a JSON path.
struct JsonCall<'p, 's> {
    document: String,
    path: String,
    /// The names and values after `PASSING`, as further arguments.
    passed: String,
    clauses: Clauses<'p, 's>,
    length: usize,
}

/// Functions whose result counts as JSON in a constructor, without `FORMAT JSON`.
const JSON_RESULTS: [&str; 3] = ["json_query", "json_object", "json_array"];

impl Speller {
    fn json_call<'p, 's>(&mut self, pieces: &'p [Piece<'s>]) -> Result<Option<JsonCall<'p, 's>>> {
        let Some((inside, length)) = in_parentheses(&pieces[1..]) else { return Ok(None) };
        let Some(comma) = place_of(inside, Piece::is_comma) else { return Ok(None) };
        let document = &inside[..comma];
        let end = document.iter().position(|piece| piece.is_word("format")).unwrap_or(document.len());
        let document = self.all(&document[..end])?.trim().to_owned();
        let Some((path, rest)) = trimmed(&inside[comma + 1..]).split_first() else { return Ok(None) };
        let (passed, rest) = self.passed(rest)?;
        let clauses = Clauses { pieces: rest.iter().filter(|piece| !piece.is_space()).collect() };
        if let Some(unknown) = clauses.unknown() {
            return Err(not_a_clause(unknown, pieces[0].text));
        }
        Ok(Some(JsonCall { document, path: path.text.to_owned(), passed, clauses, length: length + 1 }))
    }

    /// Reads the values after `PASSING` and returns the tokens behind them.
    fn passed<'p, 's>(&mut self, pieces: &'p [Piece<'s>]) -> Result<(String, &'p [Piece<'s>])> {
        let mut rest = trimmed(pieces);
        let mut passed = String::new();
        if !rest.first().is_some_and(|piece| piece.is_word("passing")) {
            return Ok((passed, rest));
        }
        while let Some((_, after)) = rest.split_first() {
            let place = place_of(after, |piece| piece.is_word("as"));
            let named = place.and_then(|place| Some((place, trimmed(&after[place + 1..]).split_first()?)));
            let Some((place, (Piece { token: Token::Word(name), .. }, behind))) = named else {
                return Err(Error::new(ErrorKind::Usage, "PASSING takes values with names")
                    .hint("name each value, for example: PASSING 5 AS \"least\""));
            };
            // As in Athena, a name without quotes has capitals.
            let name =
                if name.quote_style.is_some() { name.value.clone() } else { name.value.to_uppercase() };
            let value = self.json_item(&after[..place])?;
            passed += &format!(", {}, {value}", literal(&name));
            rest = trimmed(behind);
            if !rest.first().is_some_and(Piece::is_comma) {
                break;
            }
        }
        Ok((passed, rest))
    }

    /// A value that becomes part of JSON. With `FORMAT JSON` it is JSON already.
    fn json_item(&mut self, pieces: &[Piece<'_>]) -> Result<String> {
        let pieces = trimmed(pieces);
        let format = place_of(pieces, |piece| piece.is_word("format"));
        let value = trimmed(&pieces[..format.unwrap_or(pieces.len())]);
        let is_json = format.is_some() || JSON_RESULTS.iter().any(|name| call_of(value, name).is_some());
        let value = self.all(value)?;
        Ok(if is_json { format!("json_input({value})") } else { value })
    }

    /// Rewrites `json_object(KEY 'a' VALUE 1, 'b' : 2 ABSENT ON NULL)`.
    pub(super) fn json_object(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some(Constructor { items, on_null, length }) = constructor(pieces, "null")? else {
            return Ok(None);
        };
        let mut call = format!("json_object_of('{on_null}'");
        for item in items {
            let item = trimmed(item);
            let item = if item.first().is_some_and(|piece| piece.is_word("key")) { &item[1..] } else { item };
            let between = |piece: &Piece<'_>| piece.token == Token::Colon || piece.is_word("value");
            let Some(place) = place_of(item, between) else {
                return Err(Error::new(ErrorKind::Usage, "json_object takes keys and values")
                    .hint("write each pair as 'key' : value or as KEY 'key' VALUE value"));
            };
            let (key, value) = (self.all(trimmed(&item[..place]))?, self.json_item(&item[place + 1..])?);
            call += &format!(", {key}, {value}");
        }
        Ok(Some((call + ")", length)))
    }

    /// Rewrites `json_array(1, 'a' NULL ON NULL)`.
    pub(super) fn json_array(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some(Constructor { items, on_null, length }) = constructor(pieces, "absent")? else {
            return Ok(None);
        };
        let mut call = format!("json_array_of('{on_null}'");
        for item in items {
            call += &format!(", {}", self.json_item(item)?);
        }
        Ok(Some((call + ")", length)))
    }

    pub(super) fn json_exists(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some(JsonCall { document, path, passed, clauses, length }) = self.json_call(pieces)? else {
            return Ok(None);
        };
        let on_error = clauses.on("error").map_or_else(|| "false".to_owned(), |clause| clause.0);
        Ok(Some((format!("json_exists_of({document}, {path}, '{on_error}'{passed})"), length)))
    }

    pub(super) fn json_value(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some(JsonCall { document, path, passed, clauses, length }) = self.json_call(pieces)? else {
            return Ok(None);
        };
        let [(empty, of_empty), (error, of_error)] = ["empty", "error"]
            .map(|case| clauses.on(case).unwrap_or_else(|| ("null".to_owned(), "NULL".to_owned())));
        let returning = clauses.returning().filter(|kind| !kind.starts_with("varchar"));
        let as_text = |default: String| match &returning {
            Some(_) if default != "NULL" => format!("CAST({default} AS varchar)"),
            _ => default,
        };
        let (of_empty, of_error) = (as_text(of_empty), as_text(of_error));
        let call = format!(
            "json_value_of({document}, {path}, '{empty}', {of_empty}, '{error}', {of_error}{passed})"
        );
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

    pub(super) fn json_query(&mut self, pieces: &[Piece<'_>]) -> Result<Replaced> {
        let Some(JsonCall { document, path, passed, clauses, length }) = self.json_call(pieces)? else {
            return Ok(None);
        };
        let wrapper = match clauses.before("wrapper").as_deref() {
            None | Some("without") => "without",
            Some("conditional") => "conditional",
            Some(_) => "unconditional",
        };
        let quotes = if clauses.before("quotes").as_deref() == Some("omit") { "omit" } else { "keep" };
        let [empty, error] = ["empty", "error"]
            .map(|case| clauses.on(case).map_or_else(|| "null".to_owned(), |clause| clause.0));
        let call = format!(
            "json_query_of({document}, {path}, '{wrapper}', '{quotes}', '{empty}', '{error}'{passed})"
        );
        Ok(Some((call, length)))
    }
}

/// The parts of `json_object` or `json_array`.
struct Constructor<'p, 's> {
    items: Vec<&'p [Piece<'s>]>,
    /// `null` or `absent`.
    on_null: &'static str,
    length: usize,
}

/// The clauses of constructors, and what they say about NULL. `#` is any number. The keys of an object are unique with and
/// without `UNIQUE KEYS`, because Athena refuses a key that repeats.
const CONSTRUCTOR_CLAUSES: [(&[&str], Option<&str>); 8] = [
    (&["null", "on", "null"], Some("null")),
    (&["absent", "on", "null"], Some("absent")),
    (&["with", "unique", "keys"], None),
    (&["with", "unique"], None),
    (&["without", "unique", "keys"], None),
    (&["without", "unique"], None),
    (&["returning", "varchar"], None),
    (&["returning", "varchar", "(", "#", ")"], None),
];

/// Splits a call into its items, and takes the clauses from the end of the last one.
fn constructor<'p, 's>(
    pieces: &'p [Piece<'s>],
    on_null: &'static str,
) -> Result<Option<Constructor<'p, 's>>> {
    let Some((inside, length)) = in_parentheses(&pieces[1..]) else { return Ok(None) };
    let (mut inside, mut on_null) = (trimmed(inside), on_null);
    while let Some((rest, says)) =
        CONSTRUCTOR_CLAUSES.iter().find_map(|(clause, says)| Some((without_end(inside, clause)?, says)))
    {
        inside = rest;
        on_null = says.unwrap_or(on_null);
    }
    if place_of(inside, |piece| piece.is_word("returning")).is_some() {
        return Err(Error::new(ErrorKind::Usage, format!("{} RETURNING takes varchar only", pieces[0].text)));
    }
    let items = if inside.is_empty() { Vec::new() } else { split(inside, Piece::is_comma) };
    Ok(Some(Constructor { items, on_null, length: length + 1 }))
}

/// The tokens before a clause at their end.
fn without_end<'p, 's>(pieces: &'p [Piece<'s>], clause: &[&str]) -> Option<&'p [Piece<'s>]> {
    clause.iter().rev().try_fold(trimmed(pieces), |rest, word| {
        let (last, before) = rest.split_last()?;
        let fits = match *word {
            "#" => matches!(last.token, Token::Number(..)),
            word => last.text.eq_ignore_ascii_case(word),
        };
        fits.then(|| trimmed(before))
    })
}

fn not_a_clause(word: &str, function: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("'{word}' is not a clause of {function}"))
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
