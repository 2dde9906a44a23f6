//! The figures of the report, in the order of the page.

mod cloudfront;
mod cloudtrail;
mod load_balancers;
mod s3_access;
mod waf;

use super::figure::{Figure, Label};

const REQUESTS: Label = Label::new("Requests", "요청 수");
const BUCKET: Label = Label::new("Bucket", "버킷");
const OBJECT: Label = Label::new("Object", "객체");
const IP: Label = Label::new("IP address", "IP 주소");
const STATUS: Label = Label::new("Status code", "상태 코드");
const ERROR: Label = Label::new("Error code", "오류 코드");
const ERRORS: Label = Label::new("Errors", "오류");
const ACTION: Label = Label::new("Action", "작업");
const OPERATION: Label = Label::new("Operation", "작업");
const REQUESTER: Label = Label::new("Requester", "요청자");
const USER_AGENT: Label = Label::new("User agent", "사용자 에이전트");
const SENT: Label = Label::bytes("Bytes sent", "전송 바이트");
const COUNTRY: Label = Label::new("Country", "국가");
const PATH: Label = Label::new("Path", "경로");

/// Returns the figures, in the order of the page.
pub fn figures() -> impl Iterator<Item = &'static Figure> {
    [cloudtrail::FIGURES, s3_access::FIGURES, load_balancers::FIGURES, cloudfront::FIGURES, waf::FIGURES]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_has_its_own_id() {
        let ids: BTreeSet<&str> = figures().map(|figure| figure.id).collect();
        assert_eq!(ids.len(), figures().count());
    }
}
