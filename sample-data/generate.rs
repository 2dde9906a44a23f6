//! Makes sample and benchmark days of raw AWS logs: S3 server access lines and `CloudTrail` records.
//!
//! Everything is invented, and the same arguments give the same bytes: one seed feeds all choices, no clock is
//! read, and gzip headers hold no time. Objects are made one by one, so the day never sits in memory. Beside
//! the logs lies `expected.json`: what an import of the day has to count, tallied while the rows are made.
//!
//! Records and lines are templates. `<lower>` words are filled per row from [`WORDS`]; `<UPPER>` words are
//! parts of text from [`PARTS`], put in once at start.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::Arguments;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use fastrand::Rng;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

/// Seconds of a minute, an hour and a day.
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Every twentieth row takes the next shape in turn, so that rare shapes appear in a small day too.
const IN_TURN: u64 = 20;

/// Parts of templates: a name, then its text. Outer parts come before those they hold.
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

/// Shapes of `CloudTrail` records: weight, service, call and identity, then what follows `awsRegion`.
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

/// Shapes of access lines: the weight, then the fields. `<line>` begins a further line of the same request.
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

/// What lies beside the folder `CloudTrail` and is no part of the tables: key below the organisation, then text.
const SIBLINGS: &str = r#"
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

/// Names that rows choose from, the frequent ones first.
const USERS: &[&str] =
    &["minsu.kim", "deploy-bot", "seoyeon.lee", "etl", "ci-runner", "jihun.park", "backup"];
const KOREAN: &[&str] = &["김민수", "이서연", "박지훈", "최유진", "정하늘"];
const ROLES: &[&str] =
    &["orders-etl", "AnalyticsReadOnly", "eks-node", "glue-crawler", "web-upload", "Admin"];
const BUCKETS: &[&str] = &["datalake-kr", "web-kr", "results", "media", "app-config", "org-trail-logs"];
const FUNCTIONS: &[&str] = &["orders-ingest", "thumbnail-maker", "slack-notify", "session-cleaner"];
const SERVICES: &[&str] =
    &["s3.amazonaws.com", "cloudtrail.amazonaws.com", "lambda.amazonaws.com", "config.amazonaws.com"];
const VERSIONS: &[&str] = &["1.08", "1.09", "1.10", "1.05", "1.11"];
const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Names of stored objects; `#` becomes a number of the object.
const KEYS: &[&str] = &[
    "raw/dt=2023-10-31/#.parquet",
    "static/app.#.js",
    "orders/kr=1/#.parquet",
    "images/#_thumb.jpg",
    "보고서/# 1.pdf",
    "사진+#.jpg",
    "tmp/a&b=c%20d (#)'s \"copy\".txt",
    "config/#.json",
];

/// User agents of programs, and of browsers.
const AGENTS: &[&str] = &[
    "aws-sdk-java/1.12.526 Linux/5.10.192",
    "Boto3/1.28.62 md/Botocore#1.31.62",
    "aws-cli/2.13.25 Python/3.11.5 Linux/6.1.55",
    "Hadoop 3.3.4, aws-sdk-java/1.12.262",
    "aws-sdk-go/1.45.24 (go1.21.3; linux; amd64)",
    "aws-internal/3",
];
const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/118.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0_3) Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Firefox/118.0",
];

/// Cipher suites and the TLS version each belongs to.
const CIPHERS: &[(&str, &str)] = &[
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2"),
    ("TLS_AES_128_GCM_SHA256", "TLSv1.3"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2"),
];

/// What follows the 24th field of an access line: nothing, or up to three newer fields.
const TAILS: &[&str] = &[
    " - -",
    " - - ap-northeast-2",
    " - Yes",
    " -",
    "",
    " arn:aws:s3:ap-northeast-2:123456789012:accesspoint/analytics - us-east-1",
];

/// Documentation networks that all addresses lie in.
const NETWORKS: &[&str] = &["192.0.2", "198.51.100", "203.0.113"];

/// Characters of ids, and how many of them, from the first on, an alphabet has.
const CHARACTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
const HEX: u64 = 16;
const UPPER: u64 = 36;
const ALPHANUMERIC: u64 = 62;
const BASE64: u64 = 64;

/// How the objects of a source are named, chosen and packed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// gzip of JSON, named by the minute of delivery.
    CloudTrail,
    /// Lines, named by the second of delivery.
    Simple,
    /// Lines, in a folder of the UTC day of their events.
    Partitioned,
}

/// One source of objects.
struct Source {
    layout: Layout,
    account: &'static str,
    region: &'static str,
    /// The bucket that all rows are about; none where every row names its own.
    bucket: Option<&'static str>,
}

/// Sources of `CloudTrail` objects, the busiest first.
const TRAILS: &[Source] = &[
    Source { layout: Layout::CloudTrail, account: "123456789012", region: "ap-northeast-2", bucket: None },
    Source { layout: Layout::CloudTrail, account: "111122223333", region: "ap-northeast-2", bucket: None },
    Source { layout: Layout::CloudTrail, account: "123456789012", region: "us-east-1", bucket: None },
    Source { layout: Layout::CloudTrail, account: "111122223333", region: "us-east-1", bucket: None },
];

