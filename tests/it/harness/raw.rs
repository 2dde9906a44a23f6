//! Raw test logs: events, lines, the files that hold them, and their keys.

use std::fmt;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// A CloudTrail record of 2023-11-01 12:00 KST. `overrides` replace or add keys.
pub(crate) fn event(id: &str, overrides: Value) -> Value {
    let mut event = json!({
        "eventVersion": "1.09",
        "userIdentity": {"type": "IAMUser", "accountId": "123456789012", "userName": "kim"},
        "eventTime": "2023-11-01T03:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "ap-northeast-2",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.13",
        "requestParameters": {"bucketName": "results", "key": "a/b.txt"},
        "responseElements": null,
        "requestID": "REQUEST",
        "eventID": id,
        "readOnly": true,
        "eventType": "AwsApiCall",
        "recipientAccountId": "123456789012"
    });
    let Value::Object(overrides) = overrides else { panic!("overrides are an object") };
    event.as_object_mut().unwrap().extend(overrides);
    event
}

/// An event with one key removed.
pub(crate) fn without(mut event: Value, key: &str) -> Value {
    event.as_object_mut().unwrap().remove(key).expect("the event has the key");
    event
}

/// A CloudTrail file with these records, which may be any text.
pub(crate) fn document<R: fmt::Display>(records: impl IntoIterator<Item = R>) -> String {
    let records: Vec<String> = records.into_iter().map(|record| record.to_string()).collect();
    format!("{{\"Records\":[{}]}}", records.join(","))
}

/// The content compressed as one gzip member.
pub(crate) fn gz(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(content.as_ref()).unwrap();
    packed.finish().unwrap()
}

/// The key of a CloudTrail file delivered at a time, for example `20231101T0310Z`.
pub(crate) fn key_of_cloudtrail(name: &str, delivered: &str) -> String {
    let (account, region) = ("123456789012", "ap-northeast-2");
    let date = format!("{}/{}/{}", &delivered[..4], &delivered[4..6], &delivered[6..8]);
    let file = format!("{account}_CloudTrail_{region}_{delivered}_{name}.json.gz");
    format!("raw/AWSLogs/{account}/CloudTrail/{region}/{date}/{file}")
}

/// The key of an access log delivered at a time, for example `2023-11-01-03-10-00`.
pub(crate) fn key_of_access(name: &str, delivered: &str) -> String {
    format!("raw/access/{delivered}-{name}")
}

/// An access-log line. Client text is written unescaped between quotes, as S3 writes it.
#[derive(Clone, Copy)]
pub(crate) struct AccessLine<'a> {
    pub(crate) time: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) referer: &'a str,
    pub(crate) user_agent: &'a str,
}

impl<'a> AccessLine<'a> {
    /// A line of 2023-11-01 12:00 KST.
    pub(crate) fn of(request_id: &'a str) -> Self {
        Self {
            time: "01/Nov/2023:03:00:00 +0000",
            request_id,
            operation: "REST.GET.OBJECT",
            uri: "GET /a/b.txt HTTP/1.1",
            referer: "-",
            user_agent: "aws-cli/2.13",
        }
    }
}

impl fmt::Display for AccessLine<'_> {
    /// Writes the line without a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, request_id, operation, uri, referer, user_agent } = self;
        write!(
            f,
            "79a59df9 results [{time}] 192.0.2.3 - {request_id} {operation} a/b.txt \"{uri}\" 200 - 113 113 7 6 \
             \"{referer}\" \"{user_agent}\" - s9lz/+1234= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader \
             results.s3.ap-northeast-2.amazonaws.com TLSv1.3 - -"
        )
    }
}
