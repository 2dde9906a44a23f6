//! Shapes of rows: the tables of templates, and the shapes that are built from them.
//!
//! An entry of a table has a head and a body. Indented lines continue the body.

use crate::elb_shapes;
use crate::json_shapes;
use crate::words::{Pieces, compile};

/// Parts of templates: a name, then its text. Outer parts come before the parts that they contain.
const PARTS: &str = r#"
ROLE: {"type":"AssumedRole",<SESSION>,"sessionContext":{<ISSUER>,"webIdFederationData":{},<ATTRIBUTES>}}
INSIDE: {"type":"AssumedRole",<SESSION>,"sessionContext":{<ISSUER>,<ATTRIBUTES>},"invokedBy":"AWS Internal"}
INSTANCE: {"type":"AssumedRole",<SESSION>,"sessionContext":{<ISSUER>,"webIdFederationData":{},<ATTRIBUTES>,
  "ec2RoleDelivery":"2.0"}}
POD: {"type":"AssumedRole",<SESSION>,"sessionContext":{<ISSUER>,"webIdFederationData":{
  "federatedProvider":"arn:aws:iam::<account>:oidc-provider/oidc.eks.<region>.amazonaws.com/id/EXAMPLE","attributes":{
  }},<ATTRIBUTES>}}
FUNCTION: {"type":"AssumedRole",<SESSION>,"sessionContext":{<ISSUER>,<ATTRIBUTES>},"inScopeOf":{
  "issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:<region>:<account>:function:<function>"}}
KOREAN: {"type":"AssumedRole","principalId":"AROA<role_id>:<korean>","arn":"arn:aws:sts::<account>:assumed-role/<role>
  /<korean>","accountId":"<account>","accessKeyId":"ASIA<session_key>","sessionContext":{<ISSUER>,
  "webIdFederationData":{},"attributes":{"creationDate":"<began_basic>","mfaAuthenticated":"true"},
  "sourceIdentity":"\uae40\ubbfc\uc218"}}
SESSION: "principalId":"AROA<role_id>:i-<session>","arn":"arn:aws:sts::<account>:assumed-role/<role>/i-<session>",
  "accountId":"<account>","accessKeyId":"ASIA<session_key>"
ISSUER: "sessionIssuer":{"type":"Role","principalId":"AROA<role_id>","arn":"arn:aws:iam::<account>:role/<role>",
  "accountId":"<account>","userName":"<role>"}
ATTRIBUTES: "attributes":{"creationDate":"<began>","mfaAuthenticated":"false"}
USER: {"type":"IAMUser","principalId":"AIDA<user_id>","arn":"arn:aws:iam::<account>:user/<user>",
  "accountId":"<account>","accessKeyId":"AKIA<user_key>","userName":"<user>"}
CONSOLE: {"type":"IAMUser","principalId":"AIDA<user_id>","arn":"arn:aws:iam::<account>:user/<korean>",
  "accountId":"<account>","accessKeyId":"ASIA<session_key>","userName":"<korean>","sessionContext":{"attributes":{
  "creationDate":"<began>","mfaAuthenticated":"true"}}}
FUTURE: {"type":"IAMUser","principalId":"AIDA<user_id>","arn":"arn:aws:iam::<account>:user/<user>",
  "accountId":"<account>","accessKeyId":"AKIA<user_key>","userName":"<user>","passkeyAssurance":{"level":2}}
SERVICE: {"type":"AWSService","invokedBy":"<service>"}
ROOT: {"principalId":"<account>","arn":"arn:aws:iam::<account>:root","accountId":"<account>","accessKeyId":""}
ANONYMOUS: {"type":"AWSAccount","principalId":"","accountId":"anonymous"}
OWNER: {"accountId":"<account>","invokedBy":"<service>"}
CENTER: {"type":"IdentityCenterUser","accountId":"<account>","onBehalfOf":{"userId":"<user_uuid>",
  "identityStoreArn":"arn:aws:identitystore::<account>:identitystore/d-9067example"},"credentialId":"<uuid>"}