/// Sources of access lines, the busiest first.
const SITES: &[Source] = &[
    Source {
        layout: Layout::Simple,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("web-kr"),
    },
    Source {
        layout: Layout::Partitioned,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("datalake-kr"),
    },
    Source {
        layout: Layout::Simple,
        account: "123456789012",
        region: "ap-northeast-2",
        bucket: Some("media"),
    },
    Source {
        layout: Layout::Partitioned,
        account: "111122223333",
        region: "ap-northeast-2",
        bucket: Some("results"),
    },
];

/// What is peculiar about an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    Plain,
    /// Delivered a second time under another name.
    Twice,
    /// gzip that ends too early.
    Truncated,
    /// Two more elements that are no usable records.
    Unusable,
    /// Two gzip members with a document each.
    Members,
    /// Another key before `Records`.
    Reordered,
    /// Lines end with CR LF.
    Crlf,
    /// The last line has no end.
    Unended,
    /// Blank lines between.
    Blank,
    /// One record cut inside its requester, the next one joined to it.
    Torn,
    /// One line of something else.
    Garbage,
}

/// An object to be made.
#[derive(Clone, Copy)]
struct Plan {
    source: usize,
    /// The time in its name.
    stamp: i64,
    /// Event times are chosen from here...
    from: i64,
    /// ...up to, but not at, here.
    to: i64,
    rows: u64,
    kind: Kind,
}

/// An object of the sample beside the even ones. Times are minutes, counted from the begin of the day.
struct Extra(usize, i64, i64, i64, u64, Kind);

/// Extras of `CloudTrail`: source, first and last event minute, delay of delivery, rows, kind.
const EXTRA_RECORDS: &[Extra] = &[
    // Left out by name: delivered before the day, and later than six hours after it.
    Extra(0, -75, -62, 12, 6, Kind::Plain),
    Extra(1, -20, -11, 6, 6, Kind::Plain),
    Extra(1, 1790, 1800, 8, 6, Kind::Plain),
    // Read, but all of the day before or after.
    Extra(0, -9, -1, 5, 8, Kind::Plain),
    Extra(0, 1500, 1510, 8, 8, Kind::Plain),
    // Both sides of the begin and of the end.
    Extra(0, -6, 5, 6, 16, Kind::Plain),
    Extra(2, -3, 4, 9, 10, Kind::Plain),
    Extra(0, 1433, 1443, 5, 16, Kind::Plain),
    // Late by more than 15 hours.
    Extra(2, 720, 721, 939, 8, Kind::Plain),
    Extra(0, 300, 304, 7, 10, Kind::Twice),
    Extra(0, 420, 424, 6, 10, Kind::Truncated),
    Extra(1, 500, 505, 9, 8, Kind::Unusable),
    Extra(0, 610, 618, 6, 12, Kind::Members),
    Extra(3, 800, 805, 7, 8, Kind::Reordered),
];

/// Extras of the access lines, in the same form. The delay means nothing where folders are event days.
const EXTRA_LINES: &[Extra] = &[
    // Left out by name or folder: before the day, and later than 24 hours after it.
    Extra(0, -150, -100, 60, 2, Kind::Plain),
    Extra(0, 2820, 2860, 30, 2, Kind::Plain),
    Extra(1, -1620, -1500, 0, 2, Kind::Plain),
    Extra(3, 2040, 2100, 0, 2, Kind::Plain),
    // Read, but all of the day before or after.
    Extra(0, -60, -5, 25, 6, Kind::Plain),
    Extra(2, 1640, 1700, 40, 4, Kind::Plain),
    Extra(1, -600, -60, 0, 6, Kind::Plain),
    Extra(1, 1700, 1900, 0, 6, Kind::Plain),
    // Both sides of the begin and of the end.
    Extra(0, -40, 30, 40, 12, Kind::Plain),
    Extra(0, 1410, 1455, 30, 12, Kind::Plain),
    Extra(1, -30, 30, 0, 10, Kind::Plain),
    Extra(3, 1410, 1470, 0, 10, Kind::Plain),
    // Late: ten hours after the end.
    Extra(0, 600, 700, 1340, 8, Kind::Plain),
    Extra(0, 200, 230, 35, 8, Kind::Crlf),
    Extra(0, 260, 280, 35, 6, Kind::Unended),
    Extra(2, 330, 350, 50, 6, Kind::Blank),
    Extra(0, 450, 470, 45, 8, Kind::Torn),
    Extra(3, 880, 900, 0, 6, Kind::Garbage),
];

/// Folder of the organisation's trail.
const ORGANISATION: &str = "cloudtrail/AWSLogs/o-exampleorgid";

/// Two elements that are no usable records: one has no event time, one is no object.
const UNUSABLE: &str =
    r#",{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"GetObject"},"a bare string""#;

