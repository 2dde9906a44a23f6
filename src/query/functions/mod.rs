//! Functions of Athena that the engine lacks or defines differently, in one table.
//!
//! Each function takes columns of the types that it names, cast if necessary, and returns one column. Functions that only
//! have another spelling are in [`super::rewrite`].

mod calendar;
mod checked;
mod decimals;
mod java;
mod json;
mod lambdas;
mod moment;
mod nested;
mod rows;
mod text;
mod time;
mod url;
mod zoned;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

pub(super) use self::checked::of_operator as checked_operator;
pub(super) use self::decimals::{of_call as decimal_call, of_operator as decimal_operator, takes_doubles};
pub(super) use self::lambdas::Closures;
pub(super) use self::rows::Value;
pub(super) use self::zoned::{AT_TIMEZONE, INSTANT, INSTANTS, WALL_CLOCK, WITH_TIMEZONE};
use super::spellings::SPELLINGS;
use super::ties::WITH_TIES;
use super::types;

/// All functions.
const ALL: [&[Function]; 11] = [
    MARKS,
    calendar::FUNCTIONS,
    checked::FUNCTIONS,
    decimals::FUNCTIONS,
    java::FUNCTIONS,
    json::FUNCTIONS,
    nested::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
    url::FUNCTIONS,
    zoned::FUNCTIONS,
];

/// Marks in statements that the plan must not contain when it runs.
const MARKS: &[Function] = &[Function::new(WITH_TIES, &[Argument::Whole], whole, |_, _| {
    exec_err!("WITH TIES takes a query with ORDER BY, as in Athena")
})];

/// Registers all functions.
pub(super) fn register(context: &SessionContext) -> Result<()> {
    for function in ALL.iter().copied().flatten() {
        context.register_udf(to_udf(function));
    }
    rows::all().for_each(|function| context.register_udf(function));
    lambdas::register(context)
}

/// Functions that the engine defines as Athena does.
pub(super) const SAME: [&str; 73] = [
    "abs",
    "acos",
    "array_agg",
    "asin",
    "atan",
    "atan2",
    "bool_and",
    "bool_or",
    "cbrt",
    "ceil",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "corr",
    "cos",
    "cosh",
    "count",
    "covar_pop",
    "covar_samp",
    "cume_dist",
    "degrees",
    "dense_rank",
    "exp",
    "first_value",
    "floor",
    "greatest",
    "grouping",
    "lag",
    "last_value",
    "lead",
    "least",
    "length",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "percent_rank",
    "pi",
    "power",
    "radians",
    "rank",
    "regexp_like",
    "regr_intercept",
    "regr_slope",
    "replace",
    "round",
    "row_number",
    "rpad",
    "rtrim",
    "sin",
    "sinh",
    "sqrt",
    "starts_with",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "strpos",
    "substr",
    "sum",
    "tan",
    "tanh",
    "translate",
    "trim",
    "upper",
];

/// Returns the names of all functions of Athena, in order.
pub(super) fn names() -> Vec<&'static str> {
    let of_tables = ALL.iter().copied().flatten().map(|function| function.name);
    let by_row = rows::TABLES.iter().filter(|(title, _)| !title.is_empty());
    let by_row = by_row.flat_map(|(_, functions)| functions.iter().map(rows::RowFunction::name));
    let lambdas = lambdas::forms().map(|form| form.split_once('(').map_or(form, |(name, _)| name));
    let spelled = SPELLINGS.iter().map(|(name, ..)| *name);
    let names: std::collections::BTreeSet<&str> =
        SAME.into_iter().chain(of_tables).chain(by_row).chain(lambdas).chain(spelled).collect();
    names.into_iter().filter(|name| !INTERNAL.contains(name)).collect()
}

/// Functions that only rewritten statements call.
const INTERNAL: [&str; 32] = [
    "as_zoned",
    "btrim_blanks",
    "ceil_decimal",
    "divided_decimal",
    "floor_decimal",
    "from_iso8601_instant",
    "from_unixtime_in",
    "json_text_map",
    "ltrim_blanks",
    "mean_of",
    "minus_checked",
    "minus_decimal",
    "modulo_decimal",
    "named_zip",
    "parse_datetime_instant",
    "plus_checked",
    "plus_decimal",
    "round_decimal",
    "round_decimal_to",
    "rtrim_blanks",
    "sign_decimal",
    "substr_from",
    "substr_of",
    "time_field",
    "times_checked",
    "times_decimal",
    "truncate_decimal",
    "truncate_decimal_to",
    "varchar_of",
    INSTANT,
    WALL_CLOCK,
    WITH_TIES,
];

