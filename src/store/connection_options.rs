//! How AWS is reached.

use std::path::PathBuf;

use super::proxies::ProxyVariables;

/// Connection options for AWS from the environment of the process, in addition to those that the SDK reads itself.
#[derive(Debug, Clone, Default)]
pub struct ConnectionOptions {
    /// A PEM file with the certificate authorities to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Whether the path names the bucket, as most servers other than AWS require, instead of the host.
    pub path_style: bool,
    /// Attempts of one request, including all retries; `None` uses our own default.
    pub max_attempts: Option<u32>,
    /// Which proxies requests go through.
    pub proxies: ProxyVariables,
}
