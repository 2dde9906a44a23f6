//! Replaces calls in Athena's spelling with equivalent ones of the engine.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, CastKind, CharacterLength, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Statement, TimezoneInfo, TypedString, Value, ValueWithSpan, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::casts::TimestampText;
use crate::error::{Error, ErrorKind, Result};

/// The name of a call, its number of arguments, and its replacement. `{1}` is the first argument.
const SPELLINGS: &[(&str, usize, &str)] = &[
    ("approx_percentile", 2, "approx_percentile_cont({2}) WITHIN GROUP (ORDER BY {1})"),
    (
        "arrays_overlap",
        2,
        "CASE WHEN arrays_overlap({1}, {2}) THEN true \
         WHEN {1} IS NOT NULL AND {2} IS NOT NULL \
         AND array_position({1}, NULL) IS NULL AND array_position({2}, NULL) IS NULL THEN false END",
    ),
    ("arbitrary", 1, "any_value({1})"),
    ("array_max", 1, "CASE WHEN array_position({1}, NULL) IS NULL THEN array_max({1}) END"),
    ("array_min", 1, "CASE WHEN array_position({1}, NULL) IS NULL THEN array_min({1}) END"),
    (
        "array_position",
        2,
        "CASE WHEN {1} IS NOT NULL AND {2} IS NOT NULL \
         THEN coalesce(CAST(array_position({1}, {2}) AS bigint), 0) END",
    ),
    ("array_remove", 2, "array_remove_all({1}, {2})"),
    ("array_sort", 1, "array_sort({1}, 'ASC', 'NULLS LAST')"),
    ("codepoint", 1, "ascii({1})"),
    (
        "contains",
        2,
        "CASE WHEN array_has({1}, {2}) THEN true \
         WHEN {2} IS NOT NULL AND {1} IS NOT NULL AND array_position({1}, NULL) IS NULL THEN false END",
    ),
    ("count_if", 1, "count(nullif({1}, false))"),
    ("current_timestamp", 0, "at_timezone(CAST(now() AS timestamp(3)), 'UTC')"),
    ("current_timezone", 0, "'UTC'"),
    ("date", 1, "CAST({1} AS date)"),
    ("day", 1, "time_field('day', {1})"),
    ("day_of_month", 1, "time_field('day_of_month', {1})"),
    ("day_of_week", 1, "time_field('day_of_week', {1})"),
    ("day_of_year", 1, "time_field('day_of_year', {1})"),
    ("dow", 1, "time_field('dow', {1})"),
    ("doy", 1, "time_field('doy', {1})"),
    ("every", 1, "bool_and({1})"),
    ("from_iso8601_date", 1, "CAST({1} AS date)"),
    ("hour", 1, "time_field('hour', {1})"),
    ("from_unixtime", 2, "from_unixtime_in({1}, {2})"),
    ("if", 2, "CASE WHEN {1} THEN {2} END"),
    ("if", 3, "CASE WHEN {1} THEN {2} ELSE {3} END"),
    ("json_format", 1, "{1}"),
    ("json_parse", 1, "{1}"),
    ("levenshtein_distance", 2, "levenshtein({1}, {2})"),
    ("localtimestamp", 0, "CAST(now() AS timestamp(3))"),
    ("max_by", 2, "first_value({1} ORDER BY {2} DESC NULLS LAST)"),
    ("millisecond", 1, "time_field('millisecond', {1})"),
    ("min_by", 2, "first_value({1} ORDER BY {2} ASC NULLS LAST)"),
    ("minute", 1, "time_field('minute', {1})"),
    ("month", 1, "time_field('month', {1})"),
    ("now", 0, "at_timezone(CAST(now() AS timestamp(3)), 'UTC')"),
    ("quarter", 1, "time_field('quarter', {1})"),
    ("rand", 0, "random()"),
    ("regexp_extract", 2, "array_element(regexp_match({1}, concat('(', {2}, ')')), 1)"),
    ("regexp_extract", 3, "array_element(regexp_match({1}, concat('(', {2}, ')')), {3} + 1)"),
    ("regexp_replace", 2, "regexp_replace({1}, {2}, '', 'g')"),
    ("regexp_replace", 3, "regexp_replace({1}, {2}, {3}, 'g')"),
    ("repeat", 2, "array_repeat({1}, {2})"),
    ("second", 1, "time_field('second', {1})"),
    ("sequence", 2, "generate_series({1}, {2}, CASE WHEN {1} <= {2} THEN 1 ELSE -1 END)"),
    ("sequence", 3, "generate_series({1}, {2}, {3})"),
    ("split", 2, "CASE WHEN {1} = '' THEN ARRAY[''] ELSE string_to_array({1}, {2}) END"),
    ("timezone_hour", 1, "time_field('timezone_hour', {1})"),
    ("timezone_minute", 1, "time_field('timezone_minute', {1})"),
    ("week", 1, "time_field('week', {1})"),
    ("week_of_year", 1, "time_field('week_of_year', {1})"),
    ("year", 1, "time_field('year', {1})"),
    ("year_of_week", 1, "time_field('year_of_week', {1})"),
    ("yow", 1, "time_field('yow', {1})"),
];

