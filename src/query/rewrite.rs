//! Calls that Athena spells otherwise: each is replaced by what means the same here.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Statement,
    TimezoneInfo, Value, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// A call by its name and its number of arguments, and what stands for it; `{1}` is the first argument.
const SPELLINGS: &[(&str, usize, &str)] = &[
    ("approx_percentile", 2, "approx_percentile_cont({2}) WITHIN GROUP (ORDER BY {1})"),
    ("arbitrary", 1, "any_value({1})"),
    ("codepoint", 1, "ascii({1})"),
    ("contains", 2, "array_has({1}, {2})"),
    ("count_if", 1, "count(nullif({1}, false))"),
    ("date", 1, "CAST({1} AS date)"),
    ("day", 1, "CAST(date_part('day', {1}) AS bigint)"),
    ("day_of_month", 1, "CAST(date_part('day', {1}) AS bigint)"),
    ("day_of_week", 1, "((CAST(date_part('dow', {1}) AS bigint) + 6) % 7 + 1)"),
    ("day_of_year", 1, "CAST(date_part('doy', {1}) AS bigint)"),
    ("dow", 1, "((CAST(date_part('dow', {1}) AS bigint) + 6) % 7 + 1)"),
    ("doy", 1, "CAST(date_part('doy', {1}) AS bigint)"),
    ("every", 1, "bool_and({1})"),
    ("from_iso8601_date", 1, "CAST({1} AS date)"),
    ("hour", 1, "CAST(date_part('hour', {1}) AS bigint)"),
    ("if", 2, "CASE WHEN {1} THEN {2} END"),
    ("if", 3, "CASE WHEN {1} THEN {2} ELSE {3} END"),
    ("json_format", 1, "{1}"),
    ("json_parse", 1, "{1}"),
    ("levenshtein_distance", 2, "levenshtein({1}, {2})"),
    ("max_by", 2, "first_value({1} ORDER BY {2} DESC NULLS LAST)"),
    ("millisecond", 1, "(CAST(date_part('millisecond', {1}) AS bigint) % 1000)"),
    ("min_by", 2, "first_value({1} ORDER BY {2} ASC NULLS LAST)"),
    ("minute", 1, "CAST(date_part('minute', {1}) AS bigint)"),
    ("month", 1, "CAST(date_part('month', {1}) AS bigint)"),
    ("quarter", 1, "CAST(date_part('quarter', {1}) AS bigint)"),
    ("rand", 0, "random()"),
    ("regexp_extract", 2, "array_element(regexp_match({1}, concat('(', {2}, ')')), 1)"),
    ("regexp_extract", 3, "array_element(regexp_match({1}, concat('(', {2}, ')')), {3} + 1)"),
    ("regexp_replace", 2, "regexp_replace({1}, {2}, '', 'g')"),
    ("regexp_replace", 3, "regexp_replace({1}, {2}, {3}, 'g')"),
    ("second", 1, "CAST(date_part('second', {1}) AS bigint)"),
    ("sequence", 2, "generate_series({1}, {2})"),
    ("sequence", 3, "generate_series({1}, {2}, {3})"),
    ("split", 2, "string_to_array({1}, {2})"),
    ("week", 1, "CAST(date_part('week', {1}) AS bigint)"),
    ("week_of_year", 1, "CAST(date_part('week', {1}) AS bigint)"),
    ("year", 1, "CAST(date_part('year', {1}) AS bigint)"),
];

