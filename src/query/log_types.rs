//! The tables of a log type as one relation, whatever their names and the naming of their columns.
//!
//! The views of `glue/sql` name the default table of a log type and its snake columns. They are planned over this relation,
//! so that they also read tables with other names and tables with compact columns. [`LOG_TABLE`] is the table of a row.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column as ColumnName, Result, ScalarValue};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, GroupByExpr, Ident, Select, SelectItem, SetExpr, Statement as SqlStatement, TableFactor,
};

use super::table::as_view;
use crate::dataset::{self, Dataset};
use crate::store::lake::PARTITION_KEY;
use crate::table::{Column, Naming};

/// The column with the table of a row. No log type has a column of this name.
pub(super) const LOG_TABLE: &str = "log_table";

/// What the name of a relation adds to the default table of its log type.
const PREFIX: &str = "all_";

/// The name of the relation over all tables of a log type.
pub(super) fn relation_of(log_type: &dyn Dataset) -> String {
    format!("{PREFIX}{}", log_type.default_table())
}

/// The log type of a relation.
pub(super) fn of_relation(name: &str) -> Option<&'static dyn Dataset> {
    of_default_table(name.strip_prefix(PREFIX)?)
}

/// The log type whose default table has a name.
pub(super) fn of_default_table(name: &str) -> Option<&'static dyn Dataset> {
    dataset::all().find(|log_type| log_type.default_table() == name)
}

/// Whether a table has every column of its log type, under any naming.
pub(super) fn is_complete(schema: &Schema, log_type: &dyn Dataset) -> bool {
    let columns = log_type.schema(Naming::Snake, &[]).columns;
    columns.iter().all(|column| !names_in(schema, column).is_empty())
}

/// Builds the relation: the columns of the log type under their snake names, `proc_ymd`, and [`LOG_TABLE`].
pub(super) fn relation(
    log_type: &dyn Dataset,
    tables: Vec<(String, Arc<dyn TableProvider>)>,
) -> Result<Arc<dyn TableProvider>> {
    let columns = log_type.schema(Naming::Snake, &[]).columns;
    let mut plans = tables.into_iter().map(|(name, provider)| one_table(&name, provider, &columns));
    let first = plans.next().unwrap_or_else(|| LogicalPlanBuilder::empty(false).build())?;
    let whole = plans.try_fold(first, |whole, plan| LogicalPlanBuilder::from(whole).union(plan?)?.build())?;
    Ok(Arc::new(ViewTable::new(whole, None)))
}

fn one_table(name: &str, provider: Arc<dyn TableProvider>, columns: &[Column]) -> Result<LogicalPlan> {
    let schema = provider.schema();
    let mut selected =
        columns.iter().map(|column| expression(&schema, column)).collect::<Result<Vec<Expr>>>()?;
    selected.push(named(PARTITION_KEY));
    selected.push(lit(name).alias(LOG_TABLE));
    LogicalPlanBuilder::scan(name, provider_as_source(provider), None)?.project(selected)?.build()
}

/// Returns the value of a column of the log type, which the days of a table can store under either name.
fn expression(schema: &Schema, column: &Column) -> Result<Expr> {
    let expected = as_view(column.field(Naming::Snake));
    let stored = names_in(schema, column).into_iter().map(|name| {
        let is_expected = schema.field_with_name(&name)?.data_type() == expected.data_type();
        let value = named(&name);
        Ok(if is_expected { value } else { cast(value, expected.data_type().clone()) })
    });
    let mut stored = stored.collect::<Result<Vec<Expr>>>()?;
    let value = match (stored.pop(), stored.is_empty()) {
        (None, _) => null(expected.data_type())?,
        (Some(value), true) => value,
        (Some(last), false) => coalesce(stored.into_iter().chain([last]).collect()),
    };
    Ok(value.alias(expected.name().as_str()))
}

/// The names that a table has for a column: one, or two if days differ in their naming.
fn names_in(schema: &Schema, column: &Column) -> Vec<String> {
    let mut names: Vec<String> =
        [Naming::Snake, Naming::Compact].map(|naming| column.named(naming).into_owned()).into();
    names.dedup();
    names.retain(|name| schema.column_with_name(name).is_some());
    names
}

fn named(column: &str) -> Expr {
    Expr::Column(ColumnName::from_name(column))
}

fn null(data_type: &DataType) -> Result<Expr> {
    Ok(lit(ScalarValue::try_from(data_type)?))
}

/// Adds [`LOG_TABLE`] to the columns of a view if each of its rows is a row of a log. Returns whether it does.
pub(super) fn show_log_table(statement: &mut Statement) -> bool {
    let Statement::Statement(statement) = statement else { return false };
    let SqlStatement::Query(query) = statement.as_mut() else { return false };
    if query.with.is_some() || selects(&mut query.body, &mut is_of_rows).is_break() {
        return false;
    }
    let add = &mut |select: &mut Select| {
        select.projection.push(SelectItem::UnnamedExpr(SqlExpr::Identifier(Ident::new(LOG_TABLE))));
        ControlFlow::Continue(())
    };
    selects(&mut query.body, add).is_continue()
}

/// Visits the selects of a query and of its unions. Breaks at any other form.
fn selects(body: &mut SetExpr, visit: &mut impl FnMut(&mut Select) -> ControlFlow<()>) -> ControlFlow<()> {
    match body {
        SetExpr::Select(select) => visit(select),
        SetExpr::SetOperation { left, right, .. } => {
            selects(left, visit)?;
            selects(right, visit)
        }
        _ => ControlFlow::Break(()),
    }
}

/// Continues if a select reads one table and neither groups nor removes rows that repeat.
fn is_of_rows(select: &mut Select) -> ControlFlow<()> {
    let is_of_one_table = matches!(select.from.as_slice(), [from]
        if from.joins.is_empty() && matches!(from.relation, TableFactor::Table { .. }));
    let groups = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    if is_of_one_table && !groups && select.distinct.is_none() {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Otherwise the snake name of one column would be read as the compact name of another.
    #[test]
    fn no_two_columns_of_a_log_type_share_a_name() {
        for log_type in dataset::all() {
            let mut taken = BTreeSet::from([LOG_TABLE.to_owned(), PARTITION_KEY.to_owned()]);
            for column in log_type.schema(Naming::Snake, &[]).columns {
                let names: BTreeSet<String> =
                    [Naming::Snake, Naming::Compact].map(|naming| column.named(naming).into_owned()).into();
                assert!(names.is_disjoint(&taken), "{}: {names:?}", log_type.name());
                taken.extend(names);
            }
        }
    }

    #[test]
    fn the_name_of_a_relation_names_its_log_type() {
        for log_type in dataset::all() {
            let name = relation_of(log_type);
            assert_eq!(of_relation(&name).map(Dataset::name), Some(log_type.name()));
            assert!(of_default_table(&name).is_none(), "{name} is a default table");
        }
        assert!(of_relation("all_x").is_none() && of_relation("cloudtrail").is_none());
    }
}
