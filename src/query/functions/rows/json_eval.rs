//! Paths of SQL/JSON: their values. In lax mode, arrays are unwrapped and missing parts are left out; in strict mode, both
//! are errors.

use std::cmp::Ordering;

use serde_json::{Map, Value as Json, json};

use super::compiled::regex;
use super::json_path::{Expression, Path, Predicate, Step};

/// Why a path has no values.
#[derive(Debug)]
pub(super) struct Failed(pub(super) String);

type Found = Result<Vec<Json>, Failed>;

fn failed<T>(why: impl Into<String>) -> Result<T, Failed> {
    Err(Failed(why.into()))
}

/// What `$`, `@` and `last` stand for.
#[derive(Clone, Copy)]
struct Scope<'j> {
    is_lax: bool,
    variables: &'j [(&'j str, Json)],
    root: &'j Json,
    current: &'j Json,
    last: Option<usize>,
}

/// Returns the values at the end of a path.
pub(super) fn values(document: &Json, path: &Path, variables: &[(&str, Json)]) -> Found {
    let scope = Scope { is_lax: path.is_lax, variables, root: document, current: document, last: None };
    scope.of(&path.expression)
}

impl<'j> Scope<'j> {
    fn of(self, expression: &Expression) -> Found {
        Ok(match expression {
            Expression::Root => vec![self.root.clone()],
            Expression::Variable(name) => match self.variables.iter().find(|(known, _)| known == name) {
                Some((_, value)) => vec![value.clone()],
                None => return failed(format!("no value is passed for ${name}")),
            },
            Expression::Current => vec![self.current.clone()],
            Expression::Last => match self.last {
                Some(last) => vec![json!(last)],
                None => return failed("'last' is available in brackets only"),
            },
            Expression::Literal(value) => vec![value.clone()],
            Expression::Negative(number) => {
                let values = self.of(number)?;
                values.iter().map(|value| Ok(number_of(-as_number(value)?))).collect::<Result<_, Failed>>()?
            }
            Expression::Sum(sign, left, right) => {
                let (left, right) = (self.only_number(left)?, self.only_number(right)?);
                vec![number_of(match sign {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    _ if right == 0.0 => return failed("division by zero"),
                    '/' => left / right,
                    _ => left % right,
                })]
            }
            Expression::Step(before, step) => {
                let mut found = Vec::new();
                for value in self.of(before)? {
                    found.extend(self.step(&value, step)?);
                }
                found
            }
        })
    }

    fn only_number(self, expression: &Expression) -> Result<f64, Failed> {
        match self.of(expression)?.as_slice() {
            [one] => as_number(one),
            _ => failed("arithmetic takes one number on each side"),
        }
    }

    fn step(self, value: &Json, step: &Step) -> Found {
        match step {
            Step::Member(name) => self.members(value, |members| match members.get(name) {
                Some(member) => Ok(vec![member.clone()]),
                None if self.is_lax => Ok(Vec::new()),
                None => failed(format!("the object has no member '{name}'")),
            }),
            Step::AllMembers => self.members(value, |members| Ok(members.values().cloned().collect())),
            Step::Below(name) => {
                let mut found = Vec::new();
                below(value, name, &mut found);
                Ok(found)
            }
            Step::AllElements => match value {
                Json::Array(elements) => Ok(elements.clone()),
                other if self.is_lax => Ok(vec![other.clone()]),
                _ => failed("the value is not an array"),
            },
            Step::Elements(ranges) => self.elements(value, ranges),
            Step::Filter(predicate) => {
                let among = match value {
                    Json::Array(elements) if self.is_lax => elements.clone(),
                    other => vec![other.clone()],
                };
                let fits = |value: &Json| self.with(value).holds(predicate) == Some(true);
                Ok(among.into_iter().filter(fits).collect())
            }
            Step::Method(name) => match value {
                Json::Array(elements) if self.is_lax && !matches!(name.as_str(), "size" | "type") => {
                    let found = elements.iter().map(|element| method(element, name));
                    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
                }
                value if name == "size" && !self.is_lax && !value.is_array() => {
                    failed("the value is not an array")
                }
                value => method(value, name),
            },
        }
    }

