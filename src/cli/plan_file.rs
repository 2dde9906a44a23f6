//! The plan of a day, in a file or in an object of a bucket, and the staging place that goes with it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::receipt::Receipt;
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

    /// Puts the receipt of the plan in its place. A plan that came through a pipe has none.
    pub(super) fn leave_receipt(&self, json: &str) -> Result<()> {
        if self.pipe().is_some() { Ok(()) } else { self.write(json) }
    }

    /// Where it is, if it comes through a pipe: `/dev/stdin`, or what a shell makes of `<(...)`.
    fn pipe(&self) -> Option<PathBuf> {
        let path = self.folder.local_path(self.name)?;
        std::fs::metadata(&path).is_ok_and(|meta| meta.file_type().is_fifo()).then_some(path)
    }

    fn content(&self) -> Result<Option<Vec<u8>>> {
        let Some(pipe) = self.pipe() else { return self.folder.read_up_to(self.name, MOST_PLAN_BYTES) };
        let mut content = Vec::new();
        let read = File::open(pipe).and_then(|file| file.take(MOST_PLAN_BYTES).read_to_end(&mut content));
        read.map_err(|cause| Error::unusable("cannot read the plan", cause).with("file", self.address))?;
        Ok(Some(content))
    }

    /// Reads what is there.
    pub(super) fn read(&self) -> Result<Planned> {
        let missing = || {
            Error::new(ErrorKind::Usage, "no plan found")
                .with("file", self.address)
                .hint("create one with 'logmill plan --plan FILE'")
        };
        let json = self.content()?.ok_or_else(missing)?;
        let about = |error: Error| error.with("file", self.address);
        if Receipt::is_one(&json) {
            return Receipt::from_json(&json).map(Planned::Published).map_err(about);
        }
        let id = hexadecimal(&Sha256::digest(&json));
        let beginning = json[..json.len().min(BEGINNING_BYTES)].to_vec();
        let id = PlanId { id, bytes: json.len() as u64, beginning };
        Ok(Planned::Plan(Plan::from_json(json).map_err(about)?, id))
    }

    /// Whether a plan that was read from here is still there, by its length and its beginning, which holds a secret drawn
    /// for it alone.
    pub(super) fn standing(&self, plan: &PlanId) -> Result<Standing> {
        if self.pipe().is_some() {
            return Ok(Standing::Stands);
        }
        let unreadable = |cause| Error::unusable("cannot read the plan", cause).with("file", self.address);
        let Some(file) = self.folder.open(self.name)? else { return Ok(Standing::Replaced) };
        let length = usize::try_from(file.bytes()).unwrap_or(usize::MAX).min(BEGINNING_BYTES);
        let found = file.read_at(0, length).map_err(unreadable)?;
        Ok(if Receipt::is_one(&found) {
            Standing::Published
        } else if file.bytes() == plan.bytes && found == plan.beginning {
            Standing::Stands
        } else {
            Standing::Replaced
        })
    }
}

/// Bytes of a plan at most: it names each object.
const MOST_PLAN_BYTES: u64 = 2 << 30;

/// Bytes from the beginning of a plan that tell it from any other.
const BEGINNING_BYTES: usize = 512;

/// What stands at the address of a plan.
pub(super) enum Planned {
    /// A plan.
    Plan(Plan, PlanId),
    /// The receipt of one that is published.
    Published(Receipt),
}

/// How a plan is known again.
pub(super) struct PlanId {
    /// Its checksum, by which shards are matched to it.
    pub(super) id: String,
    bytes: u64,
    beginning: Vec<u8>,
}

/// What has become of a plan since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is where it was.
    Stands,
    /// Its receipt is, or that of another plan.
    Published,
    /// Another plan is, or none.
    Replaced,
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
