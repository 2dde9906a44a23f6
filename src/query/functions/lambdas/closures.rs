//! Turns a call with lambdas into a plain function of its arguments and of the columns that the lambdas read.
//!
//! The engine can move plain functions below projections and into scans. It loses the places of a lambda's parameters
//! when it does so with its own kind of call.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_plan::PhysicalExpr;

use super::{Kind, WithLambda};
use crate::query::functions::rows::common;
use crate::query::types;

/// The rule that turns all calls.
#[derive(Debug)]
pub(in crate::query) struct Closures;

impl AnalyzerRule for Closures {
    fn name(&self) -> &'static str {
        "closures"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            let schema = merge_schema(&plan.inputs());
            let names = NamePreserver::new(&plan);
            let plan = plan.map_expressions(|expression| {
                let name = names.save(&expression);
                let closed = expression.transform_up(|expression| closed(expression, &schema))?;
                Ok(closed.update_data(|expression| name.restore(expression)))
            })?;
            if plan.transformed { plan.map_data(LogicalPlan::recompute_schema) } else { Ok(plan) }
        })
        .map(|plan| plan.data)
    }
}

/// Turns one call. Calls within its lambdas are plain functions already.
fn closed(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::HigherOrderFunction(HigherOrderFunction { func, args }) = expression else {
        return Ok(Transformed::no(expression));
    };
    let inner: &dyn Any = func.inner().as_ref();
    let Some(function) = inner.downcast_ref::<WithLambda>() else {
        return plan_err!("{} is not a function of Athena", func.name());
    };
    let is_lambda = |argument: &Expr| matches!(argument, Expr::Lambda(_));
    let (lambdas, mut arguments): (Vec<Expr>, Vec<Expr>) = args.into_iter().partition(is_lambda);
    let types = arguments
        .iter()
        .map(|value| Ok(types::plain(&value.get_type(schema)?)))
        .collect::<Result<Vec<_>>>()?;
    let values = arguments.len();
    let mut bodies: Vec<Body> = Vec::new();
    let mut text = String::new();
    for (place, lambda) in lambdas.into_iter().enumerate() {
        let Expr::Lambda(lambda) = lambda else { continue };
        text += &format!("{lambda:?}");
        let state = bodies.first().and_then(|step| common(types.get(1)?, &step.returns));
        let state = match (function.kind, state) {
            (Kind::Reduce, None) => common(&types[1], &types::plain(&lambda.body.get_type(schema)?)),
            (_, state) => state,
        };
        let parameters =
            function.parameters(&types, state.as_ref()).and_then(|each| each.into_iter().nth(place));
        let Some(parameters) = parameters else { return function.refused() };
        bodies.push(Body::of(lambda, &parameters, &mut arguments, values, schema)?);
    }
    let Some(last) = bodies.last() else { return function.refused() };
    let returns = match function.kind {
        Kind::Each(each) => (each.returns)(&types, &last.returns),
        Kind::Reduce | Kind::Try => last.returns.clone(),
        Kind::SortBy => types[0].clone(),
    };
    let signature = Signature::variadic_any(Volatility::Immutable);
    let closure = Closure { kind: function.kind, values, bodies, returns, text, signature };
    let udf = Arc::new(ScalarUDF::from(closure));
    Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(udf, arguments))))
}

/// The body of a lambda, over the values that it captures and its parameters.
pub(super) struct Body {
    expression: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// The positions of captured values among the arguments.
    captured: Vec<usize>,
    pub(super) parameters: Vec<DataType>,
    pub(super) returns: DataType,
}

