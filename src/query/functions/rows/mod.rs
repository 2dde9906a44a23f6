//! Functions of Athena that are evaluated row by row, in tables of signatures.

mod address;
mod arrays;
mod bytes;
mod casts;
mod collected;
mod compiled;
mod dates;
mod digest;
mod formats;
mod ip;
mod json;
mod json_eval;
mod json_path;
mod maps;
mod numbers;
mod regexes;
mod sequences;
mod signature;
mod sql_json;
mod texts;
mod unnested;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature as EngineSignature, Volatility,
};

pub(in crate::query) use self::signature::common;
use self::signature::{Signature, choose};
pub(in crate::query) use self::value::Value;

/// The tables, each with its title in docs/query.md. Functions without a title have no name in Athena.
pub(super) const TABLES: [(&str, &[RowFunction]); 18] = [
    ("Arrays", arrays::FUNCTIONS),
    ("Arrays", sequences::FUNCTIONS),
    ("Bytes", bytes::FUNCTIONS),
    ("Bytes", digest::FUNCTIONS),
    ("Dates", dates::FUNCTIONS),
    ("IP addresses", ip::FUNCTIONS),
    ("JSON", json::FUNCTIONS),
    ("Maps", maps::FUNCTIONS),
    ("Numbers", numbers::FUNCTIONS),
    ("Regular expressions", regexes::FUNCTIONS),
    ("Texts", texts::FUNCTIONS),
    ("Texts", formats::FUNCTIONS),
    ("", casts::FUNCTIONS),
    ("", collected::FUNCTIONS),
    ("", sql_json::PLUMBING),
    ("", maps::PLUMBING),
    ("", texts::PLUMBING),
    ("", unnested::FUNCTIONS),
];

/// Returns the result type from the argument types and the constant arguments.
type ReturnType = fn(&[DataType], &[Option<&ScalarValue>]) -> Result<DataType>;

/// A function.
pub(super) struct RowFunction {
    /// Its name, arguments and result.
    pub(super) signature: &'static str,
    returns: Option<ReturnType>,
    is_volatile: bool,
    evaluate: fn(&[Value], &Call<'_>) -> Result<Value>,
}

/// What a function knows besides its arguments.
struct Call<'c> {
    types: &'c [DataType],
    returns: &'c DataType,
}

const fn row(signature: &'static str, evaluate: fn(&[Value], &Call<'_>) -> Result<Value>) -> RowFunction {
    RowFunction { signature, returns: None, is_volatile: false, evaluate }
}

impl RowFunction {
    const fn returning(self, returns: ReturnType) -> Self {
        Self { returns: Some(returns), ..self }
    }

    const fn volatile(self) -> Self {
        Self { is_volatile: true, ..self }
    }

    /// Its name in statements.
    pub(super) fn name(&self) -> &'static str {
        self.signature.split_once('(').map_or(self.signature, |(name, _)| name)
    }
}

/// The forms of one function.
struct Forms {
    functions: Vec<&'static RowFunction>,
    signatures: Vec<Signature>,
}

static KNOWN: LazyLock<BTreeMap<&'static str, Forms>> = LazyLock::new(|| {
    let mut known: BTreeMap<&'static str, Forms> = BTreeMap::new();
    for function in TABLES.iter().flat_map(|(_, functions)| *functions) {
        let none = || Forms { functions: Vec::new(), signatures: Vec::new() };
        let forms = known.entry(function.name()).or_insert_with(none);
        forms.functions.push(function);
        forms.signatures.push(Signature::read(function.signature));
    }
    known
});

/// Returns all functions for the engine.
pub(super) fn all() -> impl Iterator<Item = ScalarUDF> {
    KNOWN.keys().filter_map(|name| named(name))
}

/// Returns the function with a name.
pub(super) fn named(name: &str) -> Option<ScalarUDF> {
    let (name, forms) = KNOWN.get_key_value(name)?;
    let is_volatile = forms.functions.iter().any(|function| function.is_volatile);
    let volatility = if is_volatile { Volatility::Volatile } else { Volatility::Immutable };
    Some(ScalarUDF::from(ByRow { name, forms, signature: EngineSignature::user_defined(volatility) }))
}