    fn with<'s>(self, current: &'s Json) -> Scope<'s>
    where
        'j: 's,
    {
        Scope { current, ..self }
    }

    fn members(self, value: &Json, take: impl Fn(&Map<String, Json>) -> Found) -> Found {
        match value {
            Json::Object(members) => take(members),
            Json::Array(elements) if self.is_lax => {
                let objects = elements.iter().filter_map(Json::as_object);
                Ok(objects.map(&take).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            _ if self.is_lax => Ok(Vec::new()),
            _ => failed("the value is not an object"),
        }
    }

    fn elements(self, value: &Json, ranges: &[(Expression, Option<Expression>)]) -> Found {
        let wrapped = [value.clone()];
        let elements = match value {
            Json::Array(elements) => elements.as_slice(),
            _ if self.is_lax => &wrapped,
            _ => return failed("the value is not an array"),
        };
        let inside = Scope { last: Some(elements.len().saturating_sub(1)), ..self };
        let mut found = Vec::new();
        for (from, to) in ranges {
            let from = inside.only_number(from)?.trunc();
            let to = to.as_ref().map_or(Ok(from), |to| inside.only_number(to))?.trunc();
            let chosen =
                (0_u32..).zip(elements).filter(|(place, _)| (from..=to).contains(&f64::from(*place)));
            let before = found.len();
            found.extend(chosen.map(|(_, element)| element.clone()));
            let wanted = (to - from).max(-1.0) + 1.0;
            let is_whole = (found.len() - before) as f64 >= wanted;
            if !self.is_lax && !is_whole {
                return failed("the array has no such element");
            }
        }
        Ok(found)
    }

    /// Whether a condition holds; `None` if that is unknown.
    fn holds(self, predicate: &Predicate) -> Option<bool> {
        match predicate {
            Predicate::And(one, other) => match (self.holds(one), self.holds(other)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (one, other) => Some(one? && other?),
            },
            Predicate::Or(one, other) => match (self.holds(one), self.holds(other)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (one, other) => Some(one? || other?),
            },
            Predicate::Not(inside) => self.holds(inside).map(|holds| !holds),
            Predicate::IsUnknown(inside) => Some(self.holds(inside).is_none()),
            Predicate::Exists(path) => self.of(path).ok().map(|found| !found.is_empty()),
            Predicate::StartsWith(path, start) => {
                let start = self.of(start).ok()?;
                let start = start.first()?.as_str()?;
                self.any(path, |value| Some(value.as_str()?.starts_with(start)))
            }
            Predicate::LikeRegex(path, pattern) => {
                let regex = regex(pattern).ok()?;
                self.any(path, |value| Some(regex.is_match(value.as_str()?)))
            }
            Predicate::Compare(sign, left, right) => {
                let right = self.unwrapped(right)?;
                self.any(left, |one| {
                    let each = right.iter().map(|other| compared(sign, one, other));
                    either(each)
                })
            }
        }
    }

    fn unwrapped(self, path: &Expression) -> Option<Vec<Json>> {
        let unwrap = |value| match value {
            Json::Array(elements) if self.is_lax => elements,
            other => vec![other],
        };
        Some(self.of(path).ok()?.into_iter().flat_map(unwrap).collect())
    }

    fn any(self, path: &Expression, holds: impl Fn(&Json) -> Option<bool>) -> Option<bool> {
        either(self.unwrapped(path)?.iter().map(holds))
    }
}

/// Whether any of the conditions holds.
fn either(mut conditions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    conditions.try_fold(false, |found, holds| Some(found || holds?))
}

fn compared(sign: &str, one: &Json, other: &Json) -> Option<bool> {
    let order = match (one, other) {
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, other) | (other, Json::Null) if !other.is_array() && !other.is_object() => {
            return Some(matches!(sign, "!=" | "<>"));
        }
        (Json::Bool(one), Json::Bool(other)) => one.cmp(other),
        (Json::String(one), Json::String(other)) => one.cmp(other),
        (Json::Number(one), Json::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?)?,
        _ => return None,
    };
    Some(match sign {
        "==" | "=" => order.is_eq(),
        "!=" | "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn below(value: &Json, name: &str, found: &mut Vec<Json>) {
    match value {
        Json::Object(members) => {
            for (key, member) in members {
                if key == name {
                    found.push(member.clone());
                }
                below(member, name, found);
            }
        }
        Json::Array(elements) => elements.iter().for_each(|element| below(element, name, found)),
        _ => {}
    }
}

fn method(value: &Json, name: &str) -> Found {
    Ok(match name {
        "type" => vec![json!(match value {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        })],
        "size" => vec![json!(value.as_array().map_or(1, Vec::len))],
        "keyvalue" => {
            let Json::Object(members) = value else { return failed("keyvalue() takes an object") };
            members.iter().map(|(name, value)| json!({"name": name, "value": value, "id": 0})).collect()
        }
        "double" => match value {
            Json::String(text) => match text.parse::<f64>() {
                Ok(number) => vec![number_of(number)],
                Err(_) => return failed(format!("'{text}' is not a number")),
            },
            other => vec![number_of(as_number(other)?)],
        },
        "abs" => vec![number_of(as_number(value)?.abs())],
        "floor" => vec![number_of(as_number(value)?.floor())],
        _ => vec![number_of(as_number(value)?.ceil())],
    })
}

fn as_number(value: &Json) -> Result<f64, Failed> {
    value.as_f64().map_or_else(|| failed("the value is not a number"), Ok)
}

/// A number as JSON, whole if it is whole.
#[expect(clippy::cast_possible_truncation, reason = "the number is whole and within the range")]
fn number_of(number: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT { json!(number as i64) } else { json!(number) }
}
