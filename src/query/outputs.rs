//! Names of output columns. Athena lets two columns of a result have one name; the engine does not.

use std::collections::{BTreeMap, HashSet};

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, Expr, Ident, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement as SqlStatement, TableFactor, Value, ValueWithSpan, VisitMut, VisitorMut,
};

use super::table::FILE_COLUMNS;

/// The sign before the number of a repeated name.
const SIGN: char = '\u{1f}';

/// Gives the repeated columns of a statement names of their own. Returns the names to show instead.
pub(super) fn apart(statement: &mut Statement) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let Statement::Statement(statement) = statement else { return shown };
    let SqlStatement::Query(query) = statement.as_mut() else { return shown };
    let Query { body, order_by, .. } = query.as_mut();
    let SetExpr::Select(select) = body.as_mut() else { return shown };
    let ordered = order_by.as_mut().map(|order| ordered_by_place(order, select)).unwrap_or_default();
    shown.extend(ordered);
    let mut known: HashSet<String> = HashSet::new();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let (expression, name) = match item {
            SelectItem::UnnamedExpr(expression) => (expression.clone(), name_of(expression)),
            SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), alias.value.to_lowercase()),
            _ => continue,
        };
        if known.insert(name.clone()) {
            continue;
        }
        let own = format!("{name}{SIGN}{place}");
        *item = SelectItem::ExprWithAlias { expr: expression, alias: Ident::with_quote('"', own.as_str()) };
        shown.insert(own, name);
    }
    shown
}

/// Aggregates that the engine can order by their place.
const PLAIN: [&str; 8] = ["approx_distinct", "array_agg", "avg", "count", "first_value", "max", "min", "sum"];

/// Names the calculated columns that `ORDER BY 2` means, because the engine cannot order by the place of an expression over
/// aggregates. Returns the names to show instead.
fn ordered_by_place(order: &mut OrderBy, select: &mut Select) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let OrderByKind::Expressions(keys) = &mut order.kind else { return shown };
    let has_star =
        |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    if select.projection.iter().any(has_star) || select.distinct.is_some() {
        return shown;
    }
    for key in keys {
        let Expr::Value(ValueWithSpan { value: Value::Number(number, _), .. }) = &key.expr else { continue };
        let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let Some(item) = place.and_then(|place| select.projection.get_mut(place)) else { continue };
        let SelectItem::UnnamedExpr(expression) = item else { continue };
        let is_plain = match &*expression {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => true,
            Expr::Function(call) => PLAIN.contains(&call.name.to_string().to_lowercase().as_str()),
            _ => false,
        };
        if is_plain {
            continue;
        }
        let own = Ident::with_quote('"', format!("{SIGN}{number}"));
        shown.insert(own.value.clone(), name_of(expression));
        *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: own.clone() };
        key.expr = Expr::Identifier(own);
    }
    shown
}

fn name_of(expression: &Expr) -> String {
    match expression {
        Expr::CompoundIdentifier(parts) => {
            parts.last().map(|part| part.value.to_lowercase()).unwrap_or_default()
        }
        Expr::Identifier(name) => name.value.to_lowercase(),
        other => other.to_string(),
    }
}

/// Leaves the columns about files out of `*` over a table.
pub(super) fn without_file_columns(statement: &mut SqlStatement) {
    struct Wildcards;
    impl VisitorMut for Wildcards {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> std::ops::ControlFlow<()> {
            if let SetExpr::Select(select) = query.body.as_mut() {
                leave_out(select);
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    let done = statement.visit(&mut Wildcards);
    debug_assert!(done.is_continue(), "the visitor never breaks");
}

fn leave_out(select: &mut Select) {
    let is_of_table = |from: &datafusion::sql::sqlparser::ast::TableWithJoins| {
        from.joins.is_empty() && matches!(from.relation, TableFactor::Table { .. })
    };
    if !matches!(select.from.as_slice(), [only] if is_of_table(only)) {
        return;
    }
    for item in &mut select.projection {
        if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) = item
            && options.opt_except.is_none()
        {
            let [first, others @ ..] = FILE_COLUMNS;
            let name = |column: &str| Ident::with_quote('"', column);
            let except = ExceptSelectItem {
                first_element: name(first),
                additional_elements: others.iter().map(|column| name(column)).collect(),
            };
            options.opt_except = Some(except);
        }
    }
}
