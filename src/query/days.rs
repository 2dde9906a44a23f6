//! Which days of a table a statement can want, told from its conditions alone: no manifest is read for that.

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

/// Name of the partition column.
pub(super) const PARTITION_COLUMN: &str = "proc_ymd";

/// Days that a statement can name: those of this century. No log is older.
fn candidates() -> DayRange {
    // 2000-01-01 and 2100-01-01 in Korea.
    let [first, last] = [946_652_400_000, 4_102_412_400_000].map(|ms| KstDay::of(UtcInstant(ms)));
    DayRange { first, last }
}

/// Whether a condition looks at nothing but the day: then the days that it leaves are exact.
pub(super) fn is_about_days(condition: &Expr) -> bool {
    !condition.is_volatile()
        && datafusion::datasource::listing::helpers::expr_applicable_for_cols(&[PARTITION_COLUMN], condition)
}

/// The column of the partition.
pub(super) fn partition_field() -> Field {
    Field::new(PARTITION_COLUMN, DataType::Utf8, false)
}

/// Names of the columns that follow from the day.
#[derive(Debug, Clone)]
pub(super) struct TimeColumns {
    /// Event time, UTC.
    pub(super) utc: String,
    /// The Korean wall clock.
    pub(super) kst: String,
}

/// The days that conditions leave. A day is closed: its event times lie within it, so that conditions on them choose days
/// just as conditions on `proc_ymd` do.
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
    // A condition that cannot be told of days chooses none out.
    let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Some(pruning) = pruning.build(predicate) else { return Ok(days) };
    let may_hold = pruning.prune(&DayBounds { days: &days, columns })?;
    Ok(kept(&days, &may_hold))
}

/// The days that conditions on `proc_ymd` name, published or not: an empty list if no day can fit them, and `None` if there
/// is no such condition or the first or last day is left open.
pub(super) fn named(conditions: &[Expr], session: &dyn Session) -> Option<Vec<KstDay>> {
    let candidates = candidates();
    let mut about_days = conditions.iter().filter(|condition| is_about_days(condition)).peekable();
    about_days.peek()?;
    let mut days: Vec<KstDay> = candidates.days().collect();
    for condition in about_days {
        // A condition that fails on a day that is not there says nothing of days.
        let is_named = evaluate(condition, &days, session).ok()?;
        days = kept(&days, &is_named);
    }
    let is_open = days.first() == Some(&candidates.first) || days.last() == Some(&candidates.last);
    (!is_open).then_some(days)
}

fn kept(days: &[KstDay], is_kept: &[bool]) -> Vec<KstDay> {
    days.iter().zip(is_kept).filter(|(_, is_kept)| **is_kept).map(|(day, _)| *day).collect()
}

/// Whether a condition on the day is true, day by day.
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

/// What is known of the rows of a day before it is looked at.
struct DayBounds<'a> {
    days: &'a [KstDay],
    columns: &'a TimeColumns,
}

impl DayBounds<'_> {
    /// An instant of each day, as a column has it.
    fn bounds(&self, column: &Column, instant: fn(KstDay) -> UtcInstant) -> Option<ArrayRef> {
        let times = |at: fn(UtcInstant) -> i64| -> ArrayRef {
            let times = self.days.iter().map(|day| at(instant(*day)));
            Arc::new(TimestampMillisecondArray::from_iter_values(times))
        };
        match &column.name {
            name if name == PARTITION_COLUMN => Some(names(self.days)),
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
