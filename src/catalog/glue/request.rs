//! The requests to Glue, and the one place that sends them. The simulation of `tests/sim` answers them there.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

use super::GlueCatalog;
use crate::store::s3::request::requests;

requests! {
    aws_sdk_glue through GlueCatalog;
    batch_create_partition: BatchCreatePartitionFluentBuilder, BatchCreatePartitionOutput, BatchCreatePartitionError, BatchCreate, batch_create;
    batch_delete_partition: BatchDeletePartitionFluentBuilder, BatchDeletePartitionOutput, BatchDeletePartitionError, BatchDelete, batch_delete;
    batch_get_partition: BatchGetPartitionFluentBuilder, BatchGetPartitionOutput, BatchGetPartitionError, BatchGet, batch_get;
    batch_update_partition: BatchUpdatePartitionFluentBuilder, BatchUpdatePartitionOutput, BatchUpdatePartitionError, BatchUpdate, batch_update;
    create_database: CreateDatabaseFluentBuilder, CreateDatabaseOutput, CreateDatabaseError, CreateDatabase, create_database;
    create_table: CreateTableFluentBuilder, CreateTableOutput, CreateTableError, CreateTable, create_table;
    get_database: GetDatabaseFluentBuilder, GetDatabaseOutput, GetDatabaseError, GetDatabase, database;
    get_partitions: GetPartitionsFluentBuilder, GetPartitionsOutput, GetPartitionsError, GetPartitions, partitions;
    get_table: GetTableFluentBuilder, GetTableOutput, GetTableError, GetTable, table;
    update_column_statistics_for_table: UpdateColumnStatisticsForTableFluentBuilder, UpdateColumnStatisticsForTableOutput, UpdateColumnStatisticsForTableError, UpdateStatistics, update_statistics;
    update_table: UpdateTableFluentBuilder, UpdateTableOutput, UpdateTableError, UpdateTable, update_table;
}
