//! The fields after the user agent: S3 writes them all, without quotes, and as many as it knew at the time.

use memchr::memchr;

use super::cursor::{find_stamp, is_signature_version, present};
use super::fault::{Fault, Reason};
use super::fields::Field;

/// The fields after the user agent.
#[derive(Clone, Copy)]
pub(super) struct Tail<'a> {
    /// From the version id to the source region.
    pub(super) fields: [Option<&'a [u8]>; TAIL.len()],
    /// What follows them.
    pub(super) extra: Option<&'a [u8]>,
    /// Whether the host id is two tokens.
    pub(super) joined: bool,
    /// Whether the line is recent enough to have a signature version.
    signed: bool,
}

/// The fields of the tail in their order.
const TAIL: [Field; 10] = [
    Field::VersionId,
    Field::HostId,
    Field::SignatureVersion,
    Field::CipherSuite,
    Field::AuthenticationType,
    Field::HostHeader,
    Field::TlsVersion,
    Field::AccessPointArn,
    Field::AclRequired,
    Field::SourceRegion,
];

impl<'a> Tail<'a> {
    /// Reads from the end of the user agent on. Old lines have fewer fields or none. The caller's id may precede the
    /// host id; a dash in its place counts only if `names_caller`.
    pub(super) fn read(line: &'a [u8], at: usize, names_caller: bool) -> Result<Self, Fault> {
        if line.get(at).is_some_and(|&byte| byte != b' ') {
            return Err(Fault::new(Reason::StrayQuote, Field::VersionId, at));
        }
        if let Some(offset) = find_stamp(&line[at..]) {
            return Err(Fault::new(Reason::MergedLines, Field::VersionId, at + offset));
        }
        match Self::split(line, at, 1) {
            Err(fault) if fault.reason == Reason::BadSignatureVersion => {
                Self::split(line, at, 2).ok().and_then(|tail| tail.joined(names_caller)).ok_or(fault)
            }
            tail => tail,
        }
    }

    /// Cuts at the spaces; the host id takes so many tokens. The signature version must be one.
    fn split(line: &'a [u8], mut at: usize, host_tokens: usize) -> Result<Self, Fault> {
        let mut tail =
            Self { fields: [None; TAIL.len()], extra: None, joined: host_tokens > 1, signed: false };
        for (slot, field) in tail.fields.iter_mut().zip(TAIL) {
            if at >= line.len() {
                return Ok(tail);
            }
            let start = at + 1;
            let tokens = if field == Field::HostId { host_tokens } else { 1 };
            for _ in 0..tokens {
                at = end_of_token(line, at + 1);
            }
            let token = &line[start.min(at)..at];
            if token.is_empty() {
                return Err(Fault::new(Reason::EmptyField, field, start));
            }
            if field == Field::SignatureVersion && !is_signature_version(token) {
                return Err(Fault::new(Reason::BadSignatureVersion, field, start));
            }
            tail.signed |= field == Field::SignatureVersion;
            *slot = present(token);
        }
        tail.extra = line.get(at + 1..);
        Ok(tail)
    }

    /// This tail if its host id of two tokens makes sense: a signature version follows, and a caller or, if `names_caller`,
    /// a dash precedes, which is then left out.
    fn joined(mut self, names_caller: bool) -> Option<Self> {
        let both = self.fields[1]?;
        let space = memchr(b' ', both)?;
        let (caller, host_id) = (present(&both[..space]), present(&both[space + 1..]));
        if caller.is_none() {
            self.fields[1] = host_id;
        }
        let known = host_id.is_some_and(|host_id| !host_id.is_empty());
        (self.signed && known && (caller.is_some() || names_caller)).then_some(self)
    }

    /// Whether there are a host id and a signature version, as in all lines since 2019.
    pub(super) fn is_complete(&self) -> bool {
        self.signed && self.fields[1].is_some()
    }
}

/// The next space from `at` on, or the end of the line.
fn end_of_token(line: &[u8], at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    memchr(b' ', rest).map_or(line.len(), |length| at + length)
}
