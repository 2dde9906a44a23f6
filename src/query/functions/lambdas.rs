//! Functions of Athena that take lambdas, and `TRY`.
//!
//! A function cuts its arguments into parameters of the lambda, one tuple for each call. The lambda is evaluated once for
//! the tuples of all rows, and the function makes one value of its results for each row.

mod closures;
mod folds;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, exec_err, plan_err};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use self::closures::Bound;
pub(in crate::query) use self::closures::Closures;
use super::rows::{Value, common};
use crate::query::types;

/// The parameters of a lambda for one call.
type Tuple = Vec<Value>;

/// A function with one lambda.
struct LambdaFunction {
    /// Its form in Athena, for docs/query.md.
    form: &'static str,
    /// The number of arguments before the lambda.
    values: usize,
    /// Returns the types of the lambda's parameters from those of the arguments.
    parameters: fn(&[DataType]) -> Option<Vec<DataType>>,
    /// Returns the result type from the types of the arguments and of the lambda's result.
    returns: fn(&[DataType], &DataType) -> DataType,
    tuples: fn(&[Value]) -> Vec<Tuple>,
    /// Makes the result of one row from its arguments and the results of the lambda.
    join: fn(&[Value], Vec<Value>) -> Result<Value>,
}

const FUNCTIONS: &[LambdaFunction] = folds::FUNCTIONS;

impl LambdaFunction {
    fn name(&self) -> &'static str {
        self.form.split_once('(').map_or(self.form, |(name, _)| name)
    }
}

/// The forms of all functions with lambdas, for docs/query.md.
pub(super) fn forms() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.form).chain([REDUCE, SORT_BY, TRY])
}

const REDUCE: &str = "reduce(array, initial, (state, element) -> state, state -> result)";
const SORT_BY: &str = "array_sort(array, (one, other) -> order)";
const TRY: &str = "try(expression)";

/// Registers all functions.
pub(super) fn register(context: &SessionContext) -> Result<()> {
    let kinds = FUNCTIONS.iter().map(Kind::Each).chain([Kind::Reduce, Kind::SortBy, Kind::Try]);
    for kind in kinds {
        let signature = HigherOrderSignature::user_defined(Volatility::Immutable);
        let function = Arc::new(HigherOrderUDF::new_from_impl(WithLambda { kind, signature }));
        context.state_ref().write().register_higher_order_function(function)?;
    }
    Ok(())
}

/// How a function calls its lambdas.
#[derive(Clone, Copy)]
enum Kind {
    Each(&'static LambdaFunction),
    Reduce,
    SortBy,
    Try,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Each(function) => function.name(),
            Self::Reduce => "reduce",
            Self::SortBy => "array_sort_by",
            Self::Try => "try_of",
        }
    }

    /// The number of values and of lambdas.
    fn arguments(self) -> (usize, usize) {
        match self {
            Self::Each(function) => (function.values, 1),
            Self::Reduce => (2, 2),
            Self::SortBy | Self::Try => (1, 1),
        }
    }
}

struct WithLambda {
    kind: Kind,
    signature: HigherOrderSignature,
}

impl std::fmt::Debug for WithLambda {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.name())
    }
}

impl PartialEq for WithLambda {
    fn eq(&self, other: &Self) -> bool {
        self.kind.name() == other.kind.name()
    }
}

impl Eq for WithLambda {}

impl Hash for WithLambda {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.name().hash(state);
    }
}

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn element_of(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::List(element) => Some(element.data_type().clone()),
        DataType::Null => Some(DataType::Null),
        _ => None,
    }
}

/// The types of a map's keys and values.
fn sides_of(data_type: &DataType) -> Option<[DataType; 2]> {
    let DataType::Map(entries, _) = data_type else { return None };
    let DataType::Struct(sides) = entries.data_type() else { return None };
    Some([sides[0].data_type().clone(), sides[1].data_type().clone()])
}

impl WithLambda {
    fn refused<T>(&self) -> Result<T> {
        let form = forms()
            .find(|form| form.starts_with(self.kind.name().trim_end_matches("_by").trim_end_matches("_of")));
        plan_err!("the arguments do not fit: write {}", form.unwrap_or_default())
    }