/// Returns the function with a name.
pub(super) fn named(name: &str) -> Option<Arc<ScalarUDF>> {
    let function = ALL.iter().copied().flatten().find(|function| function.name == name).map(to_udf);
    function.or_else(|| rows::named(name)).map(Arc::new)
}

fn to_udf(function: &'static Function) -> ScalarUDF {
    ScalarUDF::from(AthenaFunction { function, signature: Signature::user_defined(Volatility::Immutable) })
}

/// The type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Argument {
    Text,
    Whole,
    Float,
    /// A decimal, or a whole number as one.
    Decimal,
    /// A date, or milliseconds with or without a zone.
    Moment,
    /// Milliseconds with or without a zone, but nothing finer.
    Timestamp,
    List,
    ListOrMap,
    /// Any type.
    Any,
}

/// A function.
struct Function {
    name: &'static str,
    arguments: &'static [Argument],
    /// Whether the whole list of arguments may repeat.
    repeats: bool,
    /// Returns the result type from the argument types and the values of constant arguments.
    return_type: fn(&[FieldRef], &[Option<&ScalarValue>]) -> Result<DataType>,
    evaluate: fn(&[ArrayRef], &DataType) -> Result<ArrayRef>,
}

impl Function {
    const fn new(
        name: &'static str,
        arguments: &'static [Argument],
        return_type: fn(&[FieldRef], &[Option<&ScalarValue>]) -> Result<DataType>,
        evaluate: fn(&[ArrayRef], &DataType) -> Result<ArrayRef>,
    ) -> Self {
        Self { name, arguments, repeats: false, return_type, evaluate }
    }

    const fn repeated(self) -> Self {
        Self { repeats: true, ..self }
    }

    fn coerced(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let count_fits = given.len() == self.arguments.len()
            || self.repeats && given.len().is_multiple_of(self.arguments.len());
        if !count_fits {
            let arguments: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
            return plan_err!(
                "{} takes ({}), but the argument count is {}",
                self.name,
                arguments.join(", "),
                given.len()
            );
        }
        let of_place = |place: usize| self.arguments[place % self.arguments.len()];
        given.iter().enumerate().map(|(place, given)| self.coerced_at(of_place(place), given)).collect()
    }

    fn coerced_at(&self, argument: Argument, given: &DataType) -> Result<DataType> {
        let wanted = match (argument, given) {
            (Argument::Text, _) if is_text(given) => DataType::Utf8,
            (Argument::Whole, _) if given.is_integer() || given.is_null() => DataType::Int64,
            (Argument::Float, _) if given.is_numeric() || given.is_null() => DataType::Float64,
            (Argument::Decimal, _) => match decimals::decimal_of(given) {
                Some(decimal) => decimal,
                None => return plan_err!("{} takes {argument}, not {}", self.name, types::name(given)),
            },
            (Argument::Moment, DataType::Date32) => DataType::Date32,
            (Argument::Moment, DataType::Timestamp(_, zone))
            | (Argument::Timestamp, DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, zone)) => {
                DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
            }
            (Argument::Moment | Argument::Timestamp, DataType::Null) => TIME,
            (Argument::List | Argument::ListOrMap, DataType::List(_) | DataType::Null)
            | (Argument::ListOrMap, DataType::Map(..))
            | (Argument::Any, _) => given.clone(),
            _ => return plan_err!("{} takes {argument}, not {}", self.name, types::name(given)),
        };
        if !can_cast_types(given, &wanted) {
            return plan_err!("{} takes {argument}, not {}", self.name, types::name(given));
        }
        Ok(wanted)
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Whole => "whole number",
            Self::Float => "number",
            Self::Decimal => "decimal",
            Self::Moment => "date or timestamp",
            Self::Timestamp => "timestamp(3)",
            Self::List => "array",
            Self::ListOrMap => "array or map",
            Self::Any => "any",
        })
    }
}

