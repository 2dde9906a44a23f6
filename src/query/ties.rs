//! `FETCH FIRST n ROWS WITH TIES`: the first rows, and all further rows with the same place in the order as the last of them.
//!
//! In the text of a statement it becomes `LIMIT with_ties(n)`, and in the plan, a condition on the rank of a row.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_window::expr_fn::rank;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Limit, LogicalPlan, LogicalPlanBuilder, Projection, Sort, ident, lit,
};

use super::outputs::nameless;

/// The function that marks a number of rows.
pub(super) const WITH_TIES: &str = "with_ties";

/// Replaces the marked limits of a plan.
pub(super) fn resolved(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Limit(limit) => of_limit(limit),
        other => Ok(Transformed::no(other)),
    })
    .map(|plan| plan.data)
}

fn of_limit(limit: Limit) -> Result<Transformed<LogicalPlan>> {
    let Limit { skip, fetch, input } = limit;
    let Some(count) = fetch.as_deref().and_then(marked) else {
        return Ok(Transformed::no(LogicalPlan::Limit(Limit { skip, fetch, input })));
    };
    let most = whole(count)?.saturating_add(skip.as_deref().map_or(Ok(0), whole)?);
    let input = Arc::new(ranked(Arc::unwrap_or_clone(input), most)?);
    Ok(Transformed::yes(match skip {
        Some(_) => LogicalPlan::Limit(Limit { skip, fetch: None, input }),
        None => Arc::unwrap_or_clone(input),
    }))
}

fn marked(fetch: &Expr) -> Option<&Expr> {
    match fetch {
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == WITH_TIES => args.first(),
        _ => None,
    }
}

fn whole(number: &Expr) -> Result<u64> {
    let number = match number {
        Expr::Literal(ScalarValue::Int64(Some(number)), _) => u64::try_from(*number).ok(),
        Expr::Literal(ScalarValue::UInt64(Some(number)), _) => Some(*number),
        _ => None,
    };
    number.map_or_else(|| plan_err!("WITH TIES takes a whole number of rows"), Ok)
}

/// Keeps the rows of a sorted plan up to a rank.
fn ranked(plan: LogicalPlan, most: u64) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(Sort { expr, input, .. }) => {
            let name = nameless("rank");
            let own = input.schema().columns().into_iter().map(Expr::Column);
            let rank = rank().order_by(expr.clone()).build()?.alias(&name);
            LogicalPlanBuilder::from(Arc::unwrap_or_clone(input))
                .window(vec![rank])?
                .filter(ident(&name).lt_eq(lit(most)))?
                .sort(expr)?
                .project(own)?
                .build()
        }
        LogicalPlan::Projection(Projection { expr, input, .. }) => {
            let input = ranked(Arc::unwrap_or_clone(input), most)?;
            Ok(LogicalPlan::Projection(Projection::try_new(expr, Arc::new(input))?))
        }
        _ => plan_err!("WITH TIES takes a query with ORDER BY, as in Athena"),
    }
}