    /// The types of the parameters of each lambda. `state` is the type of the states of `reduce`.
    fn parameters(&self, values: &[DataType], state: Option<&DataType>) -> Option<Vec<Vec<DataType>>> {
        Some(match self.kind {
            Kind::Each(function) => vec![(function.parameters)(values)?],
            Kind::Reduce => {
                let state = state.unwrap_or(&values[1]).clone();
                vec![vec![state.clone(), element_of(&values[0])?], vec![state]]
            }
            Kind::SortBy => vec![vec![element_of(&values[0])?; 2]],
            Kind::Try => vec![vec![DataType::Boolean]],
        })
    }
}

/// Refuses a state of `reduce` that gets more digits with each step.
fn refuse_growing_decimal(initial: &DataType, step: &DataType) -> Result<()> {
    if initial == step || !initial.is_decimal() && !step.is_decimal() {
        return Ok(());
    }
    plan_err!(
        "the state of reduce changes from {} to {}, which Athena refuses: begin with a double, for example 0e0",
        types::name(initial),
        types::name(step)
    )
}

fn values_of<V, L>(arguments: &[ValueOrLambda<V, L>]) -> impl Iterator<Item = &V> {
    arguments.iter().filter_map(|argument| match argument {
        ValueOrLambda::Value(value) => Some(value),
        ValueOrLambda::Lambda(_) => None,
    })
}

fn lambdas_of<V, L>(arguments: &[ValueOrLambda<V, L>]) -> impl Iterator<Item = &L> {
    arguments.iter().filter_map(|argument| match argument {
        ValueOrLambda::Lambda(lambda) => Some(lambda),
        ValueOrLambda::Value(_) => None,
    })
}

impl HigherOrderUDFImpl for WithLambda {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn lambda_parameters(
        &self,
        _: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let values: Vec<DataType> = values_of(fields).map(|field| types::plain(field.data_type())).collect();
        let lambdas: Vec<&Option<FieldRef>> = lambdas_of(fields).collect();
        if (values.len(), lambdas.len()) != self.kind.arguments() {
            return self.refused();
        }
        let of_step = lambdas[0].as_ref().map(|field| field.data_type());
        // The first step of `reduce` may widen the initial state.
        if let (Some(step), Some(initial)) = (of_step, values.get(1)) {
            refuse_growing_decimal(initial, &types::plain(step))?;
        }
        let state = of_step.and_then(|step| common(values.get(1)?, &types::plain(step)));
        let Some(parameters) = self.parameters(&values, state.as_ref()) else { return self.refused() };
        let named =
            parameters.into_iter().map(|types| types.into_iter().map(|kind| field("x", kind)).collect());
        let named: Vec<Vec<FieldRef>> = named.collect();
        Ok(match self.kind {
            Kind::Reduce if of_step.is_none() => {
                LambdaParametersProgress::Partial(vec![named.into_iter().next(), None])
            }
            _ => LambdaParametersProgress::Complete(named),
        })
    }

    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let values: Vec<DataType> =
            values_of(args.arg_fields).map(|field| field.data_type().clone()).collect();
        let Some(result) = lambdas_of(args.arg_fields).last().map(|field| field.data_type()) else {
            return self.refused();
        };
        let data_type = match self.kind {
            Kind::Each(function) => (function.returns)(&values, result),
            Kind::Reduce | Kind::Try => result.clone(),
            Kind::SortBy => values[0].clone(),
        };
        Ok(field(self.kind.name(), data_type))
    }

    fn coerce_value_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.iter().map(types::plain).collect())
    }

    fn clear_null_values(&self) -> bool {
        false
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{} was not turned into a plain function: {} arguments", self.kind.name(), args.args.len())
    }
}

