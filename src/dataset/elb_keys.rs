//! The keys of the logs of Elastic Load Balancing. The logs of all kinds of load balancers share their folders:
//!
//! ```text
//! [prefix/]AWSLogs/[o-org/]account/elasticloadbalancing/region/YYYY/MM/DD/
//!   account_elasticloadbalancing_region_app.name.id_YYYYMMDDTHHmmZ_address_random.log.gz     access log of an ALB
//!   conn_log_account_elasticloadbalancing_region_app.name.id_...                             connection log of an ALB
//!   health_check_log_account_elasticloadbalancing_region_app.name.id_...                     health check log
//!   account_elasticloadbalancing_region_net.name.id_YYYYMMDDTHHmmZ_random.log.gz             access log of an NLB
//!   account_elasticloadbalancing_region_name_YYYYMMDDTHHmmZ_address_random.log               Classic Load Balancer
//! ```
//!
//! The name alone identifies the log, so that a copy without its folders is read too. The time in the name is the UTC end of
//! an interval of 5 minutes (60 for a Classic Load Balancer, if configured). The folder is the day of delivery, which can be
//! another day. Source: AWS, "Access logs for your Application Load Balancer" and the pages of the other kinds.

use super::key_origin::KeyOrigin;
use super::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use super::service_folder;
use super::service_name::ServiceName;

/// How late an object can arrive. AWS states no limit.
pub(super) const LATENESS_HOURS: u32 = 6;

/// The service in folders and names.
pub(super) const SERVICE: &str = "elasticloadbalancing";

/// How far the events can precede the time in a name. The interval is 5 minutes; AWS promises no limit.
const BEFORE_MS: i64 = 3_600_000;
/// The same for a Classic Load Balancer: an interval of up to 60 minutes, and the times are those at which requests were received,
/// however long they took.
const BEFORE_OF_CLASSIC_MS: i64 = 3 * 3_600_000;
/// How far the events can follow the time in a name.
const AFTER_MS: i64 = 600_000;

/// A kind of log in these folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElbLog {
    AlbAccess,
    AlbConnection,
    HealthCheck,
    NlbAccess,
    ClassicAccess,
}

impl ElbLog {
    /// Returns how far its events can precede the time in a name.
    const fn before_ms(self) -> i64 {
        match self {
            Self::ClassicAccess => BEFORE_OF_CLASSIC_MS,
            _ => BEFORE_MS,
        }
    }

    /// Returns the reason for which other log types leave it out.
    const fn reason(self) -> &'static str {
        match self {
            Self::AlbAccess => "access log of an Application Load Balancer",
            Self::AlbConnection => "connection log of an Application Load Balancer",
            Self::HealthCheck => "health check log of a load balancer",
            Self::NlbAccess => "access log of a Network Load Balancer",
            Self::ClassicAccess => "access log of a Classic Load Balancer",
        }
    }
}

/// Reads the name of a log, and tells its kind.
fn read(path: &str) -> Option<(ServiceName<'_>, ElbLog)> {
    let name = ServiceName::of(path, SERVICE)?;
    let log = log_of(name.prefix, name.source);
    Some((name, log))
}

/// Returns the kind of a log by the words before its account and by its load balancer.
fn log_of(prefix: &str, balancer: &str) -> ElbLog {
    if prefix.contains("conn_log") {
        ElbLog::AlbConnection
    } else if prefix.contains("health_check_log") {
        ElbLog::HealthCheck
    } else if balancer.starts_with("app.") {
        ElbLog::AlbAccess
    } else if balancer.starts_with("net.") {
        ElbLog::NlbAccess
    } else {
        ElbLog::ClassicAccess
    }
}

/// Claims a key for a kind of log.
pub(super) fn claim(path: &str, wanted: ElbLog) -> KeyClaim {
    match read(path) {
        Some((name, log)) if log == wanted => {
            KeyClaim::Mine(KeyTime::stretch(name.at, wanted.before_ms(), AFTER_MS))
        }
        Some((_, log)) => KeyClaim::NotMine(log.reason()),
        None if is_test_file(object_key::split(path).1) => {
            KeyClaim::NotMine("test file of a load balancer, no records")
        }
        None => service_folder::claim(path, SERVICE),
    }
}

/// Whether a name is that of the file with which AWS tests a bucket when logging is turned on: `ELBAccessLogTestFile`.
fn is_test_file(name: &str) -> bool {
    name.starts_with("ELB") && name.ends_with("LogTestFile")
}

/// Whether a line is the note in such a file: `Enable AccessLog for ELB: app/name/id at 2023-11-01T03:00:00.000Z`.
pub(super) fn is_note(line: &str) -> bool {
    let log = line.strip_prefix("Enable ").and_then(|rest| rest.split_once(" for ELB: "));
    log.is_some_and(|(log, _)| log.ends_with("Log") && !log.contains(' '))
}

/// Returns the place of the time in the name of a log, after the part that all names of a load balancer share.
pub(super) fn time_in_key(key: &str, wanted: ElbLog) -> Option<TimeInKey> {
    let (name, log) = read(key)?;
    (log == wanted).then(|| name.time())
}

/// Whether a folder belongs to a region: `.../elasticloadbalancing/region`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, region) = object_key::split(folder);
    object_key::split(above).1 == SERVICE && region.contains('-')
}