/// Brings all calls of a statement into the engine's spelling.
pub(super) fn calls(statement: &mut Statement) {
    let done = visit_expressions_mut(statement, |expression| {
        if let Some(spelled) = spelled(expression) {
            *expression = spelled;
        }
        name_fields(expression);
        widen_time(expression);
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(done.is_continue(), "nothing breaks off");
}

/// `element_at(rows, 1).name` is a field by its name: the engine wants the name of a field of a value as text.
fn name_fields(expression: &mut Expr) {
    let Expr::CompoundFieldAccess { access_chain, .. } = expression else { return };
    for access in access_chain {
        if let AccessExpr::Dot(field) = access
            && let Expr::Identifier(name) = field
        {
            *field = Expr::value(Value::SingleQuotedString(name.value.to_lowercase()));
        }
    }
}

/// A literal of a time is one of milliseconds, as all columns are: nanoseconds would end in 2262. Seconds may be left out.
fn widen_time(expression: &mut Expr) {
    let Expr::TypedString(literal) = expression else { return };
    let (DataType::Timestamp(None, _), Value::SingleQuotedString(text)) =
        (&literal.data_type, &mut literal.value.value)
    else {
        return;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let time = text.trim().rsplit_once([' ', 'T']).map_or("", |(_date, time)| time);
    let seconds = match time.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] if digits(hour) && digits(minute) => {
            *text = format!("{}:00", text.trim());
            Some("00")
        }
        [_, _, seconds] => Some(seconds),
        _ => None,
    };
    let fraction = seconds.and_then(|seconds| seconds.split_once('.')).map_or("", |(_, fraction)| fraction);
    if fraction.len() <= 3 {
        literal.data_type = DataType::Timestamp(Some(3), TimezoneInfo::None);
    }
}

/// A call in the engine's spelling; `None` for what needs none.
fn spelled(expression: &Expr) -> Option<Expr> {
    if let Expr::Substring { expr, substring_from: Some(from), substring_for, .. } = expression {
        return match substring_for {
            None => filled("substr_from({1}, {2})", &[expr, from]),
            Some(length) => filled("substr_of({1}, {2}, {3})", &[expr, from, length]),
        };
    }
    let Expr::Function(call) = expression else { return None };
    let name = call.name.to_string().to_ascii_lowercase();
    let arguments = arguments(call)?;
    let fits = |spelling: &&(&str, usize, &str)| spelling.0 == name && spelling.1 == arguments.len();
    let (_, _, template) = SPELLINGS.iter().find(fits)?;
    let mut spelled = filled(template, &arguments)?;
    if let Expr::Function(ours) = &mut spelled {
        ours.over.clone_from(&call.over);
        ours.filter.clone_from(&call.filter);
    } else {
        spelled = Expr::Nested(Box::new(spelled));
    }
    Some(spelled)
}

/// A template with its arguments. They are put in as they were read: a text that is printed and read again can be another.
fn filled(template: &str, arguments: &[&Expr]) -> Option<Expr> {
    let sql = template.replace('{', "\"{").replace('}', "}\"");
    let parser = Parser::new(&GenericDialect {}).try_with_sql(&sql);
    let mut filled = parser.and_then(|mut parser| parser.parse_expr()).ok()?;
    let done = visit_expressions_mut(&mut filled, |expression| {
        if let Expr::Identifier(name) = expression {
            let number = name.value.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            let place = number.and_then(|number| number.parse::<usize>().ok()).unwrap_or_default();
            if let Some(argument) = arguments.get(place.wrapping_sub(1)) {
                *expression = Expr::clone(argument);
            }
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(done.is_continue(), "nothing breaks off");
    Some(filled)
}

/// The arguments of a plain call.
fn arguments(call: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &call.args else { return None };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let argument = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expression)) => Some(expression),
        _ => None,
    };
    list.args.iter().map(argument).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(sql: &str) -> String {
        let mut statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
        calls(&mut statements[0]);
        statements[0].to_string()
    }

    #[test]
    fn calls_are_spelled_as_the_engine_has_them() {
        for (theirs, ours) in [
            (
                "SELECT COUNT_IF(a > 1) FILTER (WHERE b) FROM t",
                "SELECT count(nullif(a > 1, false)) FILTER (WHERE b) FROM t",
            ),
            (
                "SELECT if(year(a) = 1, 'x') FROM t",
                "SELECT (CASE WHEN (CAST(date_part('year', a) AS BIGINT)) = 1 THEN 'x' END) FROM t",
            ),
            ("SELECT contains(array['{2}'], b)", "SELECT array_has(ARRAY['{2}'], b)"),
            ("SELECT count(DISTINCT a), year FROM t", "SELECT count(DISTINCT a), year FROM t"),
            ("SELECT if(a) FROM t", "SELECT if(a) FROM t"),
        ] {
            assert_eq!(rewritten(theirs), ours);
        }
    }

    #[test]
    fn texts_within_a_call_are_what_they_were() {
        let sql = "SELECT if(true, 'a''''', '\\''')";
        let mut statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
        calls(&mut statements[0]);
        let mut texts = Vec::new();
        let done = visit_expressions_mut(&mut statements[0], |expression| {
            if let Expr::Value(value) = expression {
                texts.extend(value.value.clone().into_string());
            }
            ControlFlow::<()>::Continue(())
        });
        assert!(done.is_continue());
        assert_eq!(texts, ["a''", "\\'"]);
    }

    #[test]
    fn every_spelling_can_be_read() {
        for (name, count, _) in SPELLINGS {
            let arguments = (0..*count).map(|number| format!("a{number}")).collect::<Vec<_>>().join(", ");
            let sql = format!("SELECT {name}({arguments})");
            assert_ne!(rewritten(&sql), sql, "{name}");
        }
    }
}
