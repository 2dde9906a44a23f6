//! From the name of a database to its catalog.

use super::Catalog;
use crate::error::Result;
use crate::store::Connector;

/// Opens a database of the Glue catalog; nothing is asked yet.
#[cfg(feature = "aws")]
pub fn open(connector: &Connector, database: &str) -> Result<Box<dyn Catalog>> {
    Ok(Box::new(super::glue::GlueCatalog::open(connector.aws()?, database)?))
}

/// Fails: nobody here can ask a catalog.
#[cfg(not(feature = "aws"))]
pub fn open(_: &Connector, database: &str) -> Result<Box<dyn Catalog>> {
    use crate::error::{Error, ErrorKind};

    Err(Error::new(ErrorKind::Usage, "this logmill was built without S3 and Glue")
        .with("database", database)
        .hint("build it with its default features"))
}