impl Body {
    /// Adds the captured values to the arguments, behind the first `values`.
    fn of(
        lambda: Lambda,
        parameters: &[DataType],
        arguments: &mut Vec<Expr>,
        values: usize,
        schema: &DFSchema,
    ) -> Result<Self> {
        let (mut captured, mut fields) = (Vec::new(), Vec::new());
        let own_names = lambda.params;
        let body = lambda.body.transform_down(|part| {
            let is_own = |name: &str| own_names.iter().position(|own| own == name);
            let column = match &part {
                Expr::LambdaVariable(variable) if is_own(&variable.name).is_some() => {
                    format!("p{}", is_own(&variable.name).unwrap_or_default())
                }
                Expr::LambdaVariable(_) | Expr::Column(_) | Expr::OuterReferenceColumn(..) => {
                    let known = arguments.iter().skip(values).position(|known| *known == part);
                    let place = known.map_or(arguments.len(), |known| known + values);
                    if known.is_none() {
                        arguments.push(part.clone());
                    }
                    if !captured.contains(&place) {
                        captured.push(place);
                        fields.push(Field::new(format!("c{place}"), part.get_type(schema)?, true));
                    }
                    format!("c{place}")
                }
                _ => return Ok(Transformed::no(part)),
            };
            Ok(Transformed::new(
                Expr::Column(Column::from_name(column)),
                true,
                datafusion::common::tree_node::TreeNodeRecursion::Jump,
            ))
        })?;
        let own = parameters.iter().take(own_names.len()).enumerate();
        fields.extend(own.map(|(place, kind)| Field::new(format!("p{place}"), kind.clone(), true)));
        let arrow_schema = Arc::new(Schema::new(fields));
        let named = DFSchema::try_from(Arc::clone(&arrow_schema))?;
        let context = SimplifyContext::builder().with_schema(Arc::new(named.clone())).build();
        // Some functions of the engine exist only until they are simplified.
        let body = ExprSimplifier::new(context).simplify(body.data)?;
        let returns = body.get_type(&named)?;
        let expression =
            create_physical_expr(&body, &named, &ExecutionProps::new(), &PhysicalPlanningContext::default())?;
        let parameters = parameters.iter().take(own_names.len()).cloned().collect();
        Ok(Self { expression, schema: arrow_schema, captured, parameters, returns })
    }
}

/// A lambda with the values that it captured.
pub(super) struct Bound<'b> {
    pub(super) body: &'b Body,
    captured: Vec<ArrayRef>,
}

impl Bound<'_> {
    /// Evaluates the lambda for parameters that belong to these rows.
    pub(super) fn evaluate(&self, parameters: Vec<ArrayRef>, origins: &UInt32Array) -> Result<ArrayRef> {
        let count = origins.len();
        let captured = self.captured.iter().map(|column| Ok(take(column, origins, None)?));
        let columns = captured.chain(parameters.into_iter().take(self.body.parameters.len()).map(Ok));
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.body.schema), columns, &options)?;
        self.body.expression.evaluate(&batch)?.into_array(count)
    }
}

/// A call with lambdas as a plain function.
struct Closure {
    kind: Kind,
    values: usize,
    bodies: Vec<Body>,
    returns: DataType,
    /// The lambdas, which tell two calls apart.
    text: String,
    signature: Signature,
}

impl ScalarUDFImpl for Closure {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let columns = args.args.iter().map(|value| value.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let bound = self.bodies.iter().map(|body| {
            // The engine may store a column in another way than when the statement was planned.
            let captured = body.captured.iter().zip(body.schema.fields()).map(|(place, field)| {
                let column = &columns[*place];
                let is_same = column.data_type() == field.data_type();
                if is_same {
                    Ok(Arc::clone(column))
                } else {
                    Ok(arrow::compute::cast(column, field.data_type())?)
                }
            });
            Ok(Bound { body, captured: captured.collect::<Result<Vec<_>>>()? })
        });
        let bound = bound.collect::<Result<Vec<_>>>()?;
        super::called_by_kind(self.kind, &columns[..self.values], &bound, rows, &self.returns)
            .map(ColumnarValue::Array)
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.kind.name(), self.text)
    }
}

impl PartialEq for Closure {
    fn eq(&self, other: &Self) -> bool {
        self.kind.name() == other.kind.name() && self.text == other.text
    }
}

impl Eq for Closure {}

impl Hash for Closure {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