/// A line of something else.
const GARBAGE: &str = "delivery agent: connection reset by peer, 3 retries left\n";

/// Size and spread of a table.
#[derive(Clone, Copy)]
struct Load {
    rows: u64,
    objects: u64,
    /// How many principals, addresses and stored objects there are.
    principals: u64,
    addresses: u64,
    keys: u64,
    /// One row in so many is a copy of another.
    copies: u64,
}

/// Loads of the presets: `CloudTrail`, then access lines.
const SAMPLE: [Load; 2] = [
    Load { rows: 1400, objects: 18, principals: 24, addresses: 60, keys: 400, copies: 50 },
    Load { rows: 600, objects: 18, principals: 24, addresses: 60, keys: 400, copies: 50 },
];
const BENCH: [Load; 2] = [
    Load { rows: 617_000, objects: 500, principals: 100, addresses: 1000, keys: 50_000, copies: 1000 },
    Load { rows: 1_870_000, objects: 2000, principals: 400, addresses: 20_000, keys: 500_000, copies: 1000 },
];

/// Which day to make.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Small, with neighbours of the day and damage.
    Sample,
    /// Large, and of the day alone.
    Bench,
}

/// Makes a day of raw logs with invented content.
#[derive(Parser)]
struct Args {
    /// Folder to write to.
    #[arg(long)]
    out: PathBuf,
    /// Korean calendar day.
    #[arg(long, default_value = "2023-11-01", value_parser = korean_day)]
    day: i64,
    /// Size and content.
    #[arg(long, value_enum, default_value = "sample")]
    preset: Preset,
    /// Another seed gives other rows of the same shapes.
    #[arg(long, default_value_t = 20_231_101)]
    seed: u64,
    /// `CloudTrail` records, in place of the preset's number.
    #[arg(long)]
    records: Option<u64>,
    /// Objects that the records are spread over.
    #[arg(long)]
    record_objects: Option<u64>,
    /// Access lines, in place of the preset's number.
    #[arg(long)]
    lines: Option<u64>,
    /// Objects that the lines are spread over.
    #[arg(long)]
    line_objects: Option<u64>,
    /// So many times the objects, as large as before.
    #[arg(long, default_value_t = 1)]
    multiply: u64,
}

/// Takes seconds since 1970 apart: year, month, day, hour, minute, second.
fn clock(time: i64) -> [i64; 6] {
    let (days, second) = (time.div_euclid(DAY) + 719_468, time.rem_euclid(DAY));
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let day = of_year - (153 * march + 2) / 5 + 1;
    [year, month, day, second / HOUR, second % HOUR / MINUTE, second % MINUTE]
}

/// Days from 1970 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * march + 2) / 5 + day - 1 - 719_468
}

/// Reads a Korean date and gives the second at which it begins.
fn korean_day(text: &str) -> Result<i64, String> {
    let parts: Option<Vec<i64>> = text.split('-').map(|part| part.parse().ok()).collect();
    let Some(&[year, month, day]) = parts.as_deref() else { return Err("not of the form YYYY-MM-DD".into()) };
    let begin = days(year, month, day) * DAY;
    let exists = clock(begin)[..3] == [year, month, day];
    exists.then_some(begin - 9 * HOUR).ok_or_else(|| "no such day".into())
}

