//! What the inputs of a plan must be for its answer to be Athena's: joins, unions, and conditions with subqueries.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinConstraint, JoinType, Result, plan_err};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Union};

use super::families::{Purpose, refuse_mixed, refuse_unlike};
use super::instants::unzoned_if;

/// What is compared between the inputs of a plan.
pub(super) fn of_inputs(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(filter) => {
            refuse_blind_subqueries(&filter.predicate)?;
            Ok(LogicalPlan::Filter(filter))
        }
        LogicalPlan::Join(mut join) => {
            if join.join_constraint == JoinConstraint::Using
                && matches!(join.join_type, JoinType::Right | JoinType::Full)
            {
                return plan_err!(
                    "USING and NATURAL are not available for RIGHT and FULL JOIN: write ON a.x = b.x, and coalesce(a.x, b.x)"
                );
            }
            join.filter.iter().try_for_each(refuse_blind_subqueries)?;
            let (left, right) = (join.left.schema(), join.right.schema());
            let pairs = join.on.into_iter().map(|(one, other)| {
                let (of_left, of_right) = (one.get_type(left)?, other.get_type(right)?);
                refuse_mixed(&of_left, &of_right, Purpose::Comparison)?;
                let apart = of_left != of_right;
                Ok((unzoned_if(one, apart, &of_left)?, unzoned_if(other, apart, &of_right)?))
            });
            join.on = pairs.collect::<Result<_>>()?;
            Ok(LogicalPlan::Join(join))
        }
        LogicalPlan::Union(union) => {
            refuse_mixed_union(&union)?;
            Ok(LogicalPlan::Union(union))
        }
        other => Ok(other),
    }
}

/// The engine takes `IN` over a subquery for false where it is NULL, unless it is a condition of its own: that is refused
/// where it matters.
fn refuse_blind_subqueries(condition: &Expr) -> Result<()> {
    split_conjunction(condition).into_iter().try_for_each(|condition| match condition {
        Expr::Not(inside) if matches!(inside.as_ref(), Expr::InSubquery(_)) => refuse_constant_side(inside),
        Expr::InSubquery(_) => refuse_constant_side(condition),
        other => refuse_below(other, true),
    })
}

fn refuse_constant_side(condition: &Expr) -> Result<()> {
    match condition {
        Expr::InSubquery(subquery) if !subquery.expr.any_column_refs() => {
            plan_err!(
                "a constant cannot be looked for in a subquery here: write EXISTS (SELECT ... WHERE ...)"
            )
        }
        _ => Ok(()),
    }
}

/// Below `OR` false and NULL are one, but no longer below anything else.
fn refuse_below(condition: &Expr, is_one: bool) -> Result<()> {
    match condition {
        Expr::InSubquery(subquery) if subquery.negated || !is_one => plan_err!(
            "IN over a subquery is known as a condition of its own: write EXISTS or NOT EXISTS (SELECT ... WHERE ...) instead"
        ),
        condition => {
            let is_one = is_one
                && matches!(condition, Expr::BinaryExpr(BinaryExpr { op: Operator::Or | Operator::And, .. }));
            condition.apply_children(|child| {
                refuse_below(child, is_one)?;
                Ok(TreeNodeRecursion::Continue)
            })?;
            Ok(())
        }
    }
}

fn refuse_mixed_union(union: &Union) -> Result<()> {
    let Some((first, others)) = union.inputs.split_first() else { return Ok(()) };
    for other in others {
        for (one, other) in first.schema().fields().iter().zip(other.schema().fields()) {
            refuse_unlike(one.data_type(), other.data_type())?;
        }
    }
    Ok(())
}
