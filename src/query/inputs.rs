//! Checks the inputs of a plan for differences from Athena: joins, unions, and conditions with subqueries.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinConstraint, JoinType, Result, plan_err};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Union};

use super::families::{Purpose, refuse_mixed, refuse_unlike};
use super::instants::unzoned_if;

/// Checks the values that a plan compares or combines between its inputs.
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
                    "USING and NATURAL are not available for RIGHT and FULL JOIN: use ON a.x = b.x and coalesce(a.x, b.x)"
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

/// Refuses `IN` over a subquery if NULL matters there. Unless it is a separate condition, the engine counts NULL as false.
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
            plan_err!("cannot look for a constant in a subquery here: use EXISTS (SELECT ... WHERE ...)")
        }
        _ => Ok(()),
    }
}

/// Refuses `IN` over a subquery below other operators. Only below `OR` and `AND`, NULL and false have the same effect.
fn refuse_below(condition: &Expr, null_is_false: bool) -> Result<()> {
    match condition {
        Expr::InSubquery(subquery) if subquery.negated || !null_is_false => plan_err!(
            "IN over a subquery must be a separate condition: use EXISTS or NOT EXISTS (SELECT ... WHERE ...) instead"
        ),
        condition => {
            let null_is_false = null_is_false
                && matches!(condition, Expr::BinaryExpr(BinaryExpr { op: Operator::Or | Operator::And, .. }));
            condition.apply_children(|child| {
                refuse_below(child, null_is_false)?;
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