/// `2023-10-31T15:00:00Z`
fn iso(time: i64) -> String {
    let [year, month, day, hour, minute, second] = clock(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `20231031T150000Z`
fn basic(time: i64) -> String {
    iso(time).replace(['-', ':'], "")
}

/// `20231031T1500Z`
fn minute(time: i64) -> String {
    format!("{}Z", &basic(time)[..13])
}

/// `2023/10/31`
fn folder(time: i64) -> String {
    iso(time)[..10].replace('-', "/")
}

/// `31/Oct/2023:15:00:00 +0000`
fn common_log(time: i64) -> String {
    let [year, month, day, hour, minute, second] = clock(time);
    let name = MONTHS[usize::try_from(month - 1).expect("months count from 1")];
    format!("{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
}

/// One of `table`, the first ones far more often: the chance of the n-th falls like 1/n.
fn pick<T: Copy>(rng: &mut Rng, table: &[T]) -> T {
    at(table, zipf(rng, table.len() as u64))
}

/// The n-th of `table`, which begins anew after its end.
fn at<T: Copy>(table: &[T], n: u64) -> T {
    table[usize::try_from(n % table.len() as u64).expect("less than a length")]
}

/// A number below `end`, chosen with a chance that falls like 1/n, in integers alone.
fn zipf(rng: &mut Rng, end: u64) -> u64 {
    loop {
        let scale = 1 << rng.u64(0..=u64::from(end.ilog2()));
        let number = scale - 1 + rng.u64(0..scale);
        if number < end {
            return number;
        }
    }
}

/// Adds random characters.
fn random(out: &mut String, rng: &mut Rng, alphabet: u64, count: usize) {
    out.extend((0..count).map(|_| char::from(at(CHARACTERS, rng.u64(0..alphabet)))));
}

/// Adds characters that are the same for the same number.
fn stable(out: &mut String, number: u64, alphabet: u64, count: usize) {
    random(out, &mut Rng::with_seed(number), alphabet, count);
}

/// 64 hexadecimal digits that are the same for the same number.
fn lower_hex(number: u64) -> String {
    let mut rng = Rng::with_seed(number);
    let mut out = String::with_capacity(64);
    (0..4).for_each(|_| put(&mut out, format_args!("{:016x}", rng.u64(..))));
    out
}

/// Adds formatted text.
fn put(out: &mut String, text: Arguments<'_>) {
    std::fmt::Write::write_fmt(out, text).expect("a String takes any text");
}

/// Adds a random UUID, version 4.
fn uuid(out: &mut String, rng: &mut Rng) {
    let (high, low) = (rng.u64(..), rng.u64(..));
    let (time, middle, version) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    let (variant, node) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
    put(out, format_args!("{time:08x}-{middle:04x}-4{version:03x}-{variant:04x}-{node:012x}"));
}

/// Percent-encodes all but letters, digits and `-_.*/`; a space becomes `space`.
fn percent(text: &str, space: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match char::from(byte) {
            ' ' => out.push_str(space),
            plain @ ('-' | '_' | '.' | '*' | '/' | '0'..='9' | 'A'..='Z' | 'a'..='z') => out.push(plain),
            _ => put(&mut out, format_args!("%{byte:02X}")),
        }
    }
    out
}

/// Escapes `text` for JSON, its quotes left off; with `ascii` all beyond ASCII becomes `\uXXXX`.
fn escaped(text: &str, ascii: bool) -> String {
    let quoted = Value::from(text).to_string();
    let mut out = String::with_capacity(quoted.len());
    for character in quoted[1..quoted.len() - 1].chars() {
        if character.is_ascii() || !ascii {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            put(&mut out, format_args!("\\u{unit:04X}"));
        }
    }
    out
}

/// What a row is about, chosen before its template is filled.
struct Row<'a> {
    rng: &'a mut Rng,
    source: &'static Source,
    time: i64,
    bucket: &'static str,
    /// Number of the principal, and of the stored object.
    who: u64,
    object: u64,
    address: String,
    agent: &'static str,
    tls: (&'static str, &'static str),
    size: u64,
    request: String,
    host: String,
}

impl Row<'_> {
    /// Name of the stored object.
    fn key(&self) -> String {
        let number = format!("{:08x}", self.object.wrapping_mul(2_654_435_761) & 0xffff_ffff);
        at(KEYS, self.object).replace('#', &number)
    }

    /// Begin of the session: some full hour within the last four.
    fn began(&self) -> i64 {
        let back = i64::try_from(self.who % 4).expect("below four") * HOUR;
        self.time - self.time.rem_euclid(HOUR) - back
    }
}

