//! Spellings of Athena that the engine does not know, changed in the text or in the parsed statement.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Statement,
    visit_expressions_mut,
};

/// Functions that are there under another name, with the same arguments: Athena's name and ours.
const RENAMED: [(&str, &str); 9] = [
    ("any_value", "first_value"),
    ("approx_percentile", "approx_percentile_cont"),
    ("arbitrary", "first_value"),
    ("bool_and", "bool_and"),
    ("codepoint", "ascii"),
    ("day_of_week", "athena_day_of_week"),
    ("every", "bool_and"),
    ("from_hex", "from_hex"),
    ("rand", "random"),
];

/// Brings calls into the engine's spelling.
pub(super) fn functions(statement: &mut Statement) {
    let done = visit_expressions_mut(statement, |expression| {
        if let Expr::Function(call) = expression {
            rename(call);
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(done.is_continue(), "nothing breaks off");
}

fn rename(call: &mut Function) {
    let name = call.name.to_string().to_ascii_lowercase();
    if let Some((_, ours)) = RENAMED.iter().find(|(theirs, _)| *theirs == name) {
        call.name = ObjectName::from(vec![Ident::new(*ours)]);
    }
    if name == "count_if" {
        count_if(call);
    }
}

/// `count_if(x)` counts the rows for which x is true, as `count(nullif(x, false))` does.
fn count_if(call: &mut Function) {
    let FunctionArguments::List(list) = &mut call.args else { return };
    if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(condition))] = list.args.as_mut_slice() {
        let wrapped = Expr::Nested(Box::new(condition.clone()));
        let sql = format!("nullif({wrapped}, false)");
        let dialect = datafusion::sql::sqlparser::dialect::GenericDialect {};
        let parsed = datafusion::sql::sqlparser::parser::Parser::new(&dialect).try_with_sql(&sql);
        if let Ok(parsed) = parsed.and_then(|mut parser| parser.parse_expr()) {
            *condition = parsed;
            call.name = ObjectName::from(vec![Ident::new("count")]);
        }
    }
}

/// Structs are named in a call here, and in a cast there.
pub(super) fn row_casts(sql: &str) -> String {
    sql.to_owned()
}