fn is_text(given: &DataType) -> bool {
    match given {
        DataType::Dictionary(_, value) => is_text(value),
        given => given.is_string() || given.is_null(),
    }
}

/// Milliseconds without a zone: the type of all times in the tables.
pub(super) const TIME: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Function::return_type`")]
fn text(_: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Utf8)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Function::return_type`")]
fn whole(_: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Int64)
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Function::return_type`")]
fn time(_: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(TIME)
}

/// Returns the type of the last argument.
fn same_as_last(fields: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    let Some(field) = fields.last() else { return plan_err!("an argument is missing") };
    Ok(field.data_type().clone())
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Function::return_type`")]
fn float(_: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Float64)
}

/// Returns the constant text at a position in the arguments.
fn constant<'a>(scalars: &[Option<&'a ScalarValue>], place: usize) -> Option<&'a str> {
    scalars.get(place).copied().flatten().and_then(ScalarValue::try_as_str).flatten()
}

/// Returns the texts of a column.
fn texts(column: &ArrayRef) -> &StringArray {
    column.as_string::<i32>()
}

/// Returns the text of a row; `None` for NULL.
fn text_at(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// A function as the engine calls it.
struct AthenaFunction {
    function: &'static Function,
    signature: Signature,
}

impl ScalarUDFImpl for AthenaFunction {
    fn name(&self) -> &str {
        self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        exec_err!("the type of {} depends on its arguments", self.function.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = (self.function.return_type)(args.arg_fields, args.scalar_arguments)?;
        Ok(Arc::new(Field::new(self.function.name, data_type, true)))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerced(given)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let column = (self.function.evaluate)(&columns, args.return_field.data_type())?;
        if is_constant {
            return ScalarValue::try_from_array(&column, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(column))
    }
}

impl fmt::Debug for AthenaFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name)
    }
}

impl PartialEq for AthenaFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for AthenaFunction {}

impl Hash for AthenaFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The table of functions in docs/query.md.
    fn page() -> String {
        let mut kinds: Vec<(&str, Vec<String>)> = Vec::new();
        let mut add = |kind: &'static str, name: &str| {
            let name = format!("`{name}`");
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, names)) => names.push(name),
                None => kinds.push((kind, vec![name])),
            }
        };
        for (kind, functions) in rows::TABLES.iter().filter(|(kind, _)| !kind.is_empty()) {
            functions.iter().for_each(|function| add(kind, function.name()));
        }
        lambdas::forms().for_each(|form| add("Lambdas", form));
        for function in ALL.iter().copied().flatten().filter(|function| !INTERNAL.contains(&function.name)) {
            add("Times, URLs and other functions", function.name);
        }
        for (name, ..) in SPELLINGS {
            add("Aggregates and other spellings", name);
        }
        for name in SAME {
            add("The engine's own", name);
        }
        let line = |(kind, mut names): (&str, Vec<String>)| {
            names.sort();
            names.dedup();
            format!("| {kind} | {} |\n", names.join(", "))
        };
        let lines: String = kinds.into_iter().map(line).collect();
        format!("| kind | functions |\n|---|---|\n{lines}")
    }

    /// `UPDATE_DOCS=1` writes the table again.
    #[test]
    fn the_docs_list_the_functions() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/query.md");
        let docs = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = docs.split_once("<!-- functions -->\n\n").unwrap();
        let (table, after) = rest.split_once("\n<!-- end of functions -->").unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let page = page();
            std::fs::write(
                &path,
                format!("{before}<!-- functions -->\n\n{page}\n<!-- end of functions -->{after}"),
            )
            .unwrap();
            return;
        }
        assert_eq!(table, page(), "run the test with UPDATE_DOCS=1");
    }

    #[test]
    fn every_internal_name_is_used_and_every_name_is_one_of_athena() {
        let names = names();
        assert!(names.len() > 250, "{}", names.len());
        for internal in INTERNAL {
            assert!(named(internal).is_some(), "{internal}");
            assert!(!names.contains(&internal), "{internal}");
        }
    }
}