/// Fills in one word of a template.
type Word = fn(&mut Row<'_>, &mut String);

/// The words of templates.
const WORDS: &[(&str, Word)] = &[
    ("time", |row, out| out.push_str(&iso(row.time))),
    ("clf", |row, out| out.push_str(&common_log(row.time))),
    ("basic", |row, out| out.push_str(&basic(row.time))),
    ("minute", |row, out| out.push_str(&minute(row.time))),
    ("folder", |row, out| out.push_str(&folder(row.time))),
    ("began", |row, out| out.push_str(&iso(row.began()))),
    ("began_basic", |row, out| out.push_str(&basic(row.began()))),
    ("began_day", |row, out| out.push_str(&basic(row.began())[..8])),
    ("expiry", |row, out| out.push_str(&iso(row.time + HOUR))),
    ("account", |row, out| out.push_str(row.source.account)),
    ("region", |row, out| out.push_str(row.source.region)),
    ("bucket", |row, out| out.push_str(row.bucket)),
    ("bucket_region", |_, out| out.push_str("ap-northeast-2")),
    ("owner", |row, out| out.push_str(&lower_hex(row.source.account.parse().expect("digits")))),
    ("ip", |row, out| out.push_str(&row.address)),
    ("agent", |row, out| out.push_str(row.agent)),
    ("browser", |row, out| out.push_str(at(BROWSERS, row.who))),
    ("user", |row, out| out.push_str(at(USERS, row.who))),
    ("korean", |row, out| out.push_str(at(KOREAN, row.who))),
    ("user_id", |row, out| stable(out, row.who, UPPER, 17)),
    ("user_key", |row, out| stable(out, row.who ^ 0xaa, UPPER, 16)),
    ("user_uuid", |row, out| uuid(out, &mut Rng::with_seed(row.who))),
    ("role", |row, out| out.push_str(at(ROLES, row.who))),
    ("role_id", |row, out| stable(out, row.who % ROLES.len() as u64 + 0x5555, UPPER, 17)),
    ("session", |row, out| out.push_str(&lower_hex(row.who)[..8])),
    ("session_key", |row, out| stable(out, row.began().unsigned_abs() + row.who, UPPER, 16)),
    ("service", |row, out| out.push_str(at(SERVICES, row.who))),
    ("function", |row, out| out.push_str(at(FUNCTIONS, row.who))),
    ("cloudfront", |row, out| stable(out, row.who % 3, UPPER, 13)),
    ("kms", |row, out| uuid(out, &mut Rng::with_seed(row.who % 8))),
    ("key", |row, out| out.push_str(&escaped(&row.key(), row.object.is_multiple_of(4)))),
    ("key_once", |row, out| out.push_str(&percent(&row.key(), "+"))),
    ("key_twice", |row, out| out.push_str(&percent(&percent(&row.key(), "+"), "%20"))),
    ("uri", |row, out| out.push_str(&percent(&row.key(), "%20"))),
    ("next", |row, _| row.object += 1),
    ("line", |_, out| out.replace_range(out.trim_end().len().., "\n")),
    ("request", |row, out| out.push_str(&row.request)),
    ("host", |row, out| out.push_str(&row.host)),
    ("size", |row, out| put(out, format_args!("{}", row.size))),
    ("ms", |row, out| put(out, format_args!("{}", 60 + zipf(row.rng, 2000)))),
    ("ttfb", |row, out| put(out, format_args!("{}", 8 + zipf(row.rng, 50)))),
    ("cipher", |row, out| out.push_str(row.tls.0)),
    ("tls", |row, out| out.push_str(row.tls.1)),
    ("tail", |row, out| out.push_str(pick(row.rng, TAILS))),
    ("event_version", |row, out| out.push_str(pick(row.rng, VERSIONS))),
    ("id", |row, out| random(out, row.rng, ALPHANUMERIC, 16)),
    ("uuid", |row, out| uuid(out, row.rng)),
    ("token", |row, out| random(out, row.rng, BASE64, 344)),
    ("version", |row, out| stable(out, row.object, ALPHANUMERIC, 32)),
    ("signature", |row, out| out.push_str(&lower_hex(row.rng.u64(..)))),
];

/// What lies between the words of a template, each with the word that comes before it.
type Pieces = Vec<(Option<Word>, String)>;

/// Cuts a table of templates into entries of head and body. Indented lines go on, joined by `glue`.
fn entries<'a>(table: &'a str, glue: &str) -> Vec<(&'a str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in table.trim().lines() {
        match (line.strip_prefix("  "), entries.last_mut()) {
            (Some(rest), Some((_, body))) => body.extend([glue, rest]),
            _ => entries.extend(line.split_once(": ").map(|(head, body)| (head, body.to_owned()))),
        }
    }
    entries
}

/// Puts the parts into a template.
fn expand(template: &str) -> String {
    let put_in = |text: String, (name, part): (&str, String)| text.replace(&format!("<{name}>"), &part);
    entries(PARTS, "").into_iter().fold(template.to_owned(), put_in)
}

/// Cuts an expanded template at its words.
fn compile(text: &str) -> Pieces {
    let words: HashMap<&str, Word> = WORDS.iter().copied().collect();
    let piece = |part: &str| match part.split_once('>') {
        Some((word, rest)) => (Some(words[word]), rest.to_owned()),
        None => (None, part.to_owned()),
    };
    text.split('<').map(piece).collect()
}

/// Fills a template for a row.
fn fill(pieces: &Pieces, row: &mut Row<'_>) -> String {
    let mut out = String::with_capacity(2048);
    for (word, text) in pieces {
        word.inspect(|word| word(row, &mut out));
        out.push_str(text);
    }
    out
}

/// What rows can look like.
struct Shape {
    weight: u64,
    /// How many rows one filling gives.
    rows: u64,
    pieces: Pieces,
}

/// Makes a shape.
fn shape(weight: &str, template: &str) -> Shape {
    let text = expand(template);
    let weight = weight.parse().expect("an entry begins with its weight");
    Shape { weight, rows: 1 + text.matches("<line>").count() as u64, pieces: compile(&text) }
}

/// The shapes of `CloudTrail` records.
fn record_shapes() -> Vec<Shape> {
    let record = |(head, body): (&str, String)| {
        let [weight, service, call, identity] = head.split(' ').collect::<Vec<_>>()[..] else {
            unreachable!("a record has four words ahead")
        };
        let template = format!(
            r#"{{"eventVersion":"<event_version>","userIdentity":<{identity}>,"eventTime":"<time>","eventSource":"{service}.amazonaws.com","eventName":"{call}","awsRegion":"<region>",{body}}}"#
        );
        shape(weight, &template)
    };
    entries(RECORDS, "").into_iter().map(record).collect()
}

/// The shapes of access lines.
fn line_shapes() -> Vec<Shape> {
    entries(LINES, " ").iter().map(|(weight, template)| shape(weight, template)).collect()
}

/// What an import of the day has to count, by the names in `expected.json`.
type Tally = BTreeMap<&'static str, u64>;

