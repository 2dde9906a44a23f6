//! Parses filter rules such as `column = 'text' and other in (1, 2)`.

use crate::error::{Error, ErrorKind, Result};

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value in a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(i64),
    /// A finite number with a point or an exponent.
    Decimal(f64),
    Bool(bool),
}

/// A test of a column. `negated` is set for `is not null`, `not like` and `not in`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Compare(Comparison, Literal),
    Like { pattern: String, negated: bool },
    In { values: Vec<Literal>, negated: bool },
    IsNull { negated: bool },
}

/// A condition of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) column: String,
    /// Position of the column in the rule, in characters from 1.
    pub(crate) at: usize,
    pub(crate) test: Test,
}

/// An error in a rule: its position and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) why: String,
}

impl Fault {
    pub(crate) fn of_rule(self, rule: &str) -> Error {
        Error::new(ErrorKind::Usage, format!("invalid filter rule: {}", self.why))
            .with("rule", rule)
            .with("character", self.at)
            .hint("list the columns with 'logmill schema', and write a rule like: event_source = 'kms.amazonaws.com' and read_only = true")
    }
}

type Parsed<T> = std::result::Result<T, Fault>;

/// Parses a rule: conditions joined with `and`.
pub(crate) fn parse(rule: &str) -> Result<Vec<Condition>> {
    conditions(rule).map_err(|fault| fault.of_rule(rule))
}

fn conditions(rule: &str) -> Parsed<Vec<Condition>> {
    let mut tokens = Tokens { tokens: tokenize(rule)?, next: 0 };
    let mut conditions = vec![tokens.condition()?];
    loop {
        let at = tokens.at();
        match tokens.take() {
            Token::End => return Ok(conditions),
            Token::Word(word) if word == "and" => conditions.push(tokens.condition()?),
            Token::Word(word) if word == "or" => {
                let why = "'or' is not supported: write a second rule, because a row is left out if any rule matches";
                return Err(Fault { at, why: why.to_owned() });
            }
            other => return Err(other.instead_of("'and' or the end", at)),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A column or a keyword, in lower case.
    Word(String),
    Text(String),
    Number(i64),
    Decimal(f64),
    Symbol(&'static str),
    End,
}

impl Token {
    fn instead_of(&self, expected: &str, at: usize) -> Fault {
        let found = match self {
            Self::Word(word) => format!("'{word}'"),
            Self::Text(_) => "a text".to_owned(),
            Self::Number(number) => format!("the number {number}"),
            Self::Decimal(number) => format!("the number {number}"),
            Self::Symbol(symbol) => format!("'{symbol}'"),
            Self::End => "the end".to_owned(),
        };
        Fault { at, why: format!("expected {expected}, found {found}") }
    }
}

/// All symbols, longer ones first.
const SYMBOLS: [&str; 10] = ["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","];

const COMPARISONS: [(&str, Comparison); 7] = [
    ("=", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<>", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterOrEqual),
];

/// Splits a rule into tokens with their positions, in characters from 1. The last token is [`Token::End`].
fn tokenize(rule: &str) -> Parsed<Vec<(usize, Token)>> {
    let mut tokens = Vec::new();
    let mut rest = rule.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = rule[..rule.len() - rest.len()].chars().count() + 1;
        let (token, used) = match first {
            '\'' => quoted(rest).ok_or(Fault { at, why: "the text has no closing quote".to_owned() })?,
            '-' | '0'..='9' => number(rest, at)?,
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                (Token::Word(rest[..end].to_ascii_lowercase()), end)
            }
            other => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let unknown = || Fault { at, why: format!("unexpected character '{other}'") };
                symbol.map(|symbol| (Token::Symbol(symbol), symbol.len())).ok_or_else(unknown)?
            }
        };
        tokens.push((at, token));
        rest = rest[used..].trim_start();
    }
    tokens.push((rule.chars().count() + 1, Token::End));
    Ok(tokens)
}

/// Reads a text in single quotes. Two single quotes inside it mean one.
fn quoted(rest: &str) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        let end = at + rest[at..].find('\'')?;
        text.push_str(&rest[at..end]);
        if !rest[end + 1..].starts_with('\'') {
            return Some((Token::Text(text), end + 1));
        }
        text.push('\'');
        at = end + 2;
    }
}

fn number(rest: &str, at: usize) -> Parsed<(Token, usize)> {
    let end =
        rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '.').map_or(rest.len(), |end| end + 1);
    let written = &rest[..end];
    let is_decimal = written.contains(['.', 'e', 'E']);
    let token = if is_decimal {
        written.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Decimal)
    } else {
        written.parse().ok().map(Token::Number)
    };
    let why = || format!("'{written}' is not a number of 64 bits");
    Ok((token.ok_or_else(|| Fault { at, why: why() })?, end))
}

struct Tokens {
    tokens: Vec<(usize, Token)>,
    next: usize,
}

impl Tokens {
    /// Returns the position of the next token.
    fn at(&self) -> usize {
        self.tokens[self.next].0
    }

