//! Gives operators, comparisons and casts their meaning in Athena. The engine applies this rule before it converts operands
//! to one type. The rule refuses what Athena refuses, because the engine would convert one side and return an answer.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::{Between, InList, InSubquery, Like, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Case, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, Union, lit,
};
use datafusion::optimizer::AnalyzerRule;

use super::casts::{self, Verdict};
use super::families::{Family, Purpose, family, is_zoned, refuse_decimals, refuse_mixed, refuse_unlike};
use super::functions::{self, AT_TIMEZONE, checked_operator, decimal_call, decimal_operator, takes_doubles};
use super::inputs::of_inputs;
use super::instants::{call, length, refuse_hours_of_date, unzoned, zoned_sum};
use super::types;

/// The rule that rewrites expressions.
#[derive(Debug)]
pub(super) struct AthenaMeaning;

impl AnalyzerRule for AthenaMeaning {
    fn name(&self) -> &'static str {
        "athena_meaning"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(of_plan).map(|plan| plan.data)
    }
}

fn of_plan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let meaning = Meaning { schema: &merge_schema(&plan.inputs()) };
    let names = NamePreserver::new(&plan);
    let plan = plan.map_expressions(|expression| {
        let name = names.save(&expression);
        let meant = expression.transform_up(|expression| meaning.of(expression))?;
        Ok(meant.update_data(|expression| name.restore(expression)))
    })?;
    plan.map_data(with_types)?.map_data(of_inputs)?.map_data(LogicalPlan::recompute_schema)
}

/// Gives `VALUES` and unions the types of their rewritten expressions.
fn with_types(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Values(values) => LogicalPlanBuilder::values(values.values)?.build(),
        LogicalPlan::Union(union) => Ok(LogicalPlan::Union(Union::try_new_with_loose_types(union.inputs)?)),
        other => Ok(other),
    }
}

/// Rewrites expressions over the columns of a schema.
struct Meaning<'s> {
    schema: &'s DFSchema,
}