/// A tally of nothing.
fn tally() -> Tally {
    ["objects", "read", "written", "other_day", "duplicate", "quarantined"].map(|name| (name, 0)).into()
}

/// A finished row.
#[derive(Clone)]
struct Made {
    text: String,
    time: i64,
    /// It was delivered before.
    copy: bool,
}

/// A table in the making.
struct Table {
    day: i64,
    load: Load,
    sources: &'static [Source],
    shapes: Vec<Shape>,
    rng: Rng,
    /// Rows so far.
    made: u64,
    /// Per source, a row that will come again.
    spares: Vec<Option<Made>>,
    tally: Tally,
}

impl Table {
    /// A table without rows.
    fn new(day: i64, load: Load, sources: &'static [Source], shapes: Vec<Shape>, seed: u64) -> Self {
        let (rng, spares) = (Rng::with_seed(seed), vec![None; sources.len()]);
        Self { day, load, sources, shapes, rng, made: 0, spares, tally: tally() }
    }

    /// The objects that the rows of the day are spread over.
    fn even_plans(&mut self) -> Vec<Plan> {
        let Load { rows, objects, .. } = self.load;
        let count = i64::try_from(objects).expect("objects fit a day");
        let plan = |(nth, index): (u64, i64)| {
            let source = usize::try_from(zipf(&mut self.rng, self.sources.len() as u64)).expect("an index");
            let layout = self.sources[source].layout;
            let from = self.day + DAY * index / count;
            let to = (from + (DAY / count).clamp(1, layout.longest())).min(layout.limit(from));
            let stamp = layout.stamp(from, to, layout.delay(&mut self.rng));
            let rows = rows / objects + u64::from(nth < rows % objects);
            Plan { source, stamp, from, to, rows, kind: Kind::Plain }
        };
        (0..objects).zip(0..count).map(plan).collect()
    }

    /// The objects of a table of extras.
    fn extra_plans(&self, extras: &[Extra]) -> Vec<Plan> {
        let plan = |&Extra(source, first, last, delay, rows, kind): &Extra| {
            let (from, to) = (self.day + first * MINUTE, self.day + last * MINUTE);
            let stamp = self.sources[source].layout.stamp(from, to, delay * MINUTE);
            Plan { source, stamp, from, to, rows, kind }
        };
        extras.iter().map(plan).collect()
    }

    /// Makes all objects, in the order of the times in their names.
    fn make(&mut self, out: &Path, extras: &[Extra]) -> Result<(), Box<dyn Error>> {
        let mut plans = self.even_plans();
        plans.extend(self.extra_plans(extras));
        plans.sort_by_key(|plan| plan.stamp);
        plans.iter().try_for_each(|plan| self.object(out, plan))
    }

    /// Makes one object.
    fn object(&mut self, out: &Path, plan: &Plan) -> Result<(), Box<dyn Error>> {
        let source = &self.sources[plan.source];
        let read = source.layout.is_read(plan.stamp, self.day);
        let mut rows = self.rows(plan, read && plan.kind == Kind::Plain);
        let (bytes, rejects) = match source.layout {
            Layout::CloudTrail => pack_records(&mut rows, plan.kind)?,
            Layout::Simple | Layout::Partitioned => pack_lines(&mut rows, plan.kind),
        };
        let deliveries = if plan.kind == Kind::Twice { 2 } else { 1 };
        for _ in 0..deliveries {
            store(&out.join(source.object(plan.stamp, &mut self.rng)), &bytes)?;
            if read {
                self.count(&rows, rejects);
            }
            for row in &mut rows {
                row.copy = true;
            }
        }
        Ok(())
    }

    /// Counts an object that an import reads.
    fn count(&mut self, rows: &[Made], rejects: u64) {
        let day = self.day..self.day + DAY;
        let fate = |row: &Made| match (day.contains(&row.time), row.copy) {
            (false, _) => "other_day",
            (true, true) => "duplicate",
            (true, false) => "written",
        };
        let counts = [("objects", 1), ("quarantined", rejects), ("read", rows.len() as u64 + rejects)];
        for (name, count) in counts.into_iter().chain(rows.iter().map(|row| (fate(row), 1))) {
            *self.tally.entry(name).or_default() += count;
        }
    }

    /// The rows of one object, some of them copies where those are allowed.
    fn rows(&mut self, plan: &Plan, copies: bool) -> Vec<Made> {
        let mut rows = Vec::new();
        while (rows.len() as u64) < plan.rows {
            // Every other hit keeps a row, the next one brings it again.
            let hit = copies && self.rng.u64(..).is_multiple_of((self.load.copies / 2).max(1));
            if hit && let Some(spare) = self.spares[plan.source].take_if(|spare| plan.may_hold(spare)) {
                rows.push(spare);
                continue;
            }
            rows.extend(self.fresh(plan, plan.rows - rows.len() as u64));
            if hit && let Some(last) = rows.last() {
                self.spares[plan.source] = Some(Made { copy: true, ..last.clone() });
            }
        }
        rows
    }

