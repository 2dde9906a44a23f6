//! The fields after the user agent: S3 writes them all, without quotes, and as many as it knew at the time.

use memchr::memchr;

use super::cursor::{is_signature_version, present};
use super::eras::SINCE_2019;
use super::fault::{Fault, Reason};
use super::field::Field;
use super::scan::{is_printed, next_space};
use super::time::find_stamp;

/// The fields after the user agent.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing about the same text")]
pub(super) struct Tail<'a> {
    /// From the version id to the source region.
    pub(super) fields: [Option<&'a [u8]>; TAIL.len()],
    /// What follows them.
    pub(super) extra: Option<&'a [u8]>,
    /// How many of the fields are there.
    count: u8,
    /// Whether all of it is printed ASCII text.
    pub(super) is_printed: bool,
    /// Whether the host id is two tokens.
    pub(super) joined: bool,
    /// Whether the line is recent enough to have a signature version.
    signed: bool,
    /// Whether a token starts like a time.
    bracket: bool,
}

/// Which token too many before the host id is taken for the caller's id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Surplus {
    Refused,
    Caller,
    CallerOrDash,
}

/// The fields of the tail in their order.
pub(super) const TAIL: [Field; 10] = [
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
    /// Reads from the end of the user agent on. Old lines have fewer fields or none.
    pub(super) fn read(line: &'a [u8], at: usize, surplus: Surplus) -> Result<Self, Fault> {
        if line.get(at).is_some_and(|&byte| byte != b' ') {
            return Err(Fault::new(Reason::StrayQuote, Field::VersionId, at));
        }
        let tail = Self::split(line, at, 1);
        if !matches!(tail, Ok(Self { extra: None, bracket: false, .. }))
            && let Some(offset) = find_stamp(&line[at..])
        {
            return Err(Fault::new(Reason::MergedLines, Field::VersionId, at + offset));
        }
        let tail = match tail {
            Err(fault) if fault.reason == Reason::BadSignatureVersion && surplus != Surplus::Refused => {
                Self::split(line, at, 2).ok().and_then(|tail| tail.joined(surplus)).ok_or(fault)
            }
            tail => tail,
        };
        tail.map(|tail| Self { is_printed: is_printed(line.get(at..).unwrap_or_default()), ..tail })
    }

    /// Whether the fields that all lines since 2019 have stand here, without quotes, whatever follows them. Looks at no more
    /// bytes than those fields have.
    pub(super) fn is_full_at(line: &'a [u8], at: usize) -> bool {
        let is_apart = line.get(at) == Some(&b' ');
        let tail = if is_apart { Self::split(line, at, 1).ok() } else { None };
        tail.is_some_and(|tail| tail.is_full())
    }

    /// Whether the fields that all lines since 2019 have are there, without quotes.
    pub(super) fn is_full(&self) -> bool {
        let holds_quote = |token: &&[u8]| memchr(b'"', token).is_some();
        self.count() >= SINCE_2019 && !self.fields.iter().flatten().any(holds_quote)
    }

    /// Cuts at the spaces, of which `at` is the first; the host id takes so many tokens.
    fn split(line: &'a [u8], at: usize, host_tokens: usize) -> Result<Self, Fault> {
        let mut tail = Self { joined: host_tokens > 1, ..Self::default() };
        let mut start = at + 1;
        for (slot, field) in tail.fields.iter_mut().zip(TAIL) {
            if start > line.len() {
                return Ok(tail);
            }
            let mut end = next_space(line, start);
            if tail.joined && field == Field::HostId {
                end = next_space(line, end + 1);
            }
            let token = &line[start..end];
            tail.bracket |= token.starts_with(b"[");
            tail.signed |= field == Field::SignatureVersion;
            if token.is_empty() {
                return Err(Fault::new(Reason::EmptyField, field, start));
            }
            if field == Field::SignatureVersion && !is_signature_version(token) {
                return Err(Fault::new(Reason::BadSignatureVersion, field, start));
            }
            *slot = present(token);
            tail.count += 1;
            start = end + 1;
        }
        tail.extra = line.get(start..);
        Ok(tail)
    }

    /// This tail if its host id of two tokens makes sense. A dash before the host id is left out.
    fn joined(mut self, surplus: Surplus) -> Option<Self> {
        let both = self.fields[1]?;
        let space = memchr(b' ', both)?;
        let (caller, host_id) = (present(&both[..space]), present(&both[space + 1..]));
        if caller.is_none() {
            self.fields[1] = host_id;
        }
        let is_id = |token: &[u8]| !token.is_empty() && !is_signature_version(token);
        let fits = host_id.is_some_and(is_id) && caller.map_or(surplus == Surplus::CallerOrDash, is_id);
        (self.signed && fits).then_some(self)
    }

    /// How many of the fields are there.
    pub(super) fn count(&self) -> usize {
        self.count.into()
    }

    /// The text of one of the fields.
    pub(super) fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.fields[field as usize - TAIL[0] as usize]
    }

    /// Whether there are a host id and a signature version, as in all lines since 2019.
    pub(super) fn is_complete(&self) -> bool {
        self.signed && self.fields[1].is_some_and(|host_id| !is_signature_version(host_id))
    }
}
