//! Selects the days that a statement can need, from its conditions alone and without reading a manifest.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::store::lake::PARTITION_KEY;

/// Days that a statement can name: this century. No log is older.
fn candidates() -> DayRange {
    // 2000-01-01 and 2100-01-01 in Korea.
    let [first, last] = [946_652_400_000, 4_102_412_400_000].map(|ms| KstDay::of(UtcInstant(ms)));
    DayRange { first, last }
}

/// Whether a condition depends on the day alone, so that it selects days exactly.
pub(super) fn is_about_days(condition: &Expr) -> bool {
    !condition.is_volatile()
        && datafusion::datasource::listing::helpers::expr_applicable_for_cols(&[PARTITION_KEY], condition)
}

/// The partition column.
pub(super) fn partition_field() -> Field {
    Field::new(PARTITION_KEY, DataType::Utf8, false)
}

/// Names of the event time columns, whose values the day bounds.
#[derive(Debug, Clone)]
pub(super) struct TimeColumns {
    /// Event time, UTC.
    pub(super) utc: String,
    /// Event time, KST wall clock.
    pub(super) kst: String,
}

/// Returns the days that can satisfy the conditions. All event times of a day fall within that day, so conditions on them
/// select days just as conditions on `proc_ymd` do.
pub(super) fn wanted(
    days: &[KstDay],
    conditions: &[Expr],
    schema: &SchemaRef,
    columns: &TimeColumns,
    session: &dyn Session,
) -> Result<Vec<KstDay>> {
    let mut days = days.to_vec();
    for condition in conditions.iter().filter(|condition| is_about_days(condition)) {
        let is_wanted = evaluate(condition, &days, session)?;
        days = kept(&days, &is_wanted);
    }
    let Some(all) = conjunction(conditions.iter().cloned()) else { return Ok(days) };
    let whole = DFSchema::try_from(Arc::clone(schema))?;
    let predicate = session.create_physical_expr(all, &whole)?;
    // A condition that cannot be evaluated on day bounds excludes no day.
    let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Some(pruning) = pruning.build(predicate) else { return Ok(days) };
    let may_hold = pruning.prune(&DayBounds { days: &days, columns })?;
    Ok(kept(&days, &may_hold))
}

/// Returns the days that conditions on `proc_ymd` name, published or not. The list is empty if no day satisfies them. `None`
/// means that no condition is about `proc_ymd`, or that the first or last day is open.
pub(super) fn named(conditions: &[Expr], session: &dyn Session) -> Option<Vec<KstDay>> {
    let candidates = candidates();
    let mut about_days = conditions.iter().filter(|condition| is_about_days(condition)).peekable();
    about_days.peek()?;
    let mut days: Vec<KstDay> = candidates.days().collect();
    for condition in about_days {
        // A condition that fails on some candidate day names no days.
        let is_named = evaluate(condition, &days, session).ok()?;
        days = kept(&days, &is_named);
    }
    let is_open = days.first() == Some(&candidates.first) || days.last() == Some(&candidates.last);
    (!is_open).then_some(days)
}

fn kept(days: &[KstDay], is_kept: &[bool]) -> Vec<KstDay> {
    days.iter().zip(is_kept).filter(|(_, is_kept)| **is_kept).map(|(day, _)| *day).collect()
}

/// Evaluates a condition on each day. NULL counts as false.
fn evaluate(condition: &Expr, days: &[KstDay], session: &dyn Session) -> Result<Vec<bool>> {
    let schema = Arc::new(Schema::new(vec![partition_field()]));
    let predicate =
        session.create_physical_expr(condition.clone(), &DFSchema::try_from(Arc::clone(&schema))?)?;
    let batch = RecordBatch::try_new(schema, vec![names(days)])?;
    let truth = predicate.evaluate(&batch)?.into_array(days.len())?;
    Ok(truth.as_boolean().iter().map(|truth| truth == Some(true)).collect())
}

fn names(days: &[KstDay]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(days.iter().map(|day| day.proc_ymd())))
}

/// Bounds on the rows of each day, known without reading the day.
struct DayBounds<'a> {
    days: &'a [KstDay],
    columns: &'a TimeColumns,
}

impl DayBounds<'_> {
    /// The bound of a column for each day; `None` for a column that the day does not bound.
    fn bounds(&self, column: &Column, instant: fn(KstDay) -> UtcInstant) -> Option<ArrayRef> {
        let times = |at: fn(UtcInstant) -> i64| -> ArrayRef {
            let times = self.days.iter().map(|day| at(instant(*day)));
            Arc::new(TimestampMillisecondArray::from_iter_values(times))
        };
        match &column.name {
            name if name == PARTITION_KEY => Some(names(self.days)),
            name if *name == self.columns.utc => Some(times(|instant| instant.0)),
            name if *name == self.columns.kst => Some(times(UtcInstant::kst_wall_clock_ms)),
            _ => None,
        }
    }
}

impl PruningStatistics for DayBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |day| day.window().start)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |day| day.window().end.plus_ms(-1))
    }

    fn num_containers(&self) -> usize {
        self.days.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