    /// New rows of one request, not more than `most`.
    fn fresh(&mut self, plan: &Plan, most: u64) -> Vec<Made> {
        let shape = self.shape(most);
        let time = self.rng.i64(plan.from..plan.to);
        let source = &self.sources[plan.source];
        let mut row = roll(&mut self.rng, source, self.load, time);
        let text = fill(&self.shapes[shape].pieces, &mut row);
        self.made += 1;
        text.split('\n').map(|line| Made { text: line.to_owned(), time, copy: false }).collect()
    }

    /// Index of a shape that gives not more than `most` rows.
    fn shape(&mut self, most: u64) -> usize {
        let in_turn = self.made / IN_TURN % self.shapes.len() as u64;
        let index = if self.made.is_multiple_of(IN_TURN) {
            usize::try_from(in_turn).expect("less than a length")
        } else {
            let mut left = self.rng.u64(0..self.shapes.iter().map(|shape| shape.weight).sum());
            let hit = |shape: &Shape| {
                let inside = left < shape.weight;
                left = left.saturating_sub(shape.weight);
                inside
            };
            self.shapes.iter().position(hit).expect("the weights cover all numbers below their sum")
        };
        if self.shapes[index].rows <= most { index } else { 0 }
    }
}

/// Chooses what a row is about.
fn roll<'a>(rng: &'a mut Rng, source: &'static Source, load: Load, time: i64) -> Row<'a> {
    let bucket = source.bucket.unwrap_or_else(|| pick(rng, BUCKETS));
    let who = zipf(rng, load.principals);
    let (mut request, mut host) = (String::new(), String::new());
    random(&mut request, rng, UPPER, 16);
    random(&mut host, rng, BASE64, 75);
    host.push('=');
    let scale = 1 << rng.u64(6..25);
    Row {
        source,
        time,
        bucket,
        who,
        object: zipf(rng, load.keys),
        address: address(zipf(rng, load.addresses)),
        agent: at(AGENTS, who),
        tls: pick(rng, CIPHERS),
        size: scale + rng.u64(0..scale),
        request,
        host,
        rng,
    }
}

/// The n-th client address; one in sixteen is IPv6.
fn address(number: u64) -> String {
    if number % 16 == 9 {
        return format!("2001:db8:{:x}::{:x}", number % 7 + 1, number + 0x100);
    }
    format!("{}.{}", at(NETWORKS, number), number / 3 % 254 + 1)
}

impl Layout {
    /// How long the events of an object are apart at most.
    fn longest(self) -> i64 {
        if self == Self::CloudTrail { 10 * MINUTE } else { HOUR }
    }

    /// Where the events of an object that begins at `from` have to end.
    fn limit(self, from: i64) -> i64 {
        if self == Self::Partitioned { (from.div_euclid(DAY) + 1) * DAY } else { i64::MAX }
    }

    /// Seconds from the newest event to the delivery.
    fn delay(self, rng: &mut Rng) -> i64 {
        let (least, most) = if self == Self::CloudTrail { (5, 15) } else { (20, 90) };
        rng.i64(least * MINUTE..most * MINUTE)
    }

    /// The time in the name of an object.
    fn stamp(self, from: i64, to: i64, delay: i64) -> i64 {
        match self {
            Self::CloudTrail => (to + delay).div_euclid(MINUTE) * MINUTE,
            Self::Simple => to + delay,
            Self::Partitioned => from.div_euclid(DAY) * DAY,
        }
    }

    /// Whether an import of the day reads an object with this time in its name.
    fn is_read(self, stamp: i64, day: i64) -> bool {
        let (first, end) = match self {
            Self::CloudTrail => (day, day + DAY + 6 * HOUR),
            Self::Simple => (day, day + 2 * DAY),
            Self::Partitioned => (day - DAY + 1, day + DAY),
        };
        (first..end).contains(&stamp)
    }
}

impl Plan {
    /// Whether a row fits into the object: one per event day holds no other day's rows.
    fn may_hold(&self, row: &Made) -> bool {
        row.time.div_euclid(DAY) == self.from.div_euclid(DAY)
    }
}

impl Source {
    /// A new object key, below the output folder.
    fn object(&self, stamp: i64, rng: &mut Rng) -> String {
        let Self { account, region, .. } = self;
        let (bucket, folder) = (self.bucket.unwrap_or_default(), folder(stamp));
        let second = iso(stamp)[..19].replace(['T', ':'], "-");
        let (mut id, mut hex) = (String::new(), String::new());
        random(&mut id, rng, ALPHANUMERIC, 16);
        random(&mut hex, rng, HEX, 16);
        match self.layout {
            Layout::CloudTrail => {
                let name = format!("{account}_CloudTrail_{region}_{}_{id}.json.gz", minute(stamp));
                format!("{ORGANISATION}/{account}/CloudTrail/{region}/{folder}/{name}")
            }
            Layout::Simple => format!("s3-access/simple/web-{second}-{hex}"),
            Layout::Partitioned => {
                format!("s3-access/partitioned/{account}/{region}/{bucket}/{folder}/{second}-{hex}")
            }
        }
    }
}

