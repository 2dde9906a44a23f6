//! The calls for partitions, in batches as large as Glue accepts.
//!
//! A batch can succeed although some of its entries are refused. Those are returned as [`Refusal`]s.

use aws_sdk_glue::operation::get_partitions::GetPartitionsOutput;
use aws_sdk_glue::types::{BatchUpdatePartitionRequestEntry, Partition, PartitionInput, PartitionValueList};

use super::catalog::{GlueCatalog, WRITE_BATCH};
use super::refusal::Refusal;
use super::wire::bug;
use crate::error::Result;
use crate::kst::KstDay;
use crate::store::lake::PARTITION_KEY;
use crate::store::s3::failure::{Asked, code_of, failure};
use crate::store::s3::request::Request;

/// Maximum values that one call looks up.
const GET_BATCH: usize = 1000;
/// How many lookups in a row may return every value as unprocessed.
const FRUITLESS_LOOKUPS: u32 = 2;
/// Maximum values that one call removes.
const DELETE_BATCH: usize = 25;

impl GlueCatalog {
    /// Returns the existing partitions among these values.
    ///
    /// Glue returns unprocessed values, and does not document whether values without a partition are among them. Values that
    /// it returns repeatedly are treated as having no partition. If that is wrong, creating the partition is refused.
    pub(super) async fn batch_get_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>> {
        let key = |value: &String| PartitionValueList::builder().values(value).build().map_err(bug);
        let mut found = Vec::new();
        for batch in values.chunks(GET_BATCH) {
            let mut open = batch.iter().map(key).collect::<Result<Vec<_>>>()?;
            let mut fruitless = 0;
            while !open.is_empty() && fruitless < FRUITLESS_LOOKUPS {
                let requested = open.len();
                let (partitions, unprocessed) = self.batch_get_once(table, open).await?;
                fruitless = if unprocessed.len() < requested { 0 } else { fruitless + 1 };
                found.extend(partitions);
                open = unprocessed;
            }
        }
        Ok(found)
    }

    /// Returns the partitions that were found, and the values that the service did not process.
    async fn batch_get_once(
        &self,
        table: &str,
        batch: Vec<PartitionValueList>,
    ) -> Result<(Vec<Partition>, Vec<PartitionValueList>)> {
        let request = self.client.batch_get_partition().database_name(&self.database).table_name(table);
        let answer = request.set_partitions_to_get(Some(batch)).send_through(self).await;
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot look up partitions in the catalog",
            target: &target,
            permission: "glue:BatchGetPartition",
        };
        let answer = answer.map_err(|error| failure(asked, &error))?;
        Ok((answer.partitions.unwrap_or_default(), answer.unprocessed_keys.unwrap_or_default()))
    }

    /// Returns all partitions of a table, or those of a range of days. The result is empty if the table does not exist.
    /// `light` omits their columns.
    pub(super) async fn get_partitions(
        &self,
        table: &str,
        days: Option<(KstDay, KstDay)>,
        light: bool,
    ) -> Result<Vec<Partition>> {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let mut page = self.get_partitions_page(table, days, light, token).await?;
            found.append(page.partitions.get_or_insert_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn get_partitions_page(
        &self,
        table: &str,
        days: Option<(KstDay, KstDay)>,
        light: bool,
        token: Option<String>,
    ) -> Result<GetPartitionsOutput> {
        let expression = days.map(|(first, last)| {
            let (first, last) = (first.proc_ymd(), last.proc_ymd());
            format!("{PARTITION_KEY} >= '{first}' AND {PARTITION_KEY} <= '{last}'")
        });
        let request = self.client.get_partitions().database_name(&self.database).table_name(table);
        let request = request.set_expression(expression).exclude_column_schema(light).set_next_token(token);
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot list the partitions of the table",
            target: &target,
            permission: "glue:GetPartitions",
        };
        match request.send_through(self).await {
            Ok(page) => Ok(page),
            Err(error) if code_of(&error) == Some("EntityNotFoundException") => {
                Ok(GetPartitionsOutput::builder().build())
            }
            Err(error) => Err(failure(asked, &error)),
        }
    }

    /// Creates partitions. Returns the refused entries.
    pub(super) async fn create_partitions(
        &self,
        table: &str,
        inputs: &[PartitionInput],
    ) -> Result<Vec<Refusal>> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot create partitions in the catalog",
            target: &target,
            permission: "glue:BatchCreatePartition",
        };
        let mut refusals = Vec::new();
        for batch in inputs.chunks(WRITE_BATCH) {
            let request =
                self.client.batch_create_partition().database_name(&self.database).table_name(table);
            let answer = request.set_partition_input_list(Some(batch.to_vec())).send_through(self).await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let refused = answer.errors().iter();
            refusals
                .extend(refused.map(|entry| Refusal::new(entry.partition_values(), entry.error_detail())));
        }
        Ok(refusals)
    }

    /// Replaces partitions. Returns the refused entries.
    pub(super) async fn update_partitions(
        &self,
        table: &str,
        inputs: &[PartitionInput],
    ) -> Result<Vec<Refusal>> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot update partitions in the catalog",
            target: &target,
            permission: "glue:BatchUpdatePartition",
        };
        let entry = |input: &PartitionInput| {
            let entry = BatchUpdatePartitionRequestEntry::builder().partition_input(input.clone());
            entry.set_partition_value_list(Some(input.values().to_vec())).build().map_err(bug)
        };
        let mut refusals = Vec::new();
        for batch in inputs.chunks(WRITE_BATCH) {
            let entries = batch.iter().map(entry).collect::<Result<Vec<_>>>()?;
            let request =
                self.client.batch_update_partition().database_name(&self.database).table_name(table);
            let answer = request.set_entries(Some(entries)).send_through(self).await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let refused = answer.errors().iter();
            refusals.extend(
                refused.map(|entry| Refusal::new(entry.partition_value_list(), entry.error_detail())),
            );
        }
        Ok(refusals)
    }

    /// Removes partitions. Returns the refused entries.
    pub(super) async fn delete_partitions(&self, table: &str, values: &[String]) -> Result<Vec<Refusal>> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot remove partitions from the catalog",
            target: &target,
            permission: "glue:BatchDeletePartition",
        };
        let key = |value: &String| PartitionValueList::builder().values(value).build().map_err(bug);
        let mut refusals = Vec::new();
        for batch in values.chunks(DELETE_BATCH) {
            let keys = batch.iter().map(key).collect::<Result<Vec<_>>>()?;
            let request =
                self.client.batch_delete_partition().database_name(&self.database).table_name(table);
            let answer = request.set_partitions_to_delete(Some(keys)).send_through(self).await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let refused = answer.errors().iter();
            refusals
                .extend(refused.map(|entry| Refusal::new(entry.partition_values(), entry.error_detail())));
        }
        Ok(refusals)
    }
}
