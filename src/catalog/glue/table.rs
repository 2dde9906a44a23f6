//! The calls for the database and its tables.

use aws_sdk_glue::types::{DatabaseInput, Table};

use super::catalog::GlueCatalog;
use super::wire::{self, bug};
use crate::catalog::TableDefinition;
use crate::catalog::change::TableChange;
use crate::error::Result;
use crate::store::s3::failure::{Asked, code_of, failure};
use crate::store::s3::request::Request;

impl GlueCatalog {
    /// Whether the database exists.
    pub(super) async fn has_database(&self) -> Result<bool> {
        let asked = Asked {
            failing: "cannot look up the database in the catalog",
            target: &self.database,
            permission: "glue:GetDatabase",
        };
        match self.client.get_database().name(&self.database).send_through(self).await {
            Ok(_) => Ok(true),
            Err(error) if code_of(&error) == Some("EntityNotFoundException") => Ok(false),
            Err(error) => Err(failure(asked, &error)),
        }
    }

    /// Creates the database. Succeeds too if another process has just created it.
    pub(super) async fn create_database(&self) -> Result<()> {
        let asked = Asked {
            failing: "cannot create the database in the catalog",
            target: &self.database,
            permission: "glue:CreateDatabase",
        };
        let input = DatabaseInput::builder().name(&self.database).build().map_err(bug)?;
        match self.client.create_database().database_input(input).send_through(self).await {
            Ok(_) => Ok(()),
            Err(error) if code_of(&error) == Some("AlreadyExistsException") => Ok(()),
            Err(error) => Err(failure(asked, &error)),
        }
    }

    /// Returns a table in Glue's type.
    pub(super) async fn get_table(&self, table: &str) -> Result<Option<Table>> {
        let target = self.named(table);
        let asked = Asked {
            failing: "cannot look up the table in the catalog",
            target: &target,
            permission: "glue:GetTable",
        };
        match self.client.get_table().database_name(&self.database).name(table).send_through(self).await {
            Ok(answer) => Ok(answer.table),
            Err(error) if code_of(&error) == Some("EntityNotFoundException") => Ok(None),
            Err(error) => Err(failure(asked, &error)),
        }
    }

    /// Creates a table; `false` if another process has just created it.
    pub(super) async fn create_table(&self, wanted: &TableDefinition) -> Result<bool> {
        let target = self.named(&wanted.name);
        let asked = Asked {
            failing: "cannot create the table in the catalog",
            target: &target,
            permission: "glue:CreateTable",
        };
        let input = wire::table_input(wanted)?;
        let request = self.client.create_table().database_name(&self.database).table_input(input);
        match request.send_through(self).await {
            Ok(_) => Ok(true),
            Err(error) if code_of(&error) == Some("AlreadyExistsException") => Ok(false),
            Err(error) => Err(failure(asked, &error)),
        }
    }

    /// Changes a table if its version is still the one that was looked up; `false` if it is not.
    pub(super) async fn update_table(&self, table: Table, change: &TableChange) -> Result<bool> {
        let target = self.named(table.name());
        let asked = Asked {
            failing: "cannot update the table in the catalog",
            target: &target,
            permission: "glue:UpdateTable",
        };
        let version = table.version_id().map(str::to_owned);
        let input = wire::changed_table(table, change)?;
        let request = self.client.update_table().database_name(&self.database).table_input(input);
        match request.set_version_id(version).skip_archive(true).send_through(self).await {
            Ok(_) => Ok(true),
            Err(error) if code_of(&error) == Some("ConcurrentModificationException") => Ok(false),
            Err(error) => Err(failure(asked, &error)),
        }
    }
}
