//! Opens a catalog by the name of its database.

use super::Catalog;
use crate::error::Result;
use crate::store::Connector;

/// Opens a database of the Glue catalog. Makes no request yet.
#[cfg(feature = "aws")]
pub fn open(connector: &Connector, database: &str) -> Result<Box<dyn Catalog>> {
    Ok(Box::new(super::glue::GlueCatalog::open(connector.aws()?, database)?))
}

/// Fails, because this build has no catalog client.
#[cfg(not(feature = "aws"))]
pub fn open(_: &Connector, database: &str) -> Result<Box<dyn Catalog>> {
    use crate::error::{Error, ErrorKind};

    Err(Error::new(ErrorKind::Usage, "this logmill was built without S3 and Glue")
        .with("database", database)
        .hint("build it with its default features"))
}
