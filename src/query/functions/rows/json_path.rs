//! Paths of SQL/JSON, for example `lax $.items[*]?(@.size > 2).name`: their grammar.

use datafusion::common::{Result, exec_err};
use serde_json::Value as Json;

/// A path and its mode.
#[derive(Debug)]
pub(super) struct Path {
    /// Whether missing members and elements are left out instead of being errors.
    pub(super) is_lax: bool,
    pub(super) expression: Expression,
    /// The names of its variables.
    pub(super) variables: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Expression {
    /// `$`
    Root,
    /// `$name`
    Variable(String),
    /// `@`
    Current,
    /// `last`
    Last,
    Literal(Json),
    Step(Box<Expression>, Step),
    Sum(char, Box<Expression>, Box<Expression>),
    Negative(Box<Expression>),
}

#[derive(Debug)]
pub(super) enum Step {
    Member(String),
    AllMembers,
    /// `..name`
    Below(String),
    AllElements,
    Elements(Vec<(Expression, Option<Expression>)>),
    Filter(Predicate),
    Method(String),
}

#[derive(Debug)]
pub(super) enum Predicate {
    Compare(&'static str, Box<Expression>, Box<Expression>),
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    Exists(Box<Expression>),
    StartsWith(Box<Expression>, Box<Expression>),
    LikeRegex(Box<Expression>, String),
    IsUnknown(Box<Predicate>),
}

const METHODS: [&str; 7] = ["type", "size", "double", "ceiling", "floor", "abs", "keyvalue"];
const COMPARISONS: [&str; 8] = ["==", "!=", "<>", "<=", ">=", "<", ">", "="];

impl Path {
    pub(super) fn parse(written: &str) -> Result<Self> {
        let text = written.trim();
        let (is_lax, rest) = match text.split_once(char::is_whitespace) {
            Some((mode, rest)) if mode.eq_ignore_ascii_case("lax") => (true, rest),
            Some((mode, rest)) if mode.eq_ignore_ascii_case("strict") => (false, rest),
            _ => (true, text),
        };
        let mut scan = Scan { rest: rest.trim_start(), variables: Vec::new() };
        match scan.expression() {
            Some(expression) if scan.rest.trim().is_empty() => {
                Ok(Self { is_lax, expression, variables: scan.variables })
            }
            _ => exec_err!("'{written}' is not a JSON path: write it as 'lax $.name' or 'strict $.names[0]'"),
        }
    }
}

struct Scan<'p> {
    rest: &'p str,
    variables: Vec<String>,
}

impl<'p> Scan<'p> {
    /// Takes a sign if it comes next.
    fn take(&mut self, sign: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }

    /// Takes a word if it comes next.
    fn word(&mut self, wanted: &str) -> Option<()> {
        let rest = self.rest.trim_start().strip_prefix(wanted)?;
        if rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    /// Takes what a parser reads, or nothing.
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.rest;
        let found = read(self);
        if found.is_none() {
            self.rest = before;
        }
        found
    }

    fn expression(&mut self) -> Option<Expression> {
        let mut sum = self.term()?;
        while let Some(sign) =
            ['+', '-'].into_iter().find(|sign| self.take(sign.encode_utf8(&mut [0; 4])).is_some())
        {
            sum = Expression::Sum(sign, Box::new(sum), Box::new(self.term()?));
        }
        Some(sum)
    }

    fn term(&mut self) -> Option<Expression> {
        let mut product = self.factor()?;
        while let Some(sign) =
            ['*', '/', '%'].into_iter().find(|sign| self.take(sign.encode_utf8(&mut [0; 4])).is_some())
        {
            product = Expression::Sum(sign, Box::new(product), Box::new(self.factor()?));
        }
        Some(product)
    }

    fn factor(&mut self) -> Option<Expression> {
        if self.take("-").is_some() {
            return Some(Expression::Negative(Box::new(self.factor()?)));
        }
        let mut path = self.start()?;
        while let Some(step) = self.maybe(Self::step) {
            path = Expression::Step(Box::new(path), step);
        }
        Some(path)
    }

    fn start(&mut self) -> Option<Expression> {
        if self.take("(").is_some() {
            let inside = self.expression()?;
            self.take(")")?;
            return Some(inside);
        }
        if self.take("$").is_some() {
            let Some(name) = self.name().map(str::to_owned) else { return Some(Expression::Root) };
            self.variables.push(name.clone());
            return Some(Expression::Variable(name));
        }
        if self.take("@").is_some() {
            return Some(Expression::Current);
        }
        if self.word("last").is_some() {
            return Some(Expression::Last);
        }
        self.literal().map(Expression::Literal)
    }

