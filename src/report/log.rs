//! The logs of the report, and the views of `glue/sql` that its queries read.

use super::text::Text;

/// A log that the report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Log {
    /// CloudTrail records.
    CloudTrail,
    /// S3 server access logs.
    S3Access,
    /// Access logs of Application Load Balancers.
    AlbAccess,
    /// Standard logs of CloudFront.
    CloudFront,
    /// Logs of AWS WAF.
    Waf,
}

impl Log {
    /// All logs, in the order of the page.
    pub const ALL: [Self; 5] =
        [Self::CloudTrail, Self::S3Access, Self::AlbAccess, Self::CloudFront, Self::Waf];

    /// Returns the name of its log type in manifests.
    #[must_use]
    pub fn dataset(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail",
            Self::S3Access => "s3-access",
            Self::AlbAccess => "alb-access",
            Self::CloudFront => "cloudfront",
            Self::Waf => "waf",
        }
    }

    /// Returns the view with one row per line or record.
    #[must_use]
    pub fn rows(self) -> &'static View {
        match self {
            Self::CloudTrail => &EVENTS,
            Self::S3Access => &LINES,
            Self::AlbAccess => &BALANCER_REQUESTS,
            Self::CloudFront => &CLOUDFRONT_REQUESTS,
            Self::Waf => &WAF_REQUESTS,
        }
    }

    /// Whether the page says so if the log has no published days. Many lakes have only some of the other logs.
    pub(super) fn is_expected(self) -> bool {
        matches!(self, Self::CloudTrail | Self::S3Access)
    }

    pub(super) fn title(self) -> Text {
        match self {
            Self::CloudTrail => Text::new("CloudTrail", "CloudTrail"),
            Self::S3Access => Text::new("S3 server access logs", "S3 서버 액세스 로그"),
            Self::AlbAccess => Text::new("Application Load Balancers", "Application Load Balancer"),
            Self::CloudFront => Text::new("CloudFront", "CloudFront"),
            Self::Waf => Text::new("AWS WAF", "AWS WAF"),
        }
    }
}

/// A view that queries read, and the columns by which its rows can be filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The name in `glue/sql`.
    pub name: &'static str,
    /// The log that it reads.
    pub log: Log,
    /// The column with the time in KST.
    pub(super) time: &'static str,
    /// The column with the account.
    pub(super) account: Option<&'static str>,
    /// The column with the bucket.
    pub(super) bucket: Option<&'static str>,
    /// The column with the caller.
    pub(super) principal: Option<&'static str>,
}

impl View {
    const fn new(name: &'static str, log: Log, time: &'static str) -> Self {
        Self { name, log, time, account: None, bucket: None, principal: None }
    }

    const fn by(self, account: Option<&'static str>, bucket: Option<&'static str>) -> Self {
        Self { account, bucket, ..self }
    }

    const fn by_principal(self, principal: &'static str) -> Self {
        Self { principal: Some(principal), ..self }
    }
}

/// Events of CloudTrail.
pub(super) static EVENTS: View = View::new("cloudtrail_events", Log::CloudTrail, "event_time_kst")
    .by(Some("account_id"), Some("bucket"))
    .by_principal("caller");
/// Sign-ins to the console.
pub(super) static LOGINS: View = View::new("console_logins", Log::CloudTrail, "event_time_kst")
    .by(Some("account_id"), None)
    .by_principal("requester");
/// Requests with Signature Version 2 in CloudTrail.
pub(super) static SIGV2_EVENTS: View =
    View::new("sigv2_callers", Log::CloudTrail, "day_utc").by(None, Some("bucket")).by_principal("requester");
/// Lines of S3 access logs.
pub(super) static LINES: View = View::new("s3_access_lines", Log::S3Access, "request_time_kst")
    .by(None, Some("bucket"))
    .by_principal("requester");
/// Requests with Signature Version 2 in S3 access logs.
pub(super) static SIGV2_LINES: View =
    View::new("sigv2_callers", Log::S3Access, "day_utc").by(None, Some("bucket")).by_principal("requester");
/// Requests to load balancers.
pub(super) static BALANCER_REQUESTS: View = View::new("alb_requests", Log::AlbAccess, "event_time_kst");
/// Requests to CloudFront.
pub(super) static CLOUDFRONT_REQUESTS: View =
    View::new("cloudfront_requests", Log::CloudFront, "event_time_kst");
/// Requests that AWS WAF inspected.
pub(super) static WAF_REQUESTS: View =
    View::new("waf_requests", Log::Waf, "event_time_kst").by(Some("account_id"), None);