/// Rewrites all calls in a statement to the engine's spelling.
pub(super) fn calls(statement: &mut Statement) -> Result<()> {
    let done = visit_expressions_mut(statement, |expression| {
        match spelled(expression) {
            Ok(Some(spelled)) => *expression = spelled,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        name_fields(expression);
        ControlFlow::Continue(())
    });
    match done {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Turns the field name in `element_at(rows, 1).name` into a text, as the engine requires.
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

/// Rewrites an expression to the engine's spelling; `None` if it needs no change.
fn spelled(expression: &Expr) -> Result<Option<Expr>> {
    Ok(match expression {
        Expr::Substring { expr, substring_from: Some(from), substring_for: None, .. } => {
            filled("substr_from({1}, {2})", &[expr, from])
        }
        Expr::Substring { expr, substring_from: Some(from), substring_for: Some(length), .. } => {
            filled("substr_of({1}, {2}, {3})", &[expr, from, length])
        }
        Expr::AtTimeZone { timestamp, time_zone } => filled("at_timezone({1}, {2})", &[timestamp, time_zone]),
        Expr::Extract { field, expr, .. } => {
            let name = field.to_string().to_ascii_lowercase();
            if !EXTRACTED.contains(&name.as_str()) {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("unknown field '{field}' in EXTRACT, as in Athena"),
                )
                .hint(format!("use one of {}", EXTRACTED.join(", "))));
            }
            filled("time_field({2}, {1})", &[expr, &text(&name)])
        }
        Expr::TypedString(literal) => spelled_literal(literal),
        Expr::Cast { expr, data_type, kind, .. } => spelled_cast(expr, data_type, kind, expression)?,
        Expr::Function(call) => {
            refuse_time_of_day(call)?;
            spelled_call(call)
        }
        _ => None,
    })
}

/// The fields that `EXTRACT` accepts.
const EXTRACTED: [&str; 17] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_month",
    "day_of_week",
    "dow",
    "day_of_year",
    "doy",
    "year_of_week",
    "yow",
    "hour",
    "minute",
    "second",
    "timezone_hour",
    "timezone_minute",
];

fn text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

/// Rewrites a timestamp literal to milliseconds, like all columns, because nanoseconds end in 2262. A literal can name a zone.
fn spelled_literal(literal: &TypedString) -> Option<Expr> {
    let (DataType::Timestamp(None, _), Value::SingleQuotedString(value)) =
        (&literal.data_type, &literal.value.value)
    else {
        return None;
    };
    let read = TimestampText::parse(value);
    let digits = read.as_ref().map_or(3, TimestampText::digits);
    let mut of_digits = literal.clone();
    of_digits.data_type = DataType::Timestamp(Some(digits), TimezoneInfo::None);
    let Some(zone) = read.and_then(|read| read.zone) else { return Some(Expr::TypedString(of_digits)) };
    let clock = value.trim().strip_suffix(zone).unwrap_or(value).trim_end();
    of_digits.value.value = Value::SingleQuotedString(clock.to_owned());
    filled("with_timezone({1}, {2})", &[&Expr::TypedString(of_digits), &text(zone)])
}

