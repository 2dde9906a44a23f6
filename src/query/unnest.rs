//! `UNNEST` in every form: alone, after a table by comma, `CROSS JOIN` or `LEFT JOIN ... ON true`, over several arrays and
//! maps, and `WITH ORDINALITY`.
//!
//! The arrays of one `UNNEST` become one array of rows, which the engine can unnest. If they come from the tables before it,
//! the join is replaced: its left side gets that array as a further column.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, NullHandling, Result, ScalarValue, UnnestOptions, plan_err};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{
    Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Projection, Subquery, lit,
};
use datafusion::sql::sqlparser::ast::{TableAlias, TableFactor};

use super::functions;
use super::outputs::nameless;

/// The column of the array of rows.
const ROWS: &str = "\u{1f}rows";

/// Plans `UNNEST` in `FROM`.
#[derive(Debug)]
pub(super) struct UnnestPlanner;

impl RelationPlanner for UnnestPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } = relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let empty = datafusion::common::DFSchema::empty();
        let mut arguments = vec![lit(with_ordinality)];
        for array in array_exprs {
            arguments.push(context.sql_to_expr(array, &empty)?);
        }
        let alias = Named::of(alias, context);
        let start = LogicalPlanBuilder::empty(true).build()?;
        let plan = unnested(start, rows_of(arguments)?, &alias, false)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

/// The name of the relation and of its columns.
#[derive(Debug, Clone, Default)]
struct Named {
    relation: Option<String>,
    columns: Vec<String>,
}

impl Named {
    fn of(alias: Option<TableAlias>, context: &dyn RelationPlannerContext) -> Self {
        let Some(alias) = alias else { return Self::default() };
        let columns = alias.columns.into_iter().map(|column| context.normalize_ident(column.name)).collect();
        Self { relation: Some(context.normalize_ident(alias.name)), columns }
    }
}

fn rows_of(arguments: Vec<Expr>) -> Result<Expr> {
    let Some(function) = functions::named("unnest_rows") else {
        return plan_err!("unknown function unnest_rows");
    };
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments)))
}

/// Adds the cells of an array of rows to each row of a plan. `keeps_empty` keeps rows whose array is empty.
fn unnested(before: LogicalPlan, rows: Expr, named: &Named, keeps_empty: bool) -> Result<LogicalPlan> {
    let own: Vec<Expr> = before.schema().columns().into_iter().map(Expr::Column).collect();
    let rows_text = rows.to_string();
    let nulls = if keeps_empty { NullHandling::Preserve } else { NullHandling::Drop };
    let plan = LogicalPlanBuilder::from(before)
        .project(own.iter().cloned().chain([rows.alias(ROWS)]))?
        .unnest_columns_with_options(
            vec![Column::from_name(ROWS)],
            UnnestOptions::new().with_null_handling(nulls),
        )?
        .build()?;
    let field = plan.schema().field_with_unqualified_name(ROWS)?;
    let arrow::datatypes::DataType::Struct(cells) = field.data_type().clone() else {
        return plan_err!("UNNEST has no columns");
    };
    if !named.columns.is_empty() && named.columns.len() != cells.len() {
        return plan_err!("UNNEST has {} columns here, but {} names", cells.len(), named.columns.len());
    }
    let own_name = |place: usize| nameless(&format!("{place} of {rows_text}"));
    let cells = cells.iter().enumerate().map(|(place, cell)| {
        let name = named.columns.get(place).cloned().unwrap_or_else(|| own_name(place));
        let value = Expr::Column(Column::from_name(ROWS)).field(cell.name().as_str());
        value.alias_qualified(named.relation.clone(), name)
    });
    LogicalPlanBuilder::from(plan).project(own.into_iter().chain(cells))?.build()
}

/// Replaces joins with an `UNNEST` that reads columns of their left side.
pub(super) fn joined(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Join(join) => of_join(join),
        other => Ok(Transformed::no(other)),
    })
    .map(|plan| plan.data)
}

fn of_join(join: Join) -> Result<Transformed<LogicalPlan>> {
    let Some((rows, named)) = lateral(&join.right) else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    let inner = rows_with_columns(rows)?;
    let left = Arc::unwrap_or_clone(join.left);
    let is_true = |filter: &Expr| matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    let condition = join.filter.filter(|filter| !is_true(filter));
    match (join.join_type, condition) {
        _ if !join.on.is_empty() => plan_err!("UNNEST can be joined with ON true only"),
        (JoinType::Inner, None) => Ok(Transformed::yes(unnested(left, inner, &named, false)?)),
        (JoinType::Inner, Some(condition)) => {
            let plan = unnested(left, inner, &named, false)?;
            Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?)))
        }
        (JoinType::Left, None) => Ok(Transformed::yes(unnested(left, inner, &named, true)?)),
        (JoinType::Left, Some(_)) => plan_err!("LEFT JOIN UNNEST takes ON true only, as in Athena"),
        _ => plan_err!("UNNEST can be on the right side of CROSS JOIN and LEFT JOIN only"),
    }
}

/// Finds the arrays of an `UNNEST` that reads columns of an outer relation, and its names.
fn lateral(plan: &LogicalPlan) -> Option<(Expr, Named)> {
    let LogicalPlan::Subquery(Subquery { subquery, .. }) = plan else { return None };
    let LogicalPlan::Projection(Projection { input, schema, .. }) = subquery.as_ref() else { return None };
    let LogicalPlan::Unnest(unnest) = input.as_ref() else { return None };
    let LogicalPlan::Projection(Projection { expr, .. }) = unnest.input.as_ref() else { return None };
    let rows = expr.iter().find_map(|expression| match expression {
        Expr::Alias(alias) if alias.name == ROWS => Some(alias.expr.as_ref().clone()),
        _ => None,
    })?;
    let relation = schema.iter().find_map(|(relation, _)| Some(relation?.table().to_owned()));
    let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
    Some((rows, Named { relation, columns }))
}

/// Turns references to an outer relation into columns.
fn rows_with_columns(rows: Expr) -> Result<Expr> {
    let inner = rows.transform(|expression| match expression {
        Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(inner.data)
}