/// Returns the account and region in the name of a log, or in its folders if the name has been changed.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    ServiceName::origin(path, SERVICE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kst::UtcInstant;

    const FOLDERS: &str = "p/AWSLogs/111122223333/elasticloadbalancing/ap-northeast-2/2023/11/01/";
    const END: &str = "20231101T0300Z_192.0.2.7_3p9141h0.log.gz";
    const LOGS: [ElbLog; 5] = [
        ElbLog::AlbAccess,
        ElbLog::AlbConnection,
        ElbLog::HealthCheck,
        ElbLog::NlbAccess,
        ElbLog::ClassicAccess,
    ];

    fn mine(log: ElbLog) -> KeyClaim {
        let at = UtcInstant::parse_iso8601("2023-11-01T03:00:00Z").unwrap();
        let hours = if log == ElbLog::ClassicAccess { 3 } else { 1 };
        KeyClaim::Mine(KeyTime::stretch(at, hours * 3_600_000, AFTER_MS))
    }

    #[test]
    fn the_name_of_an_object_tells_its_kind_below_any_folders() {
        let of = "111122223333_elasticloadbalancing_ap-northeast-2";
        for (name, log) in [
            (format!("{of}_app.web.0a1b_{END}"), ElbLog::AlbAccess),
            (format!("conn_log_{of}_app.web.0a1b_{END}"), ElbLog::AlbConnection),
            (format!("conn_log.{of}_app.web.0a1b_{END}"), ElbLog::AlbConnection),
            (format!("copy_of_conn_log_{of}_app.web.0a1b_{END}"), ElbLog::AlbConnection),
            (format!("health_check_log_{of}_app.web.0a1b_{END}"), ElbLog::HealthCheck),
            (format!("{of}_net.tcp.0a1b_20231101T0300Z_0a1b.log.gz"), ElbLog::NlbAccess),
            (format!("{of}_old-web_20231101T0300Z_192.0.2.7_0a1b.log"), ElbLog::ClassicAccess),
        ] {
            for folders in
                [FOLDERS, "", "AWSLogs/o-a/111122223333/elasticloadbalancing/xx/", "copies/2024/01/02/"]
            {
                let path = format!("{folders}{name}");
                for wanted in LOGS {
                    let expected = if wanted == log { mine(log) } else { KeyClaim::NotMine(log.reason()) };
                    assert_eq!(claim(&path, wanted), expected, "{wanted:?} of {path}");
                }
            }
        }
    }

    #[test]
    fn other_names_are_unclear_or_of_no_kind() {
        for (path, expected) in [
            (
                format!("{FOLDERS}ELBAccessLogTestFile"),
                KeyClaim::NotMine("test file of a load balancer, no records"),
            ),
            (
                "AWSLogs/111122223333/ELBConnectionLogTestFile".to_owned(),
                KeyClaim::NotMine("test file of a load balancer, no records"),
            ),
            ("AWSLogs/111122223333/CloudTrail/".to_owned(), KeyClaim::NotMine(service_folder::OTHER_SERVICE)),
            (
                "AWSLogs/111122223333/WAFLogs/eu-west-1/acl/".to_owned(),
                KeyClaim::NotMine(service_folder::OTHER_SERVICE),
            ),
            ("AWSLogs/111122223333/elasticloadbalancing/".to_owned(), KeyClaim::Unclear),
            ("AWSLogs/111122223333/archive/".to_owned(), KeyClaim::Unclear),
            ("AWSLogs/111122223333/CloudTrail/r/renamed.log".to_owned(), KeyClaim::Unclear),
            (format!("{FOLDERS}renamed.log.gz"), KeyClaim::Unclear),
            (format!("1_elasticloadbalancing_r_app.web.0a1b_{END}"), KeyClaim::Unclear),
            (
                format!("111122223333_elasticloadbalancing_r_app.web.0a1b_{}", END.replace("1101", "1131")),
                KeyClaim::Unclear,
            ),
            (format!("111122223333_waflogs_r_acl_{END}"), KeyClaim::Unclear),
            (format!("111122223333_CloudTrail_r_{END}"), KeyClaim::Unclear),
            ("2023-11-01-00-22-33-23B392B734E22958".to_owned(), KeyClaim::Unclear),
            (String::new(), KeyClaim::Unclear),
        ] {
            assert_eq!(claim(&path, ElbLog::AlbAccess), expected, "{path}");
        }
    }

    #[test]
    fn regions_hold_days_and_names_sort_by_time() {
        assert!(holds_days("AWSLogs/o-x/111122223333/elasticloadbalancing/ap-northeast-2"));
        for folder in ["AWSLogs/1/elasticloadbalancing", "AWSLogs/1/CloudTrail/us-east-1"] {
            assert!(!holds_days(folder), "{folder}");
        }
        let series = format!("{FOLDERS}conn_log_111122223333_elasticloadbalancing_us-east-1_app.web.0a1b_");
        let time = time_in_key(&format!("{series}{END}"), ElbLog::AlbConnection);
        assert_eq!(
            time,
            Some(TimeInKey { start: series.len(), pattern: "YYYYMMDDThhmmZ", may_name_event_day: false })
        );
        assert_eq!(time_in_key(&format!("{series}{END}"), ElbLog::AlbAccess), None);
    }

    #[test]
    fn the_name_shows_account_and_region_and_otherwise_the_folders_do() {
        for (path, account, region) in [
            (
                format!("conn_log_123456789012_elasticloadbalancing_us-east-1_app.a.b_{END}"),
                Some("123456789012"),
                Some("us-east-1"),
            ),
            (format!("{FOLDERS}renamed.log.gz"), Some("111122223333"), Some("ap-northeast-2")),
            ("renamed.log.gz".to_owned(), None, None),
        ] {
            let origin = origin(&path);
            assert_eq!((origin.account, origin.region, origin.bucket), (account, region, None), "{path}");
        }
    }
}