/// Rewrites a cast to a type that the engine defines differently: timestamps have milliseconds, and texts can have a length.
fn spelled_cast(of: &Expr, data_type: &DataType, kind: &CastKind, cast: &Expr) -> Result<Option<Expr>> {
    let refused = |message: &str, hint: &str| Err(Error::new(ErrorKind::Usage, message).hint(hint));
    if let (DataType::Varchar(None), Some(digits)) = (data_type, decimal_digits(of)) {
        return Ok(Some(text(digits)));
    }
    Ok(match data_type {
        DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            let mut cast = cast.clone();
            if let Expr::Cast { data_type, .. } = &mut cast {
                *data_type = DataType::Timestamp(Some(3), TimezoneInfo::None);
            }
            Some(cast)
        }
        DataType::Timestamp(None | Some(3), TimezoneInfo::WithTimeZone | TimezoneInfo::Tz)
            if *kind != CastKind::TryCast =>
        {
            filled("as_zoned({1})", &[of])
        }
        DataType::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => {
            return refused(
                "a cast to a timestamp with time zone must be a CAST in milliseconds",
                "use CAST(... AS timestamp(3) with time zone) or AT TIME ZONE",
            );
        }
        DataType::Varchar(Some(CharacterLength::IntegerLength { length, .. })) => {
            let template = format!("varchar_of(CAST({{1}} AS varchar), {length}, typeof({{1}}))");
            filled(&template, &[of])
        }
        DataType::Char(_) | DataType::Character(_) => {
            return refused("a cast to char is not available", "use CAST(... AS varchar)");
        }
        _ => None,
    })
}

/// Returns the digits of a literal with a point. In Athena it is a decimal, whose text has no exponent.
fn decimal_digits(of: &Expr) -> Option<&str> {
    match of {
        Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. })
            if digits.contains('.') && !digits.contains(['e', 'E']) =>
        {
            Some(digits)
        }
        _ => None,
    }
}

/// Refuses `CURRENT_TIME`: in Athena it has a time zone, but no time type here has one.
fn refuse_time_of_day(call: &Function) -> Result<()> {
    if call.name.to_string().eq_ignore_ascii_case("current_time") {
        return Err(Error::new(
            ErrorKind::Usage,
            "CURRENT_TIME is not available, because it has a time zone",
        )
        .hint("use CAST(localtimestamp AS time)"));
    }
    Ok(())
}

/// Rewrites a call to the engine's spelling.
fn spelled_call(call: &Function) -> Option<Expr> {
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

/// Fills arguments into a template as syntax trees, because printing and parsing a text again can change it.
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
    debug_assert!(done.is_continue(), "the visitor never breaks");
    Some(filled)
}

/// Returns the arguments of a plain call; `None` for a call with `DISTINCT` or other clauses.
fn arguments(call: &Function) -> Option<Vec<&Expr>> {
    let list = match &call.args {
        FunctionArguments::List(list) => list,
        // For example CURRENT_TIMESTAMP.
        FunctionArguments::None => return Some(Vec::new()),
        FunctionArguments::Subquery(_) => return None,
    };
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
        calls(&mut statements[0]).unwrap();
        statements[0].to_string()
    }

    #[test]
    fn calls_are_rewritten_to_the_engines_spelling() {
        for (theirs, ours) in [
            (
                "SELECT COUNT_IF(a > 1) FILTER (WHERE b) FROM t",
                "SELECT count(nullif(a > 1, false)) FILTER (WHERE b) FROM t",
            ),
            (
                "SELECT if(year(a) = 1, 'x') FROM t",
                "SELECT (CASE WHEN time_field('year', a) = 1 THEN 'x' END) FROM t",
            ),
            (
                "SELECT contains(array['{2}'], b)",
                "SELECT (CASE WHEN array_has(ARRAY['{2}'], b) THEN true WHEN b IS NOT NULL AND ARRAY['{2}'] IS NOT NULL \
                 AND array_position(ARRAY['{2}'], NULL) IS NULL THEN false END)",
            ),
            ("SELECT count(DISTINCT a), year FROM t", "SELECT count(DISTINCT a), year FROM t"),
            ("SELECT if(a) FROM t", "SELECT if(a) FROM t"),
        ] {
            assert_eq!(rewritten(theirs), ours);
        }
    }

    #[test]
    fn texts_within_a_call_are_unchanged() {
        let sql = "SELECT if(true, 'a''''', '\\''')";
        let mut statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
        calls(&mut statements[0]).unwrap();
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
    fn every_spelling_can_be_parsed() {
        for (name, count, _) in SPELLINGS {
            let arguments = (0..*count).map(|number| format!("a{number}")).collect::<Vec<_>>().join(", ");
            let sql = format!("SELECT {name}({arguments})");
            assert_ne!(rewritten(&sql), sql, "{name}");
        }
    }
}
