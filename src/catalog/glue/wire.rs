//! Converts our definitions to the types of Glue and back.
//!
//! Glue replaces whole tables and partitions. Fields that are not ours to change are therefore sent back unchanged.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_glue::error::BuildError;
use aws_sdk_glue::types::{
    Column, Partition, PartitionInput, SerDeInfo, StorageDescriptor, Table, TableInput,
};

use crate::catalog::change::{ExistingTable, TableChange};
use crate::catalog::table::{INPUT_FORMAT, OUTPUT_FORMAT, SERDE};
use crate::catalog::{CatalogColumn, ExistingPartition, PartitionDefinition, TableDefinition};
use crate::error::{Error, Result};
use crate::store::lake::PARTITION_KEY;

/// Creates the error for an incomplete request, which is a defect of this program.
pub(super) fn bug(cause: BuildError) -> Error {
    Error::bug("cannot build a request to the catalog").caused_by(cause)
}

/// Returns the value of our only partition key; empty if there are more keys.
pub(super) fn value_of(values: &[String]) -> &str {
    match values {
        [value] => value,
        _ => "",
    }
}

/// Returns the input for a new table.
pub(super) fn table_input(wanted: &TableDefinition) -> Result<TableInput> {
    let key = Column::builder().name(PARTITION_KEY).r#type("string").comment("KST day, YYYYMMDD");
    TableInput::builder()
        .name(&wanted.name)
        .description(&wanted.description)
        .table_type("EXTERNAL_TABLE")
        .set_parameters(Some(wanted.parameters().into_iter().collect()))
        .partition_keys(key.build().map_err(bug)?)
        .storage_descriptor(descriptor(&wanted.columns, &wanted.location)?)
        .build()
        .map_err(bug)
}

/// Returns the input for a changed table. It keeps all other fields, except those that Glue does not let clients set.
pub(super) fn changed_table(table: Table, change: &TableChange) -> Result<TableInput> {
    let new = change.columns.iter().map(column).collect::<Result<Vec<_>>>()?;
    let mut storage = table.storage_descriptor;
    if let Some(storage) = &mut storage {
        storage.columns.get_or_insert_default().extend(new);
    }
    let mut parameters = table.parameters.unwrap_or_default();
    for (name, value) in &change.parameters {
        match value {
            Some(value) => drop(parameters.insert(name.clone(), value.clone())),
            None => drop(parameters.remove(name)),
        }
    }
    TableInput::builder()
        .name(table.name)
        .set_description(table.description)
        .set_owner(table.owner)
        .set_last_access_time(table.last_access_time)
        .set_last_analyzed_time(table.last_analyzed_time)
        .retention(table.retention)
        .set_storage_descriptor(storage)
        .set_partition_keys(table.partition_keys)
        .set_view_original_text(table.view_original_text)
        .set_view_expanded_text(table.view_expanded_text)
        .set_table_type(table.table_type)
        .set_parameters(Some(parameters))
        .set_target_table(table.target_table)
        .set_federated_table(table.federated_table)
        .build()
        .map_err(bug)
}

/// Returns the input for a new or replaced partition. It keeps parameters that are not ours.
pub(super) fn partition_input(
    wanted: &PartitionDefinition,
    existing: Option<&Partition>,
) -> Result<PartitionInput> {
    let mut parameters: HashMap<String, String> =
        existing.and_then(Partition::parameters).cloned().unwrap_or_default();
    parameters.extend(wanted.parameters.clone());
    let input = PartitionInput::builder()
        .values(wanted.value())
        .set_parameters(Some(parameters))
        .storage_descriptor(descriptor(&wanted.columns, &wanted.location)?);
    Ok(input.build())
}

/// Returns the input for a partition with columns added after the existing ones. It keeps all other fields.
pub(super) fn widened_partition(partition: Partition, columns: &[CatalogColumn]) -> Result<PartitionInput> {
    let new = columns.iter().map(column).collect::<Result<Vec<_>>>()?;
    let mut storage = partition.storage_descriptor;
    if let Some(storage) = &mut storage {
        storage.columns.get_or_insert_default().extend(new);
    }
    Ok(PartitionInput::builder()
        .set_values(partition.values)
        .set_last_access_time(partition.last_access_time)
        .set_storage_descriptor(storage)
        .set_parameters(partition.parameters)
        .set_last_analyzed_time(partition.last_analyzed_time)
        .build())
}

/// Returns an existing table in our type.
pub(super) fn existing_table(table: &Table) -> ExistingTable {
    let storage = table.storage_descriptor();
    let serde = storage.and_then(StorageDescriptor::serde_info).and_then(SerDeInfo::serialization_library);
    ExistingTable {
        kind: table.table_type().unwrap_or_default().to_owned(),
        columns: columns_of(storage.map(StorageDescriptor::columns)),
        partition_keys: columns_of(Some(table.partition_keys())),
        location: storage.and_then(StorageDescriptor::location).unwrap_or_default().to_owned(),
        serde: serde.unwrap_or_default().to_owned(),
        parameters: sorted(table.parameters()),
    }
}

/// Returns an existing partition in our type.
pub(super) fn existing_partition(partition: &Partition) -> ExistingPartition {
    let storage = partition.storage_descriptor();
    ExistingPartition {
        value: value_of(partition.values()).to_owned(),
        location: storage.and_then(StorageDescriptor::location).unwrap_or_default().to_owned(),
        columns: columns_of(storage.map(StorageDescriptor::columns)),
        parameters: sorted(partition.parameters()),
    }
}

fn columns_of(columns: Option<&[Column]>) -> Vec<CatalogColumn> {
    let known = |column: &Column| CatalogColumn {
        name: column.name().to_owned(),
        hive_type: column.r#type().unwrap_or_default().to_owned(),
        comment: column.comment().unwrap_or_default().to_owned(),
    };
    columns.unwrap_or_default().iter().map(known).collect()
}

fn sorted(parameters: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    let pairs = parameters.into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn column(column: &CatalogColumn) -> Result<Column> {
    let comment = Some(column.comment.clone()).filter(|comment| !comment.is_empty());
    Column::builder().name(&column.name).r#type(&column.hive_type).set_comment(comment).build().map_err(bug)
}

/// Returns the storage descriptor of our files.
fn descriptor(columns: &[CatalogColumn], location: &str) -> Result<StorageDescriptor> {
    let serde =
        SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1").build();
    Ok(StorageDescriptor::builder()
        .set_columns(Some(columns.iter().map(column).collect::<Result<Vec<_>>>()?))
        .location(location)
        .input_format(INPUT_FORMAT)
        .output_format(OUTPUT_FORMAT)
        .compressed(true)
        .number_of_buckets(-1)
        .serde_info(serde)
        .build())
}