    /// Takes the next token. At the end, it returns [`Token::End`] every time.
    fn take(&mut self) -> Token {
        let token = self.tokens[self.next].1.clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    /// Takes a word if it is the next token.
    fn takes_word(&mut self, wanted: &str) -> bool {
        let is_next = matches!(&self.tokens[self.next].1, Token::Word(word) if word == wanted);
        self.next += usize::from(is_next);
        is_next
    }

    fn symbol(&mut self, wanted: &str) -> Parsed<()> {
        let at = self.at();
        match self.take() {
            Token::Symbol(symbol) if symbol == wanted => Ok(()),
            other => Err(other.instead_of(&format!("'{wanted}'"), at)),
        }
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let at = self.at();
        match self.take() {
            Token::Word(column) => Ok(Condition { column, at, test: self.test()? }),
            other => Err(other.instead_of("a column", at)),
        }
    }

    fn test(&mut self) -> Parsed<Test> {
        if self.takes_word("is") {
            let negated = self.takes_word("not");
            let at = self.at();
            return match self.take() {
                Token::Word(word) if word == "null" => Ok(Test::IsNull { negated }),
                other => Err(other.instead_of("'null'", at)),
            };
        }
        let negated = self.takes_word("not");
        let at = self.at();
        match self.take() {
            Token::Word(word) if word == "like" => {
                self.pattern().map(|pattern| Test::Like { pattern, negated })
            }
            Token::Word(word) if word == "in" => self.list().map(|values| Test::In { values, negated }),
            other if negated => Err(other.instead_of("'like' or 'in'", at)),
            Token::Symbol(symbol) if COMPARISONS.iter().any(|(known, _)| *known == symbol) => {
                let comparison = COMPARISONS.iter().find(|(known, _)| *known == symbol);
                let comparison = comparison.map_or(Comparison::Equal, |(_, comparison)| *comparison);
                Ok(Test::Compare(comparison, self.literal()?))
            }
            other => Err(other.instead_of("=, !=, <, <=, >, >=, like, in or is", at)),
        }
    }

    fn pattern(&mut self) -> Parsed<String> {
        let at = self.at();
        match self.take() {
            Token::Text(pattern) => Ok(pattern),
            other => Err(other.instead_of("a text in single quotes", at)),
        }
    }

    fn list(&mut self) -> Parsed<Vec<Literal>> {
        self.symbol("(")?;
        let mut values = vec![self.literal()?];
        loop {
            let at = self.at();
            match self.take() {
                Token::Symbol(",") => values.push(self.literal()?),
                Token::Symbol(")") => return Ok(values),
                other => return Err(other.instead_of("',' or ')'", at)),
            }
        }
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let at = self.at();
        match self.take() {
            Token::Text(text) => Ok(Literal::Text(text)),
            Token::Number(number) => Ok(Literal::Number(number)),
            Token::Decimal(number) => Ok(Literal::Decimal(number)),
            Token::Word(word) if word == "true" || word == "false" => Ok(Literal::Bool(word == "true")),
            Token::Word(word) if word == "null" => {
                let why = "nothing equals null: use 'is null' or 'is not null'";
                Err(Fault { at, why: why.to_owned() })
            }
            other => Err(other.instead_of("a text in single quotes, a number, true or false", at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_conditions_joined_with_and() {
        let rule =
            "a = 'it''s' AND b not in (1,-2) and c is NOT null and d like '%x_' and e >= 3 and f <> false";
        let tests: Vec<(String, Test)> =
            parse(rule).unwrap().into_iter().map(|condition| (condition.column, condition.test)).collect();
        let text = |text: &str| Literal::Text(text.to_owned());
        let expected = [
            ("a", Test::Compare(Comparison::Equal, text("it's"))),
            ("b", Test::In { values: vec![Literal::Number(1), Literal::Number(-2)], negated: true }),
            ("c", Test::IsNull { negated: true }),
            ("d", Test::Like { pattern: "%x_".to_owned(), negated: false }),
            ("e", Test::Compare(Comparison::GreaterOrEqual, Literal::Number(3))),
            ("f", Test::Compare(Comparison::NotEqual, Literal::Bool(false))),
        ];
        assert_eq!(tests, expected.map(|(column, test)| (column.to_owned(), test)));
    }

    #[test]
    fn an_error_has_a_position_and_a_reason() {
        for (rule, at, why) in [
            ("", 1, "expected a column, found the end"),
            ("a", 2, "expected =, !=, <, <=, >, >=, like, in or is, found the end"),
            ("a = ", 5, "expected a text in single quotes, a number, true or false, found the end"),
            ("a = b", 5, "expected a text in single quotes, a number, true or false, found 'b'"),
            ("a = 'x", 5, "the text has no closing quote"),
            ("한 = 'x'", 1, "unexpected character '한'"),
            ("a = '한' b", 9, "expected 'and' or the end, found 'b'"),
            ("a = 1.5.5", 5, "'1.5.5' is not a number of 64 bits"),
            ("a = 99999999999999999999", 5, "'99999999999999999999' is not a number of 64 bits"),
            ("a = -", 5, "'-' is not a number of 64 bits"),
            ("a = null", 5, "nothing equals null: use 'is null' or 'is not null'"),
            ("a like 5", 8, "expected a text in single quotes, found the number 5"),
            ("a in ()", 7, "expected a text in single quotes, a number, true or false, found ')'"),
            ("a in (1 2)", 9, "expected ',' or ')', found the number 2"),
            ("a not = 1", 7, "expected 'like' or 'in', found '='"),
            ("a is 1", 6, "expected 'null', found the number 1"),
            ("(a = 1)", 1, "expected a column, found '('"),
            ("a = 1 and", 10, "expected a column, found the end"),
            (
                "a = 1 or b = 2",
                7,
                "'or' is not supported: write a second rule, because a row is left out if any rule matches",
            ),
        ] {
            assert_eq!(conditions(rule), Err(Fault { at, why: why.to_owned() }), "{rule}");
        }
    }

    #[test]
    fn any_text_is_a_rule_or_an_error_within_the_text() {
        proptest::proptest!(|(rule in "(a|=|<|>|!|'| |and|in|like|is|not|null|[(]|,|[)]|[0-9]|-|\\PC){0,12}")| {
            if let Err(fault) = conditions(&rule) {
                assert!((1..=rule.chars().count() + 1).contains(&fault.at), "{rule}: {fault:?}");
            }
        });
    }
}
