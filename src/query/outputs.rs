//! Names of output columns. Athena lets two columns of a result have one name; the engine does not.

use std::collections::{BTreeMap, HashSet};

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, Expr, Ident, Query, Select, SelectItem, SetExpr, Statement as SqlStatement,
    TableFactor, VisitMut, VisitorMut,
};

use super::table::FILE_COLUMNS;

/// The sign before the number of a repeated name.
const SIGN: char = '\u{1f}';

/// Gives the repeated columns of a statement names of their own. Returns the names to show instead.
pub(super) fn apart(statement: &mut Statement) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let Statement::Statement(statement) = statement else { return shown };
    let SqlStatement::Query(query) = statement.as_mut() else { return shown };
    let SetExpr::Select(select) = query.body.as_mut() else { return shown };
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
