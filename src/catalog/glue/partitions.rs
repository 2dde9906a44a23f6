//! The calls about partitions, in batches as large as Glue takes them.
//!
//! A batch can succeed and still refuse some of its entries: those come back as [`Refusal`]s.

use aws_sdk_glue::operation::get_partitions::GetPartitionsOutput;
use aws_sdk_glue::types::{BatchUpdatePartitionRequestEntry, Partition, PartitionInput, PartitionValueList};

use super::catalog::{GlueCatalog, WRITE_BATCH};
use super::refusal::Refusal;
use super::wire::bug;
use crate::catalog::PARTITION_KEY;
use crate::error::Result;
use crate::kst::KstDay;
use crate::store::s3::failure::{Asked, code_of, failure};

/// Values that one call looks up at most.
const GET_BATCH: usize = 1000;
/// How often values are looked up of which Glue returns all.
const VAIN_LOOKUPS: u32 = 2;
/// Values that one call removes at most.
const DELETE_BATCH: usize = 25;

impl GlueCatalog {
    /// The partitions of these values that are there.
    ///
    /// Glue returns values that it did not come to, and does not say whether values without a partition are among them:
    /// what it returns again and again is taken to be without one. Should that be wrong, creating it is refused.
    pub(super) async fn batch_get_partitions(
        &self,
        table: &str,
        values: &[String],
    ) -> Result<Vec<Partition>> {
        let key = |value: &String| PartitionValueList::builder().values(value).build().map_err(bug);
        let mut found = Vec::new();
        for batch in values.chunks(GET_BATCH) {
            let mut open = batch.iter().map(key).collect::<Result<Vec<_>>>()?;
            let mut in_vain = 0;
            while !open.is_empty() && in_vain < VAIN_LOOKUPS {
                let asked_for = open.len();
                let (partitions, unprocessed) = self.batch_get_once(table, open).await?;
                in_vain = if unprocessed.len() < asked_for { 0 } else { in_vain + 1 };
                found.extend(partitions);
                open = unprocessed;
            }
        }
        Ok(found)
    }

    /// Partitions that were found, and values that the service had no time for.
    async fn batch_get_once(
        &self,
        table: &str,
        batch: Vec<PartitionValueList>,
    ) -> Result<(Vec<Partition>, Vec<PartitionValueList>)> {
        let request = self.client.batch_get_partition().database_name(&self.database).table_name(table);
        let answer = request.set_partitions_to_get(Some(batch)).send().await;
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot look up partitions in the catalog",
            target: &target,
            permission: "glue:BatchGetPartition",
        };
        let answer = answer.map_err(|error| failure(asked, &error))?;
        Ok((answer.partitions.unwrap_or_default(), answer.unprocessed_keys.unwrap_or_default()))
    }

    /// All partitions of a table, or those of a range of days; none if the table does not exist. `light` leaves their
    /// columns out.
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
        match request.send().await {
            Ok(page) => Ok(page),
            Err(error) if code_of(&error) == Some("EntityNotFoundException") => {
                Ok(GetPartitionsOutput::builder().build())
            }
            Err(error) => Err(failure(asked, &error)),
        }
    }

    /// Creates partitions; returns those that were refused.
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
            let answer = request.set_partition_input_list(Some(batch.to_vec())).send().await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let refused = answer.errors().iter();
            refusals
                .extend(refused.map(|entry| Refusal::new(entry.partition_values(), entry.error_detail())));
        }
        Ok(refusals)
    }

    /// Replaces partitions; returns those that were refused.
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
            let answer = request.set_entries(Some(entries)).send().await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let refused = answer.errors().iter();
            refusals.extend(
                refused.map(|entry| Refusal::new(entry.partition_value_list(), entry.error_detail())),
            );
        }
        Ok(refusals)
    }

    /// Removes partitions; returns those that were refused.
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
            let answer = request.set_partitions_to_delete(Some(keys)).send().await;
            let answer = answer.map_err(|error| failure(asked, &error))?;
            let refused = answer.errors().iter();
            refusals
                .extend(refused.map(|entry| Refusal::new(entry.partition_values(), entry.error_detail())));
        }
        Ok(refusals)
    }
}
