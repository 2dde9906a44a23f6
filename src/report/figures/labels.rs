//! Labels that figures share.

use crate::report::figure::Label;

pub(super) const REQUESTS: Label = Label::new("Requests", "요청 수");
pub(super) const BUCKET: Label = Label::new("Bucket", "버킷");
pub(super) const OBJECT: Label = Label::new("Object", "객체");
pub(super) const IP: Label = Label::new("IP address", "IP 주소");
pub(super) const STATUS: Label = Label::new("Status code", "상태 코드");
pub(super) const ERROR: Label = Label::new("Error code", "오류 코드");
pub(super) const ERRORS: Label = Label::new("Errors", "오류");
pub(super) const ACTION: Label = Label::new("Action", "작업");
pub(super) const OPERATION: Label = Label::new("Operation", "작업");
pub(super) const REQUESTER: Label = Label::new("Requester", "요청자");
pub(super) const USER_AGENT: Label = Label::new("User agent", "사용자 에이전트");
pub(super) const SENT: Label = Label::bytes("Bytes sent", "전송 바이트");
pub(super) const COUNTRY: Label = Label::new("Country", "국가");
pub(super) const PATH: Label = Label::new("Path", "경로");
