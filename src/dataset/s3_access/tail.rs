//! The fields after the user agent. S3 writes all fields of its time, without quotes.

use memchr::memchr;

use super::cursor::{is_signature_version, present};
use super::eras::SINCE_2019;
use super::fault::{Fault, Reason};
use super::field::Field;
use super::time::find_stamp;
use crate::dataset::scan::{is_printed, next_space};

/// The fields after the user agent.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact about the same text")]
pub(super) struct Tail<'a> {
    /// From the version id to the source region.
    pub(super) fields: [Option<&'a [u8]>; TAIL.len()],
    /// The rest after them.
    pub(super) extra: Option<&'a [u8]>,
    /// Number of fields present.
    count: u8,
    /// Whether the whole tail is printable ASCII text.
    pub(super) is_printed: bool,
    /// Whether the host id has two tokens.
    pub(super) joined: bool,
    /// Whether the line is recent enough to have a signature version.
    signed: bool,
    /// Whether a token starts like a time.
    bracket: bool,
}

/// Which surplus token before the host id is accepted as the caller's id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Surplus {
    Refused,
    Caller,
    CallerOrDash,
}

/// The fields of the tail, in order.
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
    /// Reads the fields from the end of the user agent. Old lines have fewer fields or none.
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

    /// Whether the fields that all lines have since 2019 begin here, without quotes. Looks only at the bytes of those
    /// fields.
    pub(super) fn is_full_at(line: &'a [u8], at: usize) -> bool {
        let is_apart = line.get(at) == Some(&b' ');
        let tail = if is_apart { Self::split(line, at, 1).ok() } else { None };
        tail.is_some_and(|tail| tail.is_full())
    }

    /// Whether the fields that all lines have since 2019 are present, without quotes.
    pub(super) fn is_full(&self) -> bool {
        let holds_quote = |token: &&[u8]| memchr(b'"', token).is_some();
        self.count() >= SINCE_2019 && !self.fields.iter().flatten().any(holds_quote)
    }

    /// Splits at the spaces, from the one at `at`. The host id has `host_tokens` tokens.
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

    /// Returns this tail if its host id of two tokens is plausible. A dash before the host id is dropped.
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

    /// Returns the number of fields present.
    pub(super) fn count(&self) -> usize {
        self.count.into()
    }

    /// Returns the text of a field.
    pub(super) fn get(&self, field: Field) -> Option<&'a [u8]> {
        self.fields[field as usize - TAIL[0] as usize]
    }

    /// Whether host id and signature version are present, as in all lines since 2019.
    pub(super) fn is_complete(&self) -> bool {
        self.signed && self.fields[1].is_some_and(|host_id| !is_signature_version(host_id))
    }
}
