//! The text of a condition: what [`parse`](super::grammar::parse) reads.

use std::fmt::{Display, Formatter, Result};

use super::grammar::{Comparison, Condition, Literal, Test};

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        write!(f, "{} ", self.column)?;
        match &self.test {
            Test::Compare(comparison, value) => write!(f, "{comparison} {value}"),
            Test::Like { pattern, negated } => write!(f, "{}like {}", not(negated), quoted(pattern)),
            Test::In { values, negated } => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "{}in ({})", not(negated), values.join(", "))
            }
            Test::IsNull { negated } => write!(f, "is {}null", not(negated)),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(number) => write!(f, "{number}"),
            // Without a point, it would be read as a whole number.
            Self::Decimal(number) if number.fract() == 0.0 => write!(f, "{number}.0"),
            Self::Decimal(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
