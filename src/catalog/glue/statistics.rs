//! Column statistics for the optimiser of Athena.

use aws_sdk_glue::primitives::DateTime;
use aws_sdk_glue::types::{
    BooleanColumnStatisticsData, ColumnStatistics as GlueStatistics, ColumnStatisticsData,
    ColumnStatisticsType, DoubleColumnStatisticsData, LongColumnStatisticsData, StringColumnStatisticsData,
};

use super::catalog::GlueCatalog;
use super::wire::bug;
use crate::audit::{ColumnStatistics, ValueStatistics};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::store::s3::failure::{Asked, failure};
use crate::store::s3::request::Request;

/// Maximum columns in one call.
const BATCH: usize = 25;

impl GlueCatalog {
    /// Replaces the column statistics of a table.
    pub(super) async fn update_statistics(
        &self,
        table: &str,
        columns: &[ColumnStatistics],
        at: UtcInstant,
    ) -> Result<()> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot update column statistics in the catalog",
            target: &target,
            permission: "glue:UpdateTable",
        };
        for batch in columns.chunks(BATCH) {
            let list = batch.iter().map(|column| statistics(column, at)).collect::<Result<Vec<_>>>()?;
            let request = self.client.update_column_statistics_for_table().database_name(&self.database);
            let answer =
                request.table_name(table).set_column_statistics_list(Some(list)).send_through(self).await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            if let Some(refused) = answer.errors().first() {
                let column = refused.column_statistics().map(GlueStatistics::column_name);
                let detail = refused.error();
                return Err(Error::new(ErrorKind::Denied, "the catalog refused the statistics of a column")
                    .with("table", target)
                    .with("column", column.unwrap_or_default())
                    .with("code", detail.and_then(|detail| detail.error_code()).unwrap_or_default())
                    .hint("no action needed: the day is registered, and queries are only planned with less information"));
            }
        }
        Ok(())
    }
}

fn statistics(column: &ColumnStatistics, at: UtcInstant) -> Result<GlueStatistics> {
    GlueStatistics::builder()
        .column_name(&column.name)
        .column_type(column.hive_type())
        .analyzed_time(DateTime::from_millis(at.0))
        .statistics_data(data(column)?)
        .build()
        .map_err(bug)
}

fn data(column: &ColumnStatistics) -> Result<ColumnStatisticsData> {
    let (nulls, distinct) = (signed(column.nulls), signed(column.distinct));
    let long = |min: i64, max: i64| {
        let long = LongColumnStatisticsData::builder().minimum_value(min).maximum_value(max);
        long.number_of_nulls(nulls).number_of_distinct_values(distinct).build()
    };
    let data = ColumnStatisticsData::builder();
    let data = match column.values {
        ValueStatistics::Numbers { min, max, .. } => {
            data.r#type(ColumnStatisticsType::Long).long_column_statistics_data(long(min, max))
        }
        ValueStatistics::Doubles { min, max } => {
            let double = DoubleColumnStatisticsData::builder().minimum_value(min).maximum_value(max);
            let double = double.number_of_nulls(nulls).number_of_distinct_values(distinct).build();
            data.r#type(ColumnStatisticsType::Double).double_column_statistics_data(double)
        }
        // Hive counts times in seconds. Engines use the nulls and distinct values of times, not their bounds.
        ValueStatistics::Times { min, max } => {
            let seconds = long(min.div_euclid(1000), max.div_euclid(1000));
            data.r#type(ColumnStatisticsType::Long).long_column_statistics_data(seconds)
        }
        ValueStatistics::Texts { bytes, longest, count } => {
            let text = StringColumnStatisticsData::builder().maximum_length(signed(longest));
            let text = text.average_length(bytes as f64 / count.max(1) as f64);
            let text = text.number_of_nulls(nulls).number_of_distinct_values(distinct);
            data.r#type(ColumnStatisticsType::String).string_column_statistics_data(text.build())
        }
        ValueStatistics::Flags { trues, falses } => {
            let flags = BooleanColumnStatisticsData::builder().number_of_trues(signed(trues));
            let flags = flags.number_of_falses(signed(falses)).number_of_nulls(nulls).build();
            data.r#type(ColumnStatisticsType::Boolean).boolean_column_statistics_data(flags)
        }
    };
    data.build().map_err(bug)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_have_statistics_of_their_own() {
        let values = ValueStatistics::Doubles { min: -0.5, max: 2.25 };
        let column = ColumnStatistics { name: "seconds".to_owned(), nulls: 1, distinct: 9, values };
        let sent = statistics(&column, UtcInstant(0)).unwrap();
        assert_eq!(sent.column_type(), "double");
        let double = sent.statistics_data().and_then(ColumnStatisticsData::double_column_statistics_data);
        let double = double.unwrap();
        assert_eq!((double.minimum_value(), double.maximum_value()), (-0.5, 2.25));
        assert_eq!((double.number_of_nulls(), double.number_of_distinct_values()), (1, 9));
    }
}
