//! Names of output columns. Athena lets columns have no name, and lets two columns of a result have one name; the engine does
//! neither.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, Expr, Ident, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement as SqlStatement, TableAliasColumnDef, TableFactor, TableWithJoins, Value, ValueWithSpan,
    VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::parser::Parser;

use super::dialect::Athena;
use super::file_columns::FILE_COLUMNS;

/// A sign that statements do not contain. It begins the name of a column without a name, and comes before the number of a
/// repeated name.
const SIGN: char = '\u{1f}';

/// Athena's name for a column without one, before its place.
const PLACE: &str = "_col";

/// Names the columns of a query that have no name, and its repeated columns, so that the engine can tell them apart. Returns
/// the names to show instead.
pub(super) fn apart(statement: &mut Statement) -> BTreeMap<String, String> {
    let Statement::Statement(statement) = statement else { return BTreeMap::new() };
    let SqlStatement::Query(query) = statement.as_mut() else { return BTreeMap::new() };
    let done = query.visit(&mut Nameless::default());
    debug_assert!(done.is_continue(), "the visitor never breaks");
    match query.body.as_mut() {
        SetExpr::Select(select) => repeated_apart(select),
        _ => BTreeMap::new(),
    }
}

/// The name to show for a column at a place, counted from 0. As in Athena, a column without a name is `_col` and its place.
pub(super) fn shown(place: usize, name: &str, names: &BTreeMap<String, String>) -> String {
    match names.get(name) {
        Some(shown) => shown.clone(),
        None if is_nameless(name) => format!("{PLACE}{place}"),
        None => plain_name(name).to_owned(),
    }
}

/// The engine's name of a column without a name. The text makes it unique.
pub(super) fn nameless(text: &str) -> String {
    format!("{SIGN}{text}")
}

/// Whether the engine's name of a column means that it has no name.
pub(super) fn is_nameless(name: &str) -> bool {
    name.starts_with(SIGN)
}

/// Whether a name is one under which columns without a name are shown.
pub(super) fn is_place(name: &str) -> bool {
    name.strip_prefix(PLACE).is_some_and(|place| place.parse::<usize>().is_ok())
}

/// Shortens the engine's name of a struct field, for example `user[arn]`, to the one in Athena: `arn`.
fn plain_name(name: &str) -> &str {
    let is_word = |letter: char| letter.is_alphanumeric() || "_.[]".contains(letter);
    let last = name.strip_suffix(']').filter(|path| path.chars().all(is_word));
    last.and_then(|path| path.rsplit_once('[')).map_or(name, |(_, field)| field)
}

/// Gives repeated columns names of their own.
fn repeated_apart(select: &mut Select) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    let mut known: HashSet<String> = HashSet::new();
    for (place, item) in select.projection.iter_mut().enumerate() {
        let (expression, name) = match item {
            SelectItem::UnnamedExpr(expression) => (expression.clone(), name_of(expression)),
            SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), Some(alias.value.to_lowercase())),
            _ => continue,
        };
        let Some(name) = name else { continue };
        if known.insert(name.clone()) {
            continue;
        }
        let own = format!("{name}{SIGN}{place}");
        *item = SelectItem::ExprWithAlias { expr: expression, alias: quoted(&own) };
        shown.insert(own, name);
    }
    shown
}

/// Gives the columns without a name one that is unique in the statement, also in subqueries.
#[derive(Default)]
struct Nameless {
    count: usize,
}

impl VisitorMut for Nameless {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expression) = item
                && name_of(expression).is_none()
            {
                *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: self.next() };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.name_values(&mut query.body);
        if let (SetExpr::Select(select), Some(order)) = (query.body.as_ref(), &mut query.order_by) {
            order_by_name(order, select);
        }
        ControlFlow::Continue(())
    }
}

impl Nameless {
    fn next(&mut self) -> Ident {
        self.count += 1;
        quoted(&nameless(&self.count.to_string()))
    }

    /// Replaces `VALUES` with a query over them that names their columns. The engine would call them `column1` and so on.
    fn name_values(&mut self, body: &mut SetExpr) {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                self.name_values(left);
                self.name_values(right);
            }
            SetExpr::Values(values) => {
                let count = values.rows.first().map_or(0, |row| row.content.len());
                let columns = (0..count).map(|_| self.next()).collect();
                if let Some(named) = over_values(body, columns) {
                    *body = named;
                }
            }
            _ => {}
        }
    }
}

/// The query over `VALUES` with names for their columns.
fn over_values(values: &SetExpr, columns: Vec<Ident>) -> Option<SetExpr> {
    let mut query =
        Parser::new(&Athena).try_with_sql("SELECT * FROM (VALUES (1)) AS v(c)").ok()?.parse_query().ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let [TableWithJoins { relation: TableFactor::Derived { subquery, alias: Some(alias), .. }, .. }] =
        select.from.as_mut_slice()
    else {
        return None;
    };
    *subquery.body = values.clone();
    let column = |name: Ident| TableAliasColumnDef { name, data_type: None };
    alias.columns = columns.into_iter().map(column).collect();
    Some(*query.body)
}

/// Orders by the name of a column without a name where `ORDER BY` has its place, because the engine cannot order by the place of
/// an expression over aggregates, or where it repeats the expression of a `DISTINCT` column.
fn order_by_name(order: &mut OrderBy, select: &Select) {
    let OrderByKind::Expressions(keys) = &mut order.kind else { return };
    let has_star =
        |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    if select.projection.iter().any(has_star) {
        return;
    }
    for key in keys {
        let of_expression = |item: &&SelectItem| matches!(item, SelectItem::ExprWithAlias { expr, .. } if expr.to_string() == key.expr.to_string());
        let item = match place_in(&key.expr) {
            Some(place) => select.projection.get(place),
            None if select.distinct.is_some() => select.projection.iter().find(of_expression),
            None => None,
        };
        if let Some(SelectItem::ExprWithAlias { alias, .. }) = item
            && is_nameless(&alias.value)
        {
            key.expr = Expr::Identifier(alias.clone());
        }
    }
}

/// The place of a column, from 0, that a number in `ORDER BY` means.
fn place_in(key: &Expr) -> Option<usize> {
    match key {
        Expr::Value(ValueWithSpan { value: Value::Number(number, _), .. }) => {
            number.parse::<usize>().ok().and_then(|number| number.checked_sub(1))
        }
        _ => None,
    }
}

fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// The name that a column has from its expression; `None` for a calculated one.
fn name_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.to_lowercase()),
        Expr::Identifier(name) => Some(name.value.to_lowercase()),
        Expr::Nested(inside) => name_of(inside),
        _ => None,
    }
}

/// Leaves the columns about files out of `*` over a table.
pub(super) fn without_file_columns(statement: &mut SqlStatement) {
    struct Wildcards;
    impl VisitorMut for Wildcards {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            if let SetExpr::Select(select) = query.body.as_mut() {
                leave_out(select);
            }
            ControlFlow::Continue(())
        }
    }
    let done = statement.visit(&mut Wildcards);
    debug_assert!(done.is_continue(), "the visitor never breaks");
}

fn leave_out(select: &mut Select) {
    let is_of_table =
        |from: &TableWithJoins| from.joins.is_empty() && matches!(from.relation, TableFactor::Table { .. });
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