FEDERATED: {"type":"WebIdentityUser","principalId":"accounts.google.com:<user>","userName":"<user>",
  "identityProvider":"accounts.google.com"}
GET: "sourceIPAddress":"<ip>","userAgent":"[<agent>]",<OBJECT><OUT>"readOnly":true,<DATA>
PUT: "sourceIPAddress":"<ip>","userAgent":"[<agent>]",<OBJECT><IN>"readOnly":false,<DATA>
OBJECT: "requestParameters":{"bucketName":"<bucket>","Host":"<bucket>.s3.<region>.amazonaws.com","key":"<key>"},
  "responseElements":null,
OUT: "additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"<cipher>","bytesTransferredIn":0,
  "AuthenticationMethod":"AuthHeader","x-amz-id-2":"<host>","bytesTransferredOut":<size>},<TRACE>
IN: "additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"<cipher>","bytesTransferredIn":<size>.0,
  "AuthenticationMethod":"AuthHeader","x-amz-id-2":"<host>","bytesTransferredOut":0.0},<TRACE>
TRACE: "requestID":"<request>","eventID":"<uuid>",
DATA: "resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::<bucket>/<key>"},{"accountId":"<account>",
  "type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}],"eventType":"AwsApiCall","managementEvent":false,
  "recipientAccountId":"<account>","eventCategory":"Data"
TLS: ,"tlsDetails":{"tlsVersion":"<tls>","cipherSuite":"<cipher>","clientProvidedHostHeader":"<bucket>.s3.<region>
  .amazonaws.com"}
VIA: "sourceIPAddress":"<ip>","userAgent":"<agent>",
WITHIN: "sourceIPAddress":"<service>","userAgent":"<service>",
KEY: "resources":[{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms>"}],
  <API>
CREDENTIALS: "responseElements":{"credentials":{"accessKeyId":"ASIA<session_key>","sessionToken":"<token>",
  "expiration":"<expiry>"},"assumedRoleUser":{"assumedRoleId":"AROA<role_id>:i-<session>",
  "arn":"arn:aws:sts::<account>:assumed-role/<role>/i-<session>"}},<IDS>"readOnly":true,"resources":[{
  "accountId":"<account>","type":"AWS::IAM::Role","ARN":"arn:aws:iam::<account>:role/<role>"}],<API>
READ: "responseElements":null,<IDS>"readOnly":true,<API>
IDS: "requestID":"<uuid>","eventID":"<uuid>",
API: "eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"<account>","eventCategory":"Management"
BY_USER: arn:aws:iam::<account>:user/<user>
BATCH: <next><line><HERE> <BY_ROLE> <request> BATCH.DELETE.OBJECT <key_once> - 204 - - <size> - - - - - <SIGNED>
HERE: <owner> <bucket> [<clf>] <ip>
BY_ROLE: arn:aws:sts::<account>:assumed-role/<role>/i-<session>
SIGNED: <host> SigV4 <cipher> AuthHeader <bucket>.s3.<bucket_region>.amazonaws.com <tls><tail>
OPEN: <host> - <cipher> - <bucket>.s3.amazonaws.com <tls><tail>
"#;

/// Shapes of `CloudTrail` records: weight, service, call and identity, then the text after `awsRegion`.
const RECORDS: &str = r#"
150 s3 GetObject ROLE: <GET><TLS>
80 s3 GetObject USER: <GET>,"vpcEndpointId":"vpce-0example1a2b3c4d5","vpcEndpointAccountId":"<account>"<TLS>
40 s3 GetObject INSTANCE: <GET>,"vpcEndpointId":"vpce-0example1a2b3c4d5","vpcEndpointAccountId":"<account>"<TLS>
90 s3 PutObject ROLE: <PUT><TLS>
60 s3 PutObject FUNCTION: <PUT>
60 s3 HeadObject USER: <GET><TLS>
12 s3 DeleteObject KOREAN: <PUT><TLS>
12 s3 HeadObject ROLE: <VIA>"errorCode":"NoSuchKey","errorMessage":"The specified key does not exist.",<OBJECT><OUT>
  "readOnly":true,<DATA>
12 s3 GetObject USER: <VIA>"errorCode":"AccessDenied","errorMessage":"Access Denied",<OBJECT><OUT>"readOnly":true,
  <DATA><TLS>
10 s3 GetObject ANONYMOUS: <GET>,"sharedEventID":"<uuid>"
6 s3 GetObject USER: "sourceIPAddress":"<ip>","userAgent":"[<agent>]",<OBJECT>"additionalEventData":{
  "SignatureVersion":"SigV2","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","AuthenticationMethod":"QueryString",
  "x-amz-id-2":"<host>","bytesTransferredIn":0.0,"bytesTransferredOut":<size>.0},<TRACE>"readOnly":true,<DATA>
8 s3 ListObjects POD: "sourceIPAddress":"<ip>","userAgent":"[<agent>]","requestParameters":{"list-type":"2",
  "bucketName":"<bucket>","prefix":"한국어/보고서/","Host":"<bucket>.s3.<region>.amazonaws.com"},"responseElements":null,
  <OUT>"readOnly":true,"resources":[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::<bucket>/한국어/보고서/"},{
  "accountId":"<account>","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::<bucket>"}],"eventType":"AwsApiCall",
  "managementEvent":false,"recipientAccountId":"<account>","eventCategory":"Data"
100 kms Decrypt INSIDE: "sourceIPAddress":"AWS Internal","userAgent":"AWS Internal","requestParameters":{
  "encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>/<key>"}},
  "responseElements":null,<IDS>"readOnly":true,<KEY>
70 kms Decrypt SERVICE: <WITHIN>"requestParameters":{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{
  "aws:s3:arn":"arn:aws:s3:::<bucket>/<key>"}},"responseElements":null,<IDS>"readOnly":true,<KEY>,
  "sharedEventID":"<uuid>"
70 kms GenerateDataKey SERVICE: <WITHIN>"requestParameters":{"keyId":"arn:aws:kms:<region>:<account>:key/<kms>",
  "encryptionContext":{"aws:s3:arn":"arn:aws:s3:::<bucket>"},"keySpec":"AES_256"},"responseElements":null,<IDS>
  "readOnly":true,<KEY>
30 sts AssumeRole SERVICE: <WITHIN>"requestParameters":{"roleArn":"arn:aws:iam::<account>:role/<role>",
  "roleSessionName":"i-<session>"},<CREDENTIALS>,"sharedEventID":"<uuid>"
6 sts AssumeRole KOREAN: <VIA>"requestParameters":{"roleArn":"arn:aws:iam::<account>:role/<role>",
  "roleSessionName":"\uAE40\uBBFC\uC218","durationSeconds":3600,"tags":[{"key":"\uBD80\uC11C","value":"데이터 플랫폼"}]},
  <CREDENTIALS>
6 sts AssumeRoleWithWebIdentity FEDERATED: <VIA>"requestParameters":{"roleArn":"arn:aws:iam::<account>:role/<role>",
  "roleSessionName":"i-<session>"},<CREDENTIALS>,"tlsDetails":{"tlsVersion":"<tls>","cipherSuite":"<cipher>",
  "clientProvidedHostHeader":"sts.<region>.amazonaws.com","keyExchange":"X25519MLKEM768"}
40 ec2 DescribeInstances ROLE: <VIA>"requestParameters":{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{
  "name":"tag:서비스","valueSet":{"items":[{"value":"주문"}]}}]}},<READ>
