//! The plan of a day, in a file or an S3 object, and the staging location that belongs to it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::receipt::Receipt;
use crate::convert::{Staging, hexadecimal};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::Plan;
use crate::store::{Connector, Lake, LakeAccess};

/// The location of a plan that exists or will be written.
pub struct PlanFile<'a> {
    address: &'a str,
    folder: Box<dyn Lake>,
    name: &'a str,
}

impl<'a> PlanFile<'a> {
    /// Parses a local path or `s3://bucket/key`. Uses the settings of the lake for a plan in a bucket.
    pub fn at(address: &'a str, access: &LakeAccess, connector: &Connector) -> Result<Self> {
        let invalid = || {
            Error::new(ErrorKind::Usage, "invalid path of a plan")
                .with("plan", address)
                .hint("pass a path or s3://bucket/key")
        };
        let (folder, name) = match (address.strip_prefix("s3://"), address.rsplit_once('/')) {
            (Some(key), _) if !key.contains('/') => return Err(invalid()),
            (None, None) => (".", address),
            (None, Some(("", name))) => ("/", name),
            (_, Some(parts)) => parts,
            (Some(_), None) => return Err(invalid()),
        };
        if name.is_empty() {
            return Err(invalid());
        }
        Ok(Self { address, folder: connector.staging(folder, &temporary(access))?, name })
    }

    /// A plan in a folder of a simulation.
    #[cfg(all(test, feature = "aws"))]
    pub(crate) fn over(folder: Box<dyn Lake>, name: &'a str) -> Self {
        Self { address: name, folder, name }
    }

    /// Writes the plan, atomically replacing an earlier one.
    pub fn write(&self, json: &str) -> Result<()> {
        self.folder.write(self.name, json.as_bytes())
    }

    /// Replaces a plan with its receipt, unless another plan took its place. A plan from a pipe gets no receipt.
    pub fn leave_receipt(&self, plan: &PlanId, receipt: &Receipt) -> Result<()> {
        if self.pipe().is_some() || self.state(plan)? != PlanState::Unchanged {
            return Ok(());
        }
        self.write(&receipt.to_json()?)
    }

    /// Returns the path of the plan if it is a pipe: `/dev/stdin`, or the path that a shell creates for `<(...)`.
    fn pipe(&self) -> Option<PathBuf> {
        let path = self.folder.local_path(self.name)?;
        std::fs::metadata(&path).is_ok_and(|meta| meta.file_type().is_fifo()).then_some(path)
    }

    fn content(&self) -> Result<Option<Vec<u8>>> {
        let Some(pipe) = self.pipe() else { return self.folder.read_up_to(self.name, MAX_PLAN_BYTES) };
        let mut content = Vec::new();
        let read = File::open(pipe).and_then(|file| file.take(MAX_PLAN_BYTES).read_to_end(&mut content));
        read.map_err(|cause| Error::unusable("cannot read the plan", cause).with("file", self.address))?;
        Ok(Some(content))
    }

    /// Reads the plan, or its receipt.
    pub fn read(&self) -> Result<Planned> {
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

    /// Checks whether a plan that was read from here is still here. Compares its length and its beginning, which contains
    /// a secret generated for this plan.
    pub fn state(&self, plan: &PlanId) -> Result<PlanState> {
        if self.pipe().is_some() {
            return Ok(PlanState::Unchanged);
        }
        let unreadable = |cause| Error::unusable("cannot read the plan", cause).with("file", self.address);
        let Some(file) = self.folder.open(self.name)? else { return Ok(PlanState::Replaced) };
        let length = usize::try_from(file.bytes()).unwrap_or(usize::MAX).min(BEGINNING_BYTES);
        let found = file.read_at(0, length).map_err(unreadable)?;
        Ok(if Receipt::is_one(&found) {
            PlanState::Published
        } else if file.bytes() == plan.bytes && found == plan.beginning {
            PlanState::Unchanged
        } else {
            PlanState::Replaced
        })
    }
}

/// Maximum size of a plan in bytes. A plan names each object.
const MAX_PLAN_BYTES: u64 = 2 << 30;

/// Number of bytes at the beginning of a plan that distinguish it from any other.
const BEGINNING_BYTES: usize = 512;

/// The content at the location of a plan.
pub enum Planned {
    /// A plan.
    Plan(Plan, PlanId),
    /// The receipt of a published plan.
    Published(Receipt),
}

/// Identifies a plan that was read.
pub struct PlanId {
    /// The checksum of the plan. Shards name it.
    pub id: String,
    bytes: u64,
    beginning: Vec<u8>,
}

/// Whether a plan has changed since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// The plan is still there.
    Unchanged,
    /// A receipt took its place: its own or that of another plan.
    Published,
    /// Another plan took its place, or it was removed.
    Replaced,
}

/// Opens the location that collects the shards of a day: a folder or `s3://bucket/prefix`.
pub fn staging(address: &str, day: KstDay, access: &LakeAccess, connector: &Connector) -> Result<Staging> {
    Ok(Staging::new(connector.staging(address, &temporary(access))?, day))
}

/// Returns the settings for objects that are kept for hours: those of the lake without its storage class, because other
/// classes than the default one charge for months.
fn temporary(access: &LakeAccess) -> LakeAccess {
    LakeAccess { storage_class: None, ..access.clone() }
}