    fn literal(&mut self) -> Option<Json> {
        let words = [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)];
        if let Some((_, value)) = words.into_iter().find(|(word, _)| self.word(word).is_some()) {
            return Some(value);
        }
        if let Some(text) = self.maybe(Self::quoted) {
            return Some(Json::String(text));
        }
        let rest = self.rest.trim_start();
        let end = rest
            .find(|letter: char| !(letter.is_ascii_digit() || ".eE".contains(letter)))
            .unwrap_or(rest.len());
        let number = serde_json::from_str(&rest[..end]).ok().filter(Json::is_number)?;
        self.rest = &rest[end..];
        Some(number)
    }

    fn quoted(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|quote| "\"'".contains(*quote))?;
        let (mut text, mut letters) = (String::new(), rest.char_indices().skip(1));
        while let Some((place, letter)) = letters.next() {
            match letter {
                '\\' => text.push(letters.next()?.1),
                letter if letter == quote => {
                    self.rest = &rest[place + 1..];
                    return Some(text);
                }
                letter => text.push(letter),
            }
        }
        None
    }

    fn name(&mut self) -> Option<&'p str> {
        let end =
            self.rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(name).filter(|name| !name.is_empty())
    }

    fn step(&mut self) -> Option<Step> {
        if self.take("?").is_some() {
            self.take("(")?;
            let predicate = self.predicate()?;
            self.take(")")?;
            return Some(Step::Filter(predicate));
        }
        if self.take("[").is_some() {
            if self.take("*").is_some() {
                self.take("]")?;
                return Some(Step::AllElements);
            }
            let mut ranges = vec![self.range()?];
            while self.take(",").is_some() {
                ranges.push(self.range()?);
            }
            self.take("]")?;
            return Some(Step::Elements(ranges));
        }
        if self.take("..").is_some() {
            let name = self.maybe(Self::quoted).or_else(|| self.name().map(str::to_owned));
            return Some(Step::Below(name?));
        }
        self.take(".")?;
        if self.take("*").is_some() {
            return Some(Step::AllMembers);
        }
        if let Some(name) = self.maybe(Self::quoted) {
            return Some(Step::Member(name));
        }
        let name = self.name()?;
        let is_call = METHODS.contains(&name)
            && self.maybe(|scan| scan.take("(").and_then(|()| scan.take(")"))).is_some();
        Some(if is_call { Step::Method(name.to_owned()) } else { Step::Member(name.to_owned()) })
    }

    fn range(&mut self) -> Option<(Expression, Option<Expression>)> {
        let from = self.expression()?;
        let to = if self.word("to").is_some() { Some(self.expression()?) } else { None };
        Some((from, to))
    }

    fn predicate(&mut self) -> Option<Predicate> {
        let mut all = self.conjunction()?;
        while self.take("||").is_some() {
            all = Predicate::Or(Box::new(all), Box::new(self.conjunction()?));
        }
        Some(all)
    }

    fn conjunction(&mut self) -> Option<Predicate> {
        let mut all = self.condition()?;
        while self.take("&&").is_some() {
            all = Predicate::And(Box::new(all), Box::new(self.condition()?));
        }
        Some(all)
    }

    fn condition(&mut self) -> Option<Predicate> {
        if self.take("!").is_some() {
            return Some(Predicate::Not(Box::new(self.in_parentheses()?)));
        }
        if self.word("exists").is_some() {
            self.take("(")?;
            let path = self.expression()?;
            self.take(")")?;
            return Some(Predicate::Exists(Box::new(path)));
        }
        if let Some(comparison) = self.maybe(Self::comparison) {
            return Some(comparison);
        }
        let inside = self.in_parentheses()?;
        if self.maybe(|scan| scan.word("is").and_then(|()| scan.word("unknown"))).is_some() {
            return Some(Predicate::IsUnknown(Box::new(inside)));
        }
        Some(inside)
    }

    fn in_parentheses(&mut self) -> Option<Predicate> {
        self.take("(")?;
        let inside = self.predicate()?;
        self.take(")")?;
        Some(inside)
    }

    fn comparison(&mut self) -> Option<Predicate> {
        let left = Box::new(self.expression()?);
        if self.word("starts").is_some() {
            self.word("with")?;
            return Some(Predicate::StartsWith(left, Box::new(self.expression()?)));
        }
        if self.word("like_regex").is_some() {
            return Some(Predicate::LikeRegex(left, self.quoted()?));
        }
        let sign = COMPARISONS.into_iter().find(|sign| self.take(sign).is_some())?;
        Some(Predicate::Compare(sign, left, Box::new(self.expression()?)))
    }
}
