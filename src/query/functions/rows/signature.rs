//! Signatures of functions, written as in Trino's documentation: `slice(array(T), bigint, bigint) -> array(T)`.
//!
//! A single capital letter is any type, and the same letter is the same type. `text` accepts varchar and json. A question
//! mark marks an argument that the function sees even if it is NULL; three points repeat the last argument.

use std::collections::HashMap;

use arrow::compute::can_cast_types;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_datafusion_err};

use crate::query::functions::decimals;
use crate::query::type_names::{self, TypeName};
use crate::query::types;

/// A signature.
#[derive(Debug)]
pub(super) struct Signature {
    arguments: Vec<Argument>,
    repeats: bool,
    returns: TypeName,
}

#[derive(Debug)]
struct Argument {
    kind: TypeName,
    takes_null: bool,
}

/// The types that the letters stand for.
type Letters = HashMap<String, DataType>;

impl Signature {
    /// Reads a signature. They are constants of this program, so a mistake is a bug that the tests find.
    pub(super) fn read(written: &str) -> Self {
        let (call, returns) = written.split_once(" -> ").expect("a signature has a result");
        let (_, rest) = call.split_once('(').expect("a signature has parentheses");
        let list = rest.strip_suffix(')').expect("a signature has parentheses");
        let (list, repeats) = list.strip_suffix("...").map_or((list, false), |list| (list, true));
        let argument = |written: String| {
            let (kind, takes_null) =
                written.strip_suffix('?').map_or((written.as_str(), false), |kind| (kind, true));
            Argument { kind: TypeName::read(kind).expect("a signature names types"), takes_null }
        };
        let arguments = type_names::split(list).into_iter().map(argument).collect();
        let returns = TypeName::read(returns).expect("a signature names types");
        Self { arguments, repeats, returns }
    }

    fn argument(&self, place: usize) -> Option<&Argument> {
        self.arguments.get(place).or_else(|| self.arguments.last().filter(|_| self.repeats))
    }

    /// Whether an argument may be NULL without the result being NULL.
    pub(super) fn takes_null(&self, place: usize) -> bool {
        self.argument(place).is_some_and(|argument| argument.takes_null)
    }

    /// The types to which the arguments are cast, and the type of the result; `None` if the function does not take them.
    pub(super) fn matched(&self, given: &[DataType]) -> Option<(Vec<DataType>, DataType)> {
        let least = self.arguments.len() - usize::from(self.repeats);
        if given.len() < least || given.len() > self.arguments.len() && !self.repeats {
            return None;
        }
        let mut letters = Letters::new();
        for (place, given) in given.iter().enumerate() {
            bind(&self.argument(place)?.kind, given, &mut letters)?;
        }
        let wanted = |(place, given): (usize, &DataType)| {
            let wanted = filled(&self.argument(place)?.kind, given, &letters)?;
            can_cast_types(given, &wanted).then_some(wanted)
        };
        let wanted = given.iter().enumerate().map(wanted).collect::<Option<Vec<_>>>()?;
        let returns = filled(&self.returns, &DataType::Null, &letters)?;
        Some((wanted, returns))
    }
}

/// Chooses among the signatures of a function.
pub(super) fn choose<'s>(
    name: &str,
    signatures: &'s [Signature],
    given: &[DataType],
) -> Result<(&'s Signature, Vec<DataType>, DataType)> {
    let chosen = signatures.iter().find_map(|signature| {
        let (wanted, returns) = signature.matched(given)?;
        Some((signature, wanted, returns))
    });
    chosen.ok_or_else(|| {
        let forms = signatures.iter().map(|signature| {
            let kinds = signature.arguments.iter().map(|argument| argument.kind.to_string());
            format!(
                "({}{})",
                kinds.collect::<Vec<_>>().join(", "),
                if signature.repeats { "..." } else { "" }
            )
        });
        let forms = forms.collect::<Vec<_>>().join(" or ");
        let given = given.iter().map(types::name).collect::<Vec<_>>().join(", ");
        plan_datafusion_err!("{name} takes {forms}, not ({given})")
    })
}