impl Meaning<'_> {
    fn of(&self, expression: Expr) -> Result<Transformed<Expr>> {
        Ok(match expression {
            Expr::BinaryExpr(binary) => Transformed::yes(self.of_binary(binary)?),
            Expr::Between(between) => Transformed::yes(self.of_between(between)?),
            Expr::InList(list) => Transformed::yes(self.of_list(list)?),
            Expr::SetComparison(comparison) => {
                let among = comparison.subquery.subquery.schema().field(0).data_type();
                refuse_mixed(&self.type_of(&comparison.expr)?, among, Purpose::Comparison)?;
                Transformed::no(Expr::SetComparison(comparison))
            }
            Expr::InSubquery(subquery) => Transformed::yes(self.of_subquery(subquery)?),
            Expr::Like(like) => Transformed::yes(self.of_like(like)?),
            Expr::Case(case) => {
                self.check_case(&case)?;
                Transformed::no(Expr::Case(case))
            }
            Expr::Cast(cast) => {
                let target = cast.field.data_type().clone();
                match self.cast(&cast.expr, &target, false)? {
                    Some(ours) => Transformed::yes(ours),
                    None => Transformed::no(Expr::Cast(cast)),
                }
            }
            Expr::TryCast(cast) => {
                let target = cast.field.data_type().clone();
                match self.cast(&cast.expr, &target, true)? {
                    Some(ours) => Transformed::yes(ours),
                    None => Transformed::no(Expr::TryCast(cast)),
                }
            }
            Expr::ScalarFunction(function) => Transformed::yes(self.of_function(function)?),
            Expr::AggregateFunction(function)
                if function.func.name() == "avg" && function.params.distinct =>
            {
                self.refuse_mean_of_decimals(&function.params.args)?;
                Transformed::no(Expr::AggregateFunction(function))
            }
            other => Transformed::no(other),
        })
    }

    fn refuse_mean_of_decimals(&self, args: &[Expr]) -> Result<()> {
        let given = args.iter().map(|of| self.type_of(of)).collect::<Result<Vec<_>>>()?;
        refuse_decimals("the mean of different", &given.iter().collect::<Vec<_>>())
    }

    fn type_of(&self, expression: &Expr) -> Result<DataType> {
        expression.get_type(self.schema)
    }

    /// Rewrites a side of a comparison: timestamps with a zone compare by instant, and intervals by length.
    fn side(&self, expression: Expr) -> Result<Expr> {
        match self.type_of(&expression)? {
            data_type if is_zoned(&data_type) => unzoned(expression),
            DataType::Interval(_) => length(&expression),
            _ => Ok(expression),
        }
    }

    fn comparable(&self, one: &Expr, other: &Expr) -> Result<()> {
        refuse_mixed(&self.type_of(one)?, &self.type_of(other)?, Purpose::Comparison)
    }

    fn of_binary(&self, binary: BinaryExpr) -> Result<Expr> {
        let BinaryExpr { left, op, right } = binary;
        let rebuilt = |left, right| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
        match op {
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => {
                self.comparable(&left, &right)?;
                Ok(rebuilt(self.side(*left)?, self.side(*right)?))
            }
            Operator::StringConcat => {
                refuse_mixed(&self.type_of(&left)?, &self.type_of(&right)?, Purpose::Joining)?;
                for side in [&left, &right] {
                    self.refuse_other_than_text(side)?;
                }
                Ok(rebuilt(*left, *right))
            }
            Operator::Plus | Operator::Minus => self.of_sum(*left, op, *right),
            Operator::Multiply | Operator::Divide | Operator::Modulo => {
                let (one, other) = (self.type_of(&left)?, self.type_of(&right)?);
                if [family(&one), family(&other)] != [Family::Number, Family::Span] {
                    refuse_mixed(&one, &other, Purpose::Arithmetic)?;
                }
                arithmetic(*left, op, *right, &one, &other)
            }
            _ => Ok(rebuilt(*left, *right)),
        }
    }

    fn refuse_other_than_text(&self, expression: &Expr) -> Result<()> {
        let data_type = self.type_of(expression)?;
        match family(&data_type) {
            Family::Text | Family::Any => Ok(()),
            _ => plan_err!(
                "cannot join {} with ||, and neither can Athena: use CAST(... AS varchar)",
                types::name(&data_type)
            ),
        }
    }

    /// Rewrites sums and differences. Dates and times can only be combined with intervals.
    fn of_sum(&self, left: Expr, op: Operator, right: Expr) -> Result<Expr> {
        let (one, other) = (self.type_of(&left)?, self.type_of(&right)?);
        let rebuilt = |left, right| Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)));
        match [family(&one), family(&other)] {
            [Family::Moment, Family::Span] if is_zoned(&one) => zoned_sum(left, op, right, &one),
            [Family::Moment, Family::Span] => {
                refuse_hours_of_date(&one, &right)?;
                Ok(rebuilt(left, right))
            }
            [Family::Span, Family::Moment] if is_zoned(&other) && op == Operator::Plus => {
                zoned_sum(right, op, left, &other)
            }
            [Family::Span, Family::Moment] => {
                refuse_hours_of_date(&other, &left)?;
                Ok(rebuilt(left, right))
            }
            [Family::Moment, Family::Moment] if one == DataType::Date32 && other == DataType::Date32 => {
                plan_err!(
                    "the difference of two dates is an interval in Athena, which is not available here: use date_diff('day', a, b)"
                )
            }
            [Family::Moment, Family::Moment] => Ok(rebuilt(self.side(left)?, self.side(right)?)),
            [Family::Clock, Family::Span] | [Family::Span, Family::Clock] => Ok(rebuilt(left, right)),
            [Family::Moment, Family::Number] | [Family::Number, Family::Moment] => plan_err!(
                "cannot add a number to {}, and neither can Athena: use interval '1' day or date_add",
                types::name(if family(&one) == Family::Moment { &one } else { &other })
            ),
            _ => {
                refuse_mixed(&one, &other, Purpose::Arithmetic)?;
                arithmetic(left, op, right, &one, &other)
            }
        }
    }

    fn of_between(&self, between: Between) -> Result<Expr> {
        let Between { expr, negated, low, high } = between;
        self.comparable(&expr, &low)?;
        self.comparable(&expr, &high)?;
        let [expr, low, high] = [*expr, *low, *high].map(|side| self.side(side).map(Box::new));
        Ok(Expr::Between(Between::new(expr?, negated, low?, high?)))
    }

    fn of_list(&self, in_list: InList) -> Result<Expr> {
        let InList { expr, list, negated } = in_list;
        list.iter().try_for_each(|element| self.comparable(&expr, element))?;
        let list = list.into_iter().map(|element| self.side(element)).collect::<Result<Vec<_>>>()?;
        Ok(Expr::InList(InList::new(Box::new(self.side(*expr)?), list, negated)))
    }

    fn of_subquery(&self, subquery: InSubquery) -> Result<Expr> {
        let given = self.type_of(&subquery.expr)?;
        let among = subquery.subquery.subquery.schema().field(0).data_type().clone();
        refuse_mixed(&given, &among, Purpose::Comparison)?;
        refuse_unlike(&given, &among)?;
        Ok(Expr::InSubquery(subquery))
    }

    /// Rewrites `LIKE`. Athena has no escape unless `ESCAPE` names one; the engine supports only the backslash.
    fn of_like(&self, like: Like) -> Result<Expr> {
        self.comparable(&like.expr, &like.pattern)?;
        let pattern = match like.pattern.as_literal().map(ScalarValue::try_as_str) {
            Some(Some(Some(pattern))) => lit(with_backslashes(pattern, like.escape_char)?),
            // The pattern comes from a column.
            _ if like.escape_char.is_none() => {
                let replace = datafusion::functions::string::replace();
                let arguments = vec![*like.pattern, lit("\\"), lit("\\\\")];
                Expr::ScalarFunction(ScalarFunction::new_udf(replace, arguments))
            }
            _ => return plan_err!("ESCAPE is available for constant patterns only"),
        };
        let Like { negated, expr, case_insensitive, .. } = like;
        Ok(Expr::Like(Like::new(negated, expr, Box::new(pattern), None, case_insensitive)))
    }

    fn check_case(&self, case: &Case) -> Result<()> {
        if let Some(of) = &case.expr {
            for (when, _) in &case.when_then_expr {
                self.comparable(of, when)?;
                refuse_unlike(&self.type_of(of)?, &self.type_of(when)?)?;
            }
        }
        let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
        self.check_alike(results.chain(case.else_expr.as_deref()))
    }

    /// Checks that expressions can be values of one column.
    fn check_alike<'e>(&self, expressions: impl Iterator<Item = &'e Expr>) -> Result<()> {
        let mut known = DataType::Null;
        for expression in expressions {
            let data_type = self.type_of(expression)?;
            refuse_unlike(&known, &data_type)?;
            if known.is_null() {
                known = data_type;
            }
        }
        Ok(())
    }

    fn of_function(&self, function: ScalarFunction) -> Result<Expr> {
        let function = self.of_decimals(function)?;
        match function.func.name() {
            "coalesce" => {
                self.check_alike(function.args.iter())?;
                Ok(Expr::ScalarFunction(function))
            }
            "nullif" => {
                if let [one, other] = &function.args[..] {
                    self.comparable(one, other)?;
                    refuse_unlike(&self.type_of(one)?, &self.type_of(other)?)?;
                }
                Ok(Expr::ScalarFunction(function))
            }
            "btrim" | "ltrim" | "rtrim" if function.args.len() == 1 => {
                call(&format!("{}_blanks", function.func.name()), function.args)
            }
            "greatest" | "least" => {
                self.check_alike(function.args.iter())?;
                null_if_any_is(function)
            }
            "character_length" if matches!(function.args.first().map(|of| self.type_of(of)), Some(Ok(of)) if of.is_binary()) => {
                call("byte_length", function.args)
            }
            "concat" => self.of_concat(function),
            "ceil" | "floor" => self.of_rounding(function),
            "concat_ws" => {
                function.args.iter().try_for_each(|part| self.refuse_array_in_concat_ws(part))?;
                Ok(Expr::ScalarFunction(function))
            }
            name @ ("to_char" | "to_date" | "to_timestamp") => {
                plan_err!("{name} is not available: use date_format, date_parse or from_unixtime")
            }
            AT_TIMEZONE => {
                let ScalarFunction { func, mut args } = function;
                if let Some(time) = args.first_mut() {
                    *time = self.side(std::mem::replace(time, lit(ScalarValue::Null)))?;
                }
                Ok(Expr::ScalarFunction(ScalarFunction::new_udf(func, args)))
            }
            _ => Ok(Expr::ScalarFunction(function)),
        }
    }

    /// Replaces a function that keeps decimals, and converts decimals for one that takes doubles.
    fn of_decimals(&self, function: ScalarFunction) -> Result<ScalarFunction> {
        let ScalarFunction { func, args } = function;
        let given = args.iter().map(|of| self.type_of(of)).collect::<Result<Vec<_>>>()?;
        let is_exact = given.iter().all(|of| of.is_decimal() || of.is_integer());
        let has_decimal = given.iter().any(DataType::is_decimal);
        if !has_decimal {
            return Ok(ScalarFunction { func, args });
        }
        if let Some(ours) =
            decimal_call(func.name(), args.len()).and_then(functions::named).filter(|_| is_exact)
        {
            return Ok(ScalarFunction::new_udf(ours, args));
        }
        if !takes_doubles(func.name()) {
            return Ok(ScalarFunction { func, args });
        }
        let as_double = |(of, given): (Expr, DataType)| {
            if given.is_decimal() { datafusion::logical_expr::cast(of, DataType::Float64) } else { of }
        };
        Ok(ScalarFunction { func, args: args.into_iter().zip(given).map(as_double).collect() })
    }

    fn of_concat(&self, function: ScalarFunction) -> Result<Expr> {
        let mut parts = function.args.into_iter();
        let Some(first) = parts.next() else { return plan_err!("concat takes two texts or arrays") };
        parts.try_fold(first, |joined, part| {
            self.of_binary(BinaryExpr::new(Box::new(joined), Operator::StringConcat, Box::new(part)))
        })
    }

    /// Removes rounding of whole numbers, which would turn them into doubles.
    fn of_rounding(&self, function: ScalarFunction) -> Result<Expr> {
        match <[Expr; 1]>::try_from(function.args) {
            Ok([number]) if self.type_of(&number)?.is_integer() => Ok(number),
            Ok(other) => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function.func, other.into()))),
            Err(args) => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function.func, args))),
        }
    }

    fn refuse_array_in_concat_ws(&self, part: &Expr) -> Result<()> {
        match family(&self.type_of(part)?) {
            Family::Text => Ok(()),
            _ if self.type_of(part)?.is_null() => Ok(()),
            _ => plan_err!("concat_ws takes texts only: use array_join for an array"),
        }
    }

    /// Returns our own cast; `None` if the engine casts as Athena does.
    fn cast(&self, expression: &Expr, target: &DataType, is_try: bool) -> Result<Option<Expr>> {
        let given = self.type_of(expression)?;
        if is_special(&given) || is_special(target) {
            if given == *target {
                return Ok(None);
            }
            let name = if is_try { "try_cast_to" } else { "cast_to" };
            return call(name, vec![expression.clone(), lit(types::name(target))]).map(Some);
        }
        match casts::verdict(&given, target) {
            Verdict::Same => Ok(None),
            Verdict::Refused(advice) => {
                plan_err!("cannot cast {} to {}: {advice}", types::name(&given), types::name(target))
            }
            Verdict::Ours => {
                let function = casts::function(target, is_try);
                Ok(Some(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![expression.clone()]))))
            }
        }
    }
}