/// Evaluates a call whose lambdas have their captured values.
fn called_by_kind(
    kind: Kind,
    columns: &[ArrayRef],
    lambdas: &[Bound<'_>],
    rows: usize,
    returns: &DataType,
) -> Result<ArrayRef> {
    // A constant argument may still be a dictionary or a view.
    let plain = |column: &ArrayRef| Ok(cast(column, &types::plain(column.data_type()))?);
    let columns = columns.iter().map(plain).collect::<Result<Vec<_>>>()?;
    match (kind, lambdas) {
        (Kind::Each(function), [lambda]) => each(function, &columns, lambda, rows, returns),
        (Kind::Reduce, [step, last]) => folds::reduce(&columns, [step, last], rows, returns),
        (Kind::SortBy, [lambda]) => folds::sort_by(&columns[0], lambda, returns),
        (Kind::Try, [lambda]) => attempt(lambda, rows, returns),
        _ => exec_err!("{} has {} lambdas", kind.name(), lambdas.len()),
    }
}

/// Evaluates a lambda once for each tuple. `origins` are the rows of the tuples.
fn called(lambda: &Bound<'_>, tuples: &[Tuple], types: &[DataType], origins: Vec<u32>) -> Result<Vec<Value>> {
    if tuples.is_empty() {
        return Ok(Vec::new());
    }
    let parameter = |(place, kind): (usize, &DataType)| -> Result<ArrayRef> {
        let cells: Vec<&Value> = tuples.iter().map(|tuple| &tuple[place]).collect();
        Value::column(&cells, kind)
    };
    let parameters = types.iter().enumerate().map(parameter).collect::<Result<Vec<_>>>()?;
    let results = lambda.evaluate(parameters, &UInt32Array::from(origins))?;
    (0..tuples.len()).map(|at| Value::of(&results, at)).collect()
}

fn row_number(row: usize) -> Result<u32> {
    u32::try_from(row).or_else(|_| exec_err!("a batch has too many rows"))
}

fn each(
    function: &LambdaFunction,
    columns: &[ArrayRef],
    lambda: &Bound<'_>,
    rows: usize,
    returns: &DataType,
) -> Result<ArrayRef> {
    let types: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
    let Some(parameters) = (function.parameters)(&types) else {
        return plan_err!("the arguments do not fit");
    };
    let (mut tuples, mut origins, mut arguments) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let values = columns.iter().map(|column| Value::of(column, row)).collect::<Result<Vec<_>>>()?;
        let own = if values.iter().any(Value::is_null) { Vec::new() } else { (function.tuples)(&values) };
        origins.extend(std::iter::repeat_n(row_number(row)?, own.len()));
        arguments.push((values, own.len()));
        tuples.extend(own);
    }
    let mut results = called(lambda, &tuples, &parameters, origins)?.into_iter();
    let joined = arguments.into_iter().map(|(values, count)| {
        let own: Vec<Value> = results.by_ref().take(count).collect();
        if values.iter().any(Value::is_null) { Ok(Value::Null) } else { (function.join)(&values, own) }
    });
    let joined = joined.collect::<Result<Vec<_>>>()?;
    Value::column(&joined.iter().collect::<Vec<_>>(), returns)
}

/// Evaluates an expression, with NULL in the rows in which it fails.
fn attempt(lambda: &Bound<'_>, rows: usize, returns: &DataType) -> Result<ArrayRef> {
    let of_rows = |first: usize, count: usize| -> Result<ArrayRef> {
        let unused: ArrayRef = new_null_array(&DataType::Boolean, count);
        let origins = (first..first + count).map(row_number).collect::<Result<Vec<_>>>()?;
        lambda.evaluate(vec![unused], &UInt32Array::from(origins))
    };
    match of_rows(0, rows) {
        Err(error) if is_of_value(&error) => {}
        whole => return whole,
    }
    let one = |row: usize| match of_rows(row, 1) {
        Err(error) if is_of_value(&error) => Ok(new_null_array(returns, 1)),
        cell => cell,
    };
    let cells = (0..rows).map(one).collect::<Result<Vec<_>>>()?;
    let cells: Vec<&dyn Array> = cells.iter().map(AsRef::as_ref).collect();
    Ok(concat(&cells)?)
}

/// Whether an error is about the values of a row, not about memory or files.
fn is_of_value(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::Execution(_) | DataFusionError::ArrowError(..))
}
