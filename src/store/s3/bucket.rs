//! A bucket, and the fields that all requests to it share.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::RequestPayer;

use super::Aws;

/// A bucket, with the fields of every request to it.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) aws: Arc<Aws>,
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) payer: Option<RequestPayer>,
    pub(super) owner: Option<String>,
}

impl Bucket {
    pub(super) fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }
}
