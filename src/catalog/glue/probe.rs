//! One cheap lookup for each read permission. It tests whether the lookup is allowed, not what it finds.

use std::future::Future;

use aws_sdk_glue::types::PartitionValueList;

use super::catalog::GlueCatalog;
use super::wire::bug;
use crate::catalog::Probe;
use crate::error::Result;
use crate::store::s3::failure::{Asked, code_of, failure};
use crate::store::s3::request::Request;

/// A partition value that is not a day.
const NO_DAY: &str = "00000000";

impl GlueCatalog {
    /// Tries the lookups for a table, which need not exist.
    pub(super) async fn try_look_ups(&self, table: &str) -> Vec<Probe> {
        vec![
            probe("glue:GetDatabase", async { self.has_database().await.map(drop) }).await,
            probe("glue:GetTable", async { self.get_table(table).await.map(drop) }).await,
            probe("glue:GetPartitions", self.try_get_partitions(table)).await,
            probe("glue:BatchGetPartition", self.try_batch_get(table)).await,
        ]
    }

    async fn try_get_partitions(&self, table: &str) -> Result<()> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot list the partitions of the table",
            target: &target,
            permission: "glue:GetPartitions",
        };
        let request = self.client.get_partitions().database_name(&self.database).table_name(table);
        match request.exclude_column_schema(true).max_results(1).send_through(self).await {
            Err(error) if code_of(&error) != Some("EntityNotFoundException") => Err(failure(asked, &error)),
            _ => Ok(()),
        }
    }

    async fn try_batch_get(&self, table: &str) -> Result<()> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot look up partitions in the catalog",
            target: &target,
            permission: "glue:BatchGetPartition",
        };
        let no_day = PartitionValueList::builder().values(NO_DAY).build().map_err(bug)?;
        let request = self.client.batch_get_partition().database_name(&self.database).table_name(table);
        match request.partitions_to_get(no_day).send_through(self).await {
            Err(error) if code_of(&error) != Some("EntityNotFoundException") => Err(failure(asked, &error)),
            _ => Ok(()),
        }
    }
}

async fn probe(permission: &'static str, tried: impl Future<Output = Result<()>>) -> Probe {
    Probe { permission, outcome: tried.await }
}