/// Calculates with two numbers. Whole numbers of 64 bits must not overflow, and decimals have the digits of Athena.
fn arithmetic(left: Expr, op: Operator, right: Expr, one: &DataType, other: &DataType) -> Result<Expr> {
    let is_wide = |of: &DataType| matches!(of, DataType::Int64 | DataType::UInt64);
    let is_exact = |of: &DataType| of.is_decimal() || of.is_integer() || of.is_null();
    let is_whole = one.is_integer() && other.is_integer();
    let has_decimal = one.is_decimal() || other.is_decimal();
    match (checked_operator(op), decimal_operator(op)) {
        (Some(name), _) if is_whole && (is_wide(one) || is_wide(other)) => call(name, vec![left, right]),
        (_, Some(name)) if has_decimal && is_exact(one) && is_exact(other) => call(name, vec![left, right]),
        _ => Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))),
    }
}

/// Whether a type has its own casts: JSON, IP addresses, arrays, maps and rows.
fn is_special(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::LargeUtf8
            | DataType::FixedSizeBinary(_)
            | DataType::List(_)
            | DataType::Map(..)
            | DataType::Struct(_)
    )
}

/// Returns the greatest or least value, or NULL if an argument is NULL.
fn null_if_any_is(function: ScalarFunction) -> Result<Expr> {
    let is_null = function.args.iter().map(|argument| argument.clone().is_null());
    let Some(any_is_null) = is_null.reduce(Expr::or) else { return plan_err!("no argument is given") };
    let value = Expr::ScalarFunction(function);
    let case = vec![(Box::new(!any_is_null), Box::new(value))];
    Ok(Expr::Case(Case::new(None, case, None)))
}

/// Rewrites a pattern to use the backslash as its escape.
fn with_backslashes(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut written = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            match letters.next() {
                Some(next) if "%_".contains(next) || Some(next) == escape => written.extend(['\\', next]),
                _ => {
                    return plan_err!("the escape in a pattern must come before %, _ or itself: '{pattern}'");
                }
            }
        } else if letter == '\\' {
            written.push_str("\\\\");
        } else {
            written.push(letter);
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_no_escape_unless_one_is_named() {
        for (pattern, escape, expected) in [
            ("a_b%", None, Some("a_b%")),
            ("a\\_b", None, Some("a\\\\_b")),
            ("a!_b!!", Some('!'), Some("a\\_b\\!")),
            ("a\\_b", Some('\\'), Some("a\\_b")),
            ("a!b", Some('!'), None),
            ("a!", Some('!'), None),
        ] {
            assert_eq!(with_backslashes(pattern, escape).ok().as_deref(), expected, "{pattern}");
        }
    }
}
