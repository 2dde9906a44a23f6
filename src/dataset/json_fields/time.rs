//! The form in which a log type writes times.

use crate::json::text;
use crate::kst::UtcInstant;

/// The form in which a log type writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) enum TimeForm {
    /// ISO 8601 with a zone: `"2023-11-01T00:22:33Z"`.
    Iso8601,
    /// Milliseconds since 1970, UTC: `1698798153000`.
    EpochMs,
}

impl TimeForm {
    /// Reads a time.
    pub(in crate::dataset) fn read(self, written: &str) -> Option<UtcInstant> {
        match self {
            Self::Iso8601 => UtcInstant::parse_iso8601(&text(written)),
            // A time after the year 9999 has no day.
            Self::EpochMs => {
                let at = UtcInstant(text(written).parse().ok()?);
                at.civil().filter(|_| at.0 >= 0).map(|_| at)
            }
        }
    }

    /// Returns the form in words.
    pub(in crate::dataset) fn words(self) -> &'static str {
        match self {
            Self::Iso8601 => "an ISO 8601 instant with a zone",
            Self::EpochMs => "a number of milliseconds since 1970",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_reads_only_its_own_times() {
        for (form, written, expected) in [
            (TimeForm::Iso8601, r#""2023-11-01T00:22:33Z""#, Some(1_698_798_153_000)),
            (TimeForm::Iso8601, "1698798153000", None),
            (TimeForm::EpochMs, "1698798153000", Some(1_698_798_153_000)),
            (TimeForm::EpochMs, r#""1698798153000""#, Some(1_698_798_153_000)),
            (TimeForm::EpochMs, "0", Some(0)),
            (TimeForm::EpochMs, r#""2023-11-01T00:22:33Z""#, None),
            (TimeForm::EpochMs, "-1", None),
            (TimeForm::EpochMs, "1698798153.5", None),
            (TimeForm::EpochMs, "1e12", None),
            (TimeForm::EpochMs, "253402300800000", None),
            (TimeForm::EpochMs, "99999999999999999999", None),
            (TimeForm::EpochMs, "[]", None),
        ] {
            assert_eq!(form.read(written), expected.map(UtcInstant), "{written}");
        }
    }
}