/// A function as the engine calls it.
struct ByRow {
    name: &'static str,
    forms: &'static Forms,
    signature: EngineSignature,
}

impl ByRow {
    /// The form for arguments of these types, and its position.
    fn chosen(&self, given: &[DataType]) -> Result<(usize, Vec<DataType>, DataType)> {
        let (chosen, wanted, returns) = choose(self.name, &self.forms.signatures, given)?;
        let is_chosen = |signature: &Signature| std::ptr::eq(signature, chosen);
        let place = self.forms.signatures.iter().position(is_chosen).unwrap_or_default();
        Ok((place, wanted, returns))
    }
}

impl ScalarUDFImpl for ByRow {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &EngineSignature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        exec_err!("the type of {} depends on its arguments", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let given: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let (place, wanted, returns) = self.chosen(&given)?;
        let data_type = match self.forms.functions[place].returns {
            Some(of_types) => of_types(&wanted, args.scalar_arguments)?,
            None => returns,
        };
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(self.chosen(given)?.1)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let is_constant = is_constant && self.signature.volatility == Volatility::Immutable;
        let rows = if is_constant { 1 } else { args.number_rows };
        let types: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        let (place, ..) = self.chosen(&types)?;
        let call = Call { types: &types, returns: args.return_field.data_type() };
        let column = self.evaluate(place, &args.args, rows, &call)?;
        if is_constant {
            return ScalarValue::try_from_array(&column, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(column))
    }
}

impl ByRow {
    /// Evaluates the rows. Constants are read once.
    fn evaluate(
        &self,
        place: usize,
        given: &[ColumnarValue],
        rows: usize,
        call: &Call<'_>,
    ) -> Result<ArrayRef> {
        let (function, signature) = (self.forms.functions[place], &self.forms.signatures[place]);
        let (mut values, mut columns) = (vec![Value::Null; given.len()], Vec::new());
        for (place, argument) in given.iter().enumerate() {
            match argument {
                ColumnarValue::Scalar(scalar) => values[place] = Value::of(&scalar.to_array()?, 0)?,
                ColumnarValue::Array(column) => columns.push((place, Value::wide(column)?)),
            }
        }
        let mut results = Vec::with_capacity(rows);
        for row in 0..rows {
            for (place, column) in &columns {
                values[*place].read(column, row)?;
            }
            let is_blind = |(place, value): (usize, &Value)| value.is_null() && !signature.takes_null(place);
            let is_null = values.iter().enumerate().any(is_blind);
            results.push(if is_null { Value::Null } else { (function.evaluate)(&values, call)? });
        }
        Value::column(&results.iter().collect::<Vec<_>>(), call.returns)
    }
}

impl fmt::Debug for ByRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for ByRow {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ByRow {}

impl Hash for ByRow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The text of an argument. Signatures guarantee its type, and that it is not NULL.
fn text(values: &[Value], place: usize) -> &str {
    values.get(place).and_then(Value::text).unwrap_or_default()
}

/// The number of an argument.
fn whole(values: &[Value], place: usize) -> i64 {
    values.get(place).and_then(Value::whole).unwrap_or_default()
}

/// The double of an argument.
fn float(values: &[Value], place: usize) -> f64 {
    values.get(place).and_then(Value::float).unwrap_or_default()
}

/// The bytes of an argument.
fn bytes(values: &[Value], place: usize) -> &[u8] {
    values.get(place).and_then(Value::bytes).unwrap_or_default()
}

/// The elements of an argument.
fn list(values: &[Value], place: usize) -> &[Value] {
    values.get(place).and_then(Value::list).map(Vec::as_slice).unwrap_or_default()
}

/// The entries of an argument.
fn map(values: &[Value], place: usize) -> &[(Value, Value)] {
    values.get(place).and_then(Value::map).map(Vec::as_slice).unwrap_or_default()
}

/// A length or position as Athena counts them.
fn count(number: usize) -> Value {
    Value::Whole(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A count that an argument gives, which must not be negative.
fn size(number: i64, what: &str) -> Result<usize> {
    usize::try_from(number).or_else(|_| exec_err!("{what} must not be negative, but is {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_can_be_read() {
        for (name, forms) in KNOWN.iter() {
            assert!(!forms.signatures.is_empty(), "{name}");
        }
    }
}
