//! Refuses all uses of timestamps with a time zone except a short list, because the engine treats such timestamps differently
//! from Athena. The rule runs after all conversions, so that it sees every use.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, WindowFunctionDefinition};
use datafusion::optimizer::AnalyzerRule;

use super::functions;

/// Functions of the engine that return one of their arguments unchanged, and casts, which check their own types.
const PASSING: [&str; 4] = ["cast", "coalesce", "nullif", "try_cast"];

/// Aggregates and window functions that return an argument unchanged, ignore its value, or compare instants, as Athena's do.
const AGGREGATES: [&str; 13] = [
    "any_value",
    "count",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "max",
    "min",
    "nth_value",
    "ntile",
    "rank",
    "row_number",
];

/// The rule that refuses other uses.
#[derive(Debug)]
pub(super) struct ZonedGate;

impl AnalyzerRule for ZonedGate {
    fn name(&self) -> &'static str {
        "zoned_gate"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|plan| {
            let schema = merge_schema(&plan.inputs());
            plan.apply_expressions(|expression| {
                expression.apply(|expression| {
                    check(expression, &schema)?;
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(plan)
    }
}

/// Whether a type is or holds a timestamp with a zone.
fn is_zoned(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(_, zone) => zone.is_some(),
        DataType::List(element) | DataType::LargeList(element) => is_zoned(element.data_type()),
        DataType::Map(entries, _) => is_zoned(entries.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| is_zoned(field.data_type())),
        _ => false,
    }
}

/// Whether an expression or one of its direct parts has such a type.
fn touches_zone(expression: &Expr, schema: &DFSchema) -> Result<bool> {
    let has_zone = |part: &Expr| part.get_type(schema).is_ok_and(|data_type| is_zoned(&data_type));
    let mut found = has_zone(expression);
    expression.apply_children(|child| {
        found |= has_zone(child);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn check(expression: &Expr, schema: &DFSchema) -> Result<()> {
    if !touches_zone(expression, schema)? {
        return Ok(());
    }
    let name = match expression {
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::Case(_)
        | Expr::ScalarSubquery(_)
        | Expr::HigherOrderFunction(_)
        | Expr::Lambda(_)
        | Expr::LambdaVariable(_)
        | Expr::GroupingSet(_) => return Ok(()),
        Expr::Literal(value, _) => {
            return match value.data_type() {
                DataType::Timestamp(TimeUnit::Millisecond, _) => Ok(()),
                _ => refused("a literal"),
            };
        }
        Expr::ScalarFunction(function) => {
            let name = function.func.name();
            if functions::named(name).is_some() || PASSING.contains(&name) {
                return Ok(());
            }
            name.to_owned()
        }
        Expr::AggregateFunction(function) => function.func.name().to_owned(),
        Expr::WindowFunction(function) => match &function.fun {
            WindowFunctionDefinition::AggregateUDF(function) => function.name().to_owned(),
            WindowFunctionDefinition::WindowUDF(function) => function.name().to_owned(),
        },
        // NULL can have any type.
        Expr::Cast(Cast { expr, .. }) if expr.get_type(schema).is_ok_and(|given| given.is_null()) => {
            return Ok(());
        }
        Expr::Cast(_) | Expr::TryCast(_) => "a conversion".to_owned(),
        other => format!("'{other}'"),
    };
    if AGGREGATES.contains(&name.as_str()) { Ok(()) } else { refused(&name) }
}

fn refused<T>(what: &str) -> Result<T> {
    plan_err!(
        "{what} is not available for a timestamp with time zone: use CAST(... AS timestamp) for its wall clock time"
    )
}
