//! The plan of a day, in a file or in an object of a bucket, and the staging place that goes with it.

use sha2::{Digest, Sha256};

use super::settings::Settings;
use crate::convert::{Staging, hexadecimal};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::Plan;
use crate::store::{Connector, Lake, LakeAccess};

/// Where a plan is, or will be.
pub(super) struct PlanFile<'a> {
    address: &'a str,
    folder: Box<dyn Lake>,
    name: &'a str,
}

impl<'a> PlanFile<'a> {
    /// A path of this machine, or `s3://bucket/key`.
    pub(super) fn at(address: &'a str, settings: &Settings, connector: &Connector) -> Result<Self> {
        let no_file = || {
            Error::new(ErrorKind::Usage, "this is no address of a plan")
                .with("plan", address)
                .hint("write a path, or s3://bucket/key")
        };
        let (folder, name) = match (address.strip_prefix("s3://"), address.rsplit_once('/')) {
            (Some(key), _) if !key.contains('/') => return Err(no_file()),
            (None, None) => (".", address),
            (None, Some(("", name))) => ("/", name),
            (_, Some(parts)) => parts,
            (Some(_), None) => return Err(no_file()),
        };
        if name.is_empty() {
            return Err(no_file());
        }
        Ok(Self { address, folder: connector.staging(folder, &temporary(settings))?, name })
    }

    /// Writes the plan, replacing what is there in one step.
    pub(super) fn write(&self, json: &str) -> Result<()> {
        self.folder.write(self.name, json.as_bytes())
    }

    /// Reads the plan, and its checksum, by which shards are matched to it.
    pub(super) fn read(&self) -> Result<(Plan, String)> {
        let missing = || {
            Error::new(ErrorKind::Usage, "cannot read the plan")
                .with("file", self.address)
                .hint("there is none: make one with 'logmill plan --plan'; 'publish --remove-staging' removes that of a published day")
        };
        let json = self.folder.read(self.name)?.ok_or_else(missing)?;
        let id = hexadecimal(&Sha256::digest(&json));
        let plan = Plan::from_json(json).map_err(|error| error.with("file", self.address))?;
        Ok((plan, id))
    }

    /// Removes the plan.
    pub(super) fn remove(&self) -> Result<()> {
        self.folder.remove(self.name)
    }
}

/// The place where the shards of a day meet: a folder, or `s3://bucket/prefix`.
pub(super) fn staging(
    address: &str,
    day: KstDay,
    settings: &Settings,
    connector: &Connector,
) -> Result<Staging> {
    Ok(Staging::new(connector.staging(address, &temporary(settings))?, day))
}

/// What stays for hours is written as the lake is, but for the storage class: others than the usual one charge for months.
fn temporary(settings: &Settings) -> LakeAccess {
    LakeAccess { storage_class: None, ..settings.lake.access.clone() }
}