3 ec2 RunInstances CONSOLE: "sourceIPAddress":"<ip>","userAgent":"<browser>","requestParameters":{"instancesSet":{
  "items":[{"imageId":"ami-0example1a2b3c4d5","minCount":1,"maxCount":1}]},"instanceType":"m7g.large",
  "tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"Name",
  "value":"\uD55C\uAD6D\uC5B4 \uD14C\uC2A4\uD2B8 \uD83D\uDE80"},{"key":"담당자","value":"<korean>"}]}]}},
  "responseElements":{"requestId":"<uuid>","instancesSet":{"items":[{"instanceId":"i-<session>","instanceState":{
  "code":0,"name":"pending"}}]}},<IDS>"readOnly":false,<API>,"sessionCredentialFromConsole":"true"
3 iam CreateUser CONSOLE: "sourceIPAddress":"<ip>","userAgent":"<browser>","requestParameters":{"userName":"<korean>",
  "tags":[{"key":"팀","value":"\uC601\uC5C5"}]},"responseElements":{"user":{"path":"/","arn":"arn:aws:iam::<account>
  :user/<korean>","userId":"AIDA<user_id>","userName":"<korean>"}},<IDS>"readOnly":false,<API>,
  "sessionCredentialFromConsole":"true"
4 iam ListAttachedRolePolicies USER: <VIA>"errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::<account>
  :user/<user> is not authorized to perform: iam:ListAttachedRolePolicies on resource: role <role>",
  "requestParameters":{"roleName":"<role>"},<READ>
35 lambda Invoke SERVICE: <WITHIN>"requestParameters":{"functionName":"arn:aws:lambda:<region>:<account>
  :function:<function>","sourceArn":"arn:aws:s3:::<bucket>","contentType":"application/json"},"responseElements":null,
  "additionalEventData":{"functionVersion":"arn:aws:lambda:<region>:<account>:function:<function>:$LATEST"},<IDS>
  "readOnly":false,"resources":[{"accountId":"<account>","type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:<region>
  :<account>:function:<function>"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"<account>",
  "sharedEventID":"<uuid>","eventCategory":"Data"
20 logs CreateLogStream FUNCTION: <VIA>"requestParameters":{"logGroupName":"/aws/lambda/<function>",
  "logStreamName":"<folder>/[$LATEST]<session>"},"responseElements":null,<IDS>"readOnly":false,
  "eventType":"AwsApiCall","apiVersion":"20140328","managementEvent":true,"recipientAccountId":"<account>",
  "eventCategory":"Management"
8 athena StartQueryExecution KOREAN: <VIA>"requestParameters":{
  "queryString":"SELECT \"지역\", count(*)\nFROM orders\nWHERE name != '김민수' AND amount > 1000",
  "queryExecutionContext":{"database":"analytics"},"workGroup":"primary"},"responseElements":{
  "queryExecutionId":"<uuid>"},<IDS>"readOnly":false,<API>
6 glue GetTable ROLE: <VIA>"requestParameters":{"databaseName":"analytics","name":"orders"},<READ>,
  "vpcEndpointId":"AWS Internal"
12 ecr BatchGetImage POD: <VIA>"requestParameters":{"repositoryName":"orders-api","imageIds":[{"imageTag":"v1.42.0"}]},
  <READ>
3 signin ConsoleLogin CONSOLE: "sourceIPAddress":"<ip>","userAgent":"<browser>","requestParameters":null,
  "responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{
  "LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"},"eventID":"<uuid>",
  "readOnly":false,"eventType":"AwsConsoleSignIn","managementEvent":true,"recipientAccountId":"<account>",
  "eventCategory":"Management","tlsDetails":{"tlsVersion":"<tls>","cipherSuite":"<cipher>",
  "clientProvidedHostHeader":"<region>.signin.aws.amazon.com","keyExchange":"x25519"}
1 signin ConsoleLogin ROOT: "sourceIPAddress":"<ip>","userAgent":"<browser>","errorMessage":"Failed authentication",
  "requestParameters":null,"responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{
  "LoginTo":"https://console.aws.amazon.com/","MobileVersion":"No","MFAUsed":"No"},"eventID":"<uuid>",
  "readOnly":false,"eventType":"AwsConsoleSignIn","managementEvent":true,"recipientAccountId":"<account>",
  "eventCategory":"Management"
2 kms RotateKey OWNER: <WITHIN>"requestParameters":null,"responseElements":null,"eventID":"<uuid>","readOnly":false,
  "resources":[{"accountId":"<account>","type":"AWS::KMS::Key","ARN":"arn:aws:kms:<region>:<account>:key/<kms>"}],
  "eventType":"AwsServiceEvent","managementEvent":true,"recipientAccountId":"<account>","serviceEventDetails":{
  "keyId":"<kms>","rotationType":"AUTOMATIC"},"eventCategory":"Management"
2 dynamodb PutItem FUTURE: <VIA>"requestParameters":{"tableName":"orders","key":{"id":9007199254740993,"score":1e400,
  "ratio":-0.0,"tiny":1E-7}},"responseElements":null,<IDS>"readOnly":false,<API>
2 sqs SendMessage USER: <VIA>"requestParameters":{"queueUrl":"https://sqs.<region>.amazonaws.com/<account>/orders"},
  "responseElements":null,<IDS>"readOnly":false,<API>,"eventContext":{"requestContext":{"trace":"1-<uuid>"},
  "tagContext":{}},"quantumSignature":{"scheme":"example","strength":3}
2 s3-outposts ListRegionalBuckets CENTER: <VIA>"requestParameters":{"accountId":"<account>"},<READ>,
  "edgeDeviceDetails":{"outpostId":"op-0example1a2b3c4d5"}
2 iam UpdateRole USER: "sourceIPAddress":"","userAgent":"<agent>","requestParameters":{"roleName":"<role>",
  "description":"배포 \"자동화\" \\ 역할"},"responseElements":null,<IDS>"readOnly":false,<API>,"addendum":{
  "reason":"UPDATED_DATA","updatedFields":"requestParameters","originalRequestID":"<uuid>","originalEventID":"<uuid>"}
"#;

/// Shapes of access lines: the weight, then the fields. `<line>` starts another line of the same request.
const LINES: &str = r#"
240: <HERE> <BY_ROLE> <request> REST.GET.OBJECT <key_twice> "GET /<uri> HTTP/1.1" 200 - <size> <size> <ms> <ttfb> "-"
  "<agent>" - <SIGNED>
280: <HERE> - <request> REST.GET.OBJECT <key_twice> "GET /<uri> HTTP/1.1" 200 - <size> <size> <ms> <ttfb>
  "http://example.com/" "<browser>" - <OPEN>
110: <HERE> <BY_ROLE> <request> REST.PUT.OBJECT <key_twice> "PUT /<uri> HTTP/1.1" 200 - - <size> <ms> <ttfb> "-"
  "<agent>" - <SIGNED>
100: <HERE> <BY_USER> <request> REST.HEAD.OBJECT <key_twice> "HEAD /<bucket>/<uri> HTTP/1.1" 200 - - <size> <ttfb>
  <ttfb> "-" "<agent>" - <SIGNED>
40: <HERE> <BY_USER> <request> REST.GET.BUCKET - "GET
  /?list-type=2&delimiter=%2F&prefix=raw%2F HTTP/1.1" 200 - <size> - <ms>
  <ttfb> "-" "<agent>" - <SIGNED>
30: <HERE> arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E<cloudfront> <request> REST.GET.OBJECT
  <key_twice> "GET /<uri> HTTP/1.1" 200 - <size> <size> <ms> <ttfb> "-" "Amazon CloudFront" - <SIGNED>
30: <HERE> <BY_USER> <request> REST.GET.OBJECT <key_twice> "GET
  /<uri>?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA<user_key>%2F<began_day>%2F<bucket_region>%2Fs3%2Faws4_request&X-Amz-Date=<began_basic>&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=<signature>
  HTTP/1.1" 206 - <ttfb> <size> <ms> <ttfb> "-" "<browser>" - <host> SigV4 <cipher> QueryString
  <bucket>.s3.<bucket_region>.amazonaws.com <tls><tail>
30: <HERE> <BY_ROLE> <request> REST.GET.OBJECT <key_twice> "GET /<uri> HTTP/1.1" 403 AccessDenied 243 - <ttfb> - "-"
  "<agent>" - <SIGNED>
30: <HERE> - <request> REST.GET.OBJECT <key_twice> "GET /<uri> HTTP/1.1" 404 NoSuchKey 298 - <ttfb> - "-" "<browser>"
  - <OPEN>
20: <HERE> <BY_ROLE> <request> REST.GET.OBJECT <key_twice> "GET /<uri>?versionId=<version> HTTP/1.1" 200 - <size>
  <size> <ms> <ttfb> "-" "<agent>" <version> <SIGNED>
90: <owner> <bucket> [<clf>] - AmazonS3 <request> S3.EXPIRE.OBJECT <key_once> "-" - - - <size> - - "-" "-" <version>
  <host> - - - - -<tail>
12: <owner> <bucket> [<clf>] - AmazonS3 <request> S3.TRANSITION_SIA.OBJECT <key_once> "-" - - - <size> - - "-" "-" -
  <host> - - - - -
20: <HERE> - <request> WEBSITE.GET.OBJECT index.html "GET / HTTP/1.1" 304 - - <size> <ttfb> -
  "http://<bucket>.s3-website.<bucket_region>.amazonaws.com/회사 소개/?q=한국 어" "<browser>" - <host> - - -
  <bucket>.s3-website.<bucket_region>.amazonaws.com -<tail>
12: <HERE> <BY_USER> <request> REST.GET.OBJECT <key_twice> "GET /<bucket>/<uri> HTTP/1.1" 200 - <size> <size> <ms>
  <ttfb> "-" "S3Browser/8.1.5 (https://s3browser.example)" - <host> SigV2 ECDHE-RSA-AES128-SHA AuthHeader
  s3.<bucket_region>.amazonaws.com TLSv1
12: <HERE> - <request> REST.GET.OBJECT <key_twice> "GET /<uri> HTTP/1.1" 200 - <size> <size> <ms> <ttfb> "-"
  "fetch/19.1 {"ci":null,"cpu":"x86_64","implementation":{"name":"CPython","version":"3.11.5"},"system":{}}" - <OPEN>
8: <HERE> - <request> REST.GET.OBJECT <key_twice> "GET /<uri>?q="quoted"&x-note=a b HTTP/1.1" 403 AccessDenied 243 -
  <ttfb> - "-" "Mozilla/5.0 (compatible; "scan""" - <OPEN>
8: <HERE> <BY_USER> <request> REST.COPY.OBJECT_GET <key_twice> "PUT /backup/<uri> HTTP/1.1" 200 - - <size> <ms> - "-"
  "<agent>" - <SIGNED> <next><line><HERE> <BY_USER> <request> REST.PUT.OBJECT <key_twice> "PUT /backup/<uri> HTTP/1.1"
  200 - 274 <size> <ms> <ttfb> "-" "<agent>" - <SIGNED>
20: <HERE> <BY_ROLE> <request> REST.POST.MULTI_OBJECT_DELETE - "POST /?delete HTTP/1.1" 200 - <ttfb> - <ms> <ttfb> "-"
  "<agent>" - <SIGNED> <BATCH> <BATCH> <BATCH> <BATCH>
"#;

/// Objects next to the `CloudTrail` folder that belong to no table: key below the organisation, then text.
pub(crate) const SIBLINGS: &str = r#"
<account>/CloudTrail-Digest/<region>/<folder>/<account>_CloudTrail-Digest_<region>_org-trail_<region>_<basic>: {"awsAccountId":"<account>","digestStartTime":"<began>","digestEndTime":"<time>",
  "digestS3Bucket":"org-trail-logs","digestSignatureAlgorithm":"SHA256withRSA","previousDigestS3Bucket":null,
  "logFiles":[{"s3Bucket":"org-trail-logs","hashValue":"<signature>","hashAlgorithm":"SHA-256"}]}
<account>/CloudTrail-Insight/<region>/<folder>/<account>_CloudTrail-Insight_<region>_<minute>_<id>: {
  "Records":[{"eventVersion":"1.07","eventTime":"<time>","awsRegion":"<region>","eventID":"<uuid>",
  "eventType":"AwsCloudTrailInsight","recipientAccountId":"<account>","sharedEventID":"<uuid>",
  "eventCategory":"Insight","insightDetails":{"state":"Start","eventSource":"s3.amazonaws.com",
  "eventName":"GetObject","insightType":"ApiCallRateInsight","insightContext":{"statistics":{"baseline":{
  "average":1.25},"insight":{"average":97.0}}}}}]}
"#;

/// A shape of rows.
pub(crate) struct Shape {
    pub(crate) weight: u64,
    /// The number of rows from one filled template.
    pub(crate) rows: u64,
    pub(crate) pieces: Pieces,
}

/// Returns the shapes of `CloudTrail` records.
pub(crate) fn record_shapes() -> Vec<Shape> {
    let record = |(head, body): (&str, String)| {
        let [weight, service, call, identity] = head.split(' ').collect::<Vec<_>>()[..] else {
            unreachable!("the head of a record has four words")
        };
        let template = format!(
            r#"{{"eventVersion":"<event_version>","userIdentity":<{identity}>,"eventTime":"<time>","eventSource":"{service}.amazonaws.com","eventName":"{call}","awsRegion":"<region>",{body}}}"#
        );
        shape(weight, &template)
    };
    entries(RECORDS, "").into_iter().map(record).collect()
}

/// Returns the shapes of S3 access lines.
pub(crate) fn line_shapes() -> Vec<Shape> {
    shapes_of_lines(LINES)
}

/// Returns the shapes of a table of lines.
pub(crate) fn shapes_of_lines(table: &str) -> Vec<Shape> {
    entries(table, " ").iter().map(|(weight, template)| shape(weight, template)).collect()
}

/// Returns the shapes of a table of JSON records.
pub(crate) fn shapes_of_json(table: &str) -> Vec<Shape> {
    entries(table, "").iter().map(|(weight, template)| shape(weight, template)).collect()
}

/// Splits a table of templates into entries of head and body. Indented lines are joined to the body with `glue`.
pub(crate) fn entries<'a>(table: &'a str, glue: &str) -> Vec<(&'a str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in table.trim().lines() {
        match (line.strip_prefix("  "), entries.last_mut()) {
            (Some(rest), Some((_, body))) => body.extend([glue, rest]),
            _ => entries.extend(line.split_once(": ").map(|(head, body)| (head, body.to_owned()))),
        }
    }
    entries
}

/// Expands the parts in a template.
fn expand(template: &str) -> String {
    let put_in = |text: String, (name, part): (&str, String)| text.replace(&format!("<{name}>"), &part);
    let others = [elb_shapes::PARTS, json_shapes::PARTS].map(|parts| entries(parts, ""));
    let parts = entries(PARTS, "").into_iter().chain(others.into_iter().flatten());
    parts.fold(template.to_owned(), put_in)
}

/// Builds a shape.
fn shape(weight: &str, template: &str) -> Shape {
    let text = expand(template);
    let weight = weight.parse().expect("an entry starts with its weight");
    Shape { weight, rows: 1 + text.matches("<line>").count() as u64, pieces: compile(&text) }
}