/// Writes a file, and the folders above it.
fn store(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}

/// One gzip member.
fn gzip(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// The document of an object, with `first` before its key and `last` behind its records.
fn document(first: &str, rows: &[Made], last: &str) -> String {
    let records: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    format!("{{{first}\"Records\":[{}{last}]}}", records.join(","))
}

/// Packs records; gives the bytes and the number of rejects, and takes away rows that cannot be read.
fn pack_records(rows: &mut Vec<Made>, kind: Kind) -> std::io::Result<(Vec<u8>, u64)> {
    let bytes = match kind {
        Kind::Truncated => return Ok((truncated(rows)?, 1)),
        Kind::Unusable => return Ok((gzip(&document("", rows, UNUSABLE))?, 2)),
        Kind::Members => {
            let (left, right) = rows.split_at(rows.len() / 2);
            [gzip(&document("", left, ""))?, gzip(&document("", right, ""))?].concat()
        }
        Kind::Reordered => gzip(&document(r#""foo":1,"#, rows, ""))?,
        _ => gzip(&document("", rows, ""))?,
    };
    Ok((bytes, 0))
}

/// Packs records and cuts the end off; of the rows stay those that still come out whole.
fn truncated(rows: &mut Vec<Made>) -> std::io::Result<Vec<u8>> {
    let mut bytes = gzip(&document("", rows, ""))?;
    bytes.truncate(bytes.len() * 6 / 10);
    let mut readable = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut readable).expect_err("the stream is cut");
    let mut next = document("", &[], "").len() - 2;
    rows.retain(|row| {
        let end = next + row.text.len();
        next = end + 1;
        end <= readable.len()
    });
    Ok(bytes)
}

/// Packs lines; gives the bytes and the number of rejects, and takes away rows that cannot be read.
fn pack_lines(rows: &mut Vec<Made>, kind: Kind) -> (Vec<u8>, u64) {
    let (mut text, end) = match kind {
        Kind::Torn => (torn(rows), "\n"),
        Kind::Garbage => (GARBAGE.to_owned(), "\n"),
        Kind::Crlf => (String::new(), "\r\n"),
        Kind::Blank => ("\n".to_owned(), "\n\n"),
        _ => (String::new(), "\n"),
    };
    let rejects = u64::from(matches!(kind, Kind::Torn | Kind::Garbage));
    text.extend(rows.iter().flat_map(|row| [row.text.as_str(), end]));
    if kind == Kind::Unended {
        text.pop();
    }
    (text.into_bytes(), rejects)
}

/// Makes one line of the last two rows: the first ends in its requester, and there the second begins.
fn torn(rows: &mut Vec<Made>) -> String {
    let second = rows.pop().map(|row| row.text).unwrap_or_default();
    let first = rows.pop().map(|row| row.text).unwrap_or_default();
    let head: Vec<&str> = first.split(' ').take(5).collect();
    format!("{} arn:aws:iam::1234567{second}\n", head.join(" "))
}

/// Writes the objects beside the folder `CloudTrail`.
fn siblings(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut rng = Rng::with_seed(args.seed);
    for (key, body) in entries(SIBLINGS, "") {
        let mut row = roll(&mut rng, &TRAILS[0], SAMPLE[0], args.day + HOUR + 5 * MINUTE);
        let key = format!("{}.json.gz", fill(&compile(key), &mut row));
        let text = fill(&compile(&body), &mut row);
        store(&args.out.join(ORGANISATION).join(key), &gzip(&text)?)?;
    }
    Ok(())
}

/// The loads of both tables as the arguments want them.
fn loads(args: &Args) -> [Load; 2] {
    let mut loads = if args.preset == Preset::Sample { SAMPLE } else { BENCH };
    let wanted = [(args.records, args.record_objects), (args.lines, args.line_objects)];
    for (load, (rows, objects)) in loads.iter_mut().zip(wanted) {
        load.rows = rows.unwrap_or(load.rows) * args.multiply;
        load.objects = (objects.unwrap_or(load.objects) * args.multiply).max(1);
    }
    loads
}

/// Makes the day.
fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let [records, lines] = loads(&args);
    let sample = args.preset == Preset::Sample;
    let mut cloudtrail = Table::new(args.day, records, TRAILS, record_shapes(), args.seed);
    let mut access = Table::new(args.day, lines, SITES, line_shapes(), args.seed.wrapping_add(1));
    cloudtrail.make(&args.out, if sample { EXTRA_RECORDS } else { &[] })?;
    access.make(&args.out, if sample { EXTRA_LINES } else { &[] })?;
    if sample {
        siblings(&args)?;
    }
    let expected = json!({ "cloudtrail": cloudtrail.tally, "s3_access": access.tally });
    store(&args.out.join("expected.json"), format!("{expected:#}\n").as_bytes())?;
    Ok(())
}