/// Compares a type with a given one, and notes the types of letters. `None` if they differ.
fn bind(kind: &TypeName, given: &DataType, letters: &mut Letters) -> Option<()> {
    let given = &types::plain(given);
    if given.is_null() {
        return Some(());
    }
    match (kind, given) {
        (TypeName::Letter(letter), _) => {
            let known =
                letters.get(letter).map_or_else(|| Some(given.clone()), |known| common(known, given))?;
            letters.insert(letter.clone(), known);
            Some(())
        }
        (TypeName::Any, _) | (TypeName::Text, DataType::Utf8 | DataType::LargeUtf8) => Some(()),
        (TypeName::Array(element), DataType::List(field)) => bind(element, field.data_type(), letters),
        (TypeName::Map(key, value), DataType::Map(entries, _)) => {
            let DataType::Struct(sides) = entries.data_type() else { return None };
            bind(key, sides[0].data_type(), letters)?;
            bind(value, sides[1].data_type(), letters)
        }
        (TypeName::Row(names), DataType::Struct(fields)) if names.len() == fields.len() => {
            names.iter().zip(fields).try_for_each(|((_, kind), field)| bind(kind, field.data_type(), letters))
        }
        (TypeName::Plain(wanted), given) => fits(wanted, given).then_some(()),
        _ => None,
    }
}

/// Whether Athena converts a value to a type implicitly.
fn fits(wanted: &DataType, given: &DataType) -> bool {
    wanted == given
        || wanted.is_integer() && given.is_integer()
        || wanted.is_floating() && given.is_numeric()
        || matches!((wanted, given), (DataType::Timestamp(_, None), DataType::Date32))
        || matches!((wanted, given), (DataType::Timestamp(one, None), DataType::Timestamp(other, None)) if one >= other)
        || matches!((wanted, given), (DataType::Binary, DataType::BinaryView | DataType::LargeBinary))
        || matches!((wanted, given), (DataType::Interval(_), DataType::Interval(_) | DataType::Duration(_)))
}

/// The type that holds the values of two types.
pub(in crate::query) fn common(one: &DataType, other: &DataType) -> Option<DataType> {
    match (one, other) {
        _ if one == other => Some(one.clone()),
        _ if one.is_null() => Some(other.clone()),
        _ if other.is_null() => Some(one.clone()),
        (DataType::List(one), DataType::List(other)) => {
            Some(DataType::new_list(common(one.data_type(), other.data_type())?, true))
        }
        (DataType::Map(one_entries, _), DataType::Map(other_entries, _)) => {
            let (DataType::Struct(one), DataType::Struct(other)) =
                (one_entries.data_type(), other_entries.data_type())
            else {
                return None;
            };
            let side = |place: usize| common(one[place].data_type(), other[place].data_type());
            Some(type_names::map_type(side(0)?, side(1)?))
        }
        _ if one.is_integer() && other.is_integer() => Some(DataType::Int64),
        _ if one.is_numeric() && other.is_numeric() => {
            decimals::common(one, other).or(Some(DataType::Float64))
        }
        (DataType::Date32, moment @ DataType::Timestamp(_, None))
        | (moment @ DataType::Timestamp(_, None), DataType::Date32) => Some(moment.clone()),
        _ => None,
    }
}

/// The type with its letters filled in. A value of an open kind keeps its given type.
fn filled(kind: &TypeName, given: &DataType, letters: &Letters) -> Option<DataType> {
    Some(match kind {
        TypeName::Letter(letter) => letters.get(letter).cloned().unwrap_or(DataType::Null),
        TypeName::Text => DataType::Utf8,
        TypeName::Any => types::plain(given),
        TypeName::Plain(wanted) => wanted.clone(),
        TypeName::Array(element) => {
            let given = if let DataType::List(field) = given { field.data_type() } else { &DataType::Null };
            DataType::new_list(filled(element, given, letters)?, true)
        }
        TypeName::Map(key, value) => {
            let side = |side| filled(side, &DataType::Null, letters);
            type_names::map_type(side(key)?, side(value)?)
        }
        TypeName::Row(fields) => {
            let side = |kind| filled(kind, &DataType::Null, letters);
            let fields = fields.iter().map(|(name, kind)| Some((name.clone(), side(kind)?)));
            match given {
                DataType::Struct(own) => type_names::row_type(
                    fields
                        .zip(own)
                        .map(|(field, own)| Some((own.name().clone(), field?.1)))
                        .collect::<Option<Vec<_>>>()?,
                ),
                _ => type_names::row_type(fields.collect::<Option<Vec<_>>>()?),
            }
        }
    })
}
