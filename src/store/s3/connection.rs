//! The connection to AWS: one runtime, one HTTPS client, and credentials from the places that every AWS tool uses.
//!
//! The SDK reads region, credentials, profiles and endpoints (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, ...) from their usual
//! places. Every request, including those for credentials, goes through the proxy that the environment names for it. Requests
//! to the metadata of an instance or container are the exception. The core is synchronous: [`Aws::wait`] is the door between
//! the two worlds.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_s3::config::{ProvideCredentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use tokio::time;

use super::failure::causes;
use super::proxied::http_client;
use super::through_proxy::ThroughProxy;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::store::ConnectionOptions;
use crate::store::proxies::Proxies;

/// Attempts of one request, including all retries; the SDK waits between them, longer each time, with jitter.
const MAX_ATTEMPTS: u32 = 8;
const MAX_BACKOFF: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time until the first byte of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a wait checks whether it should stop.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// The next step if a role cannot be assumed.
const NOT_ASSUMED: &str =
    "name this caller in its trust policy, and allow sts:AssumeRole in the policy of this caller";

/// The connection to AWS, shared by all stores, lakes and catalogs of a process.
#[derive(Debug)]
pub struct Aws {
    runtime: Runtime,
    cancel: Cancel,
    http: SharedHttpClient,
    base: OnceLock<SdkConfig>,
    /// Configurations of assumed roles, by ARN.
    roles: Mutex<HashMap<String, SdkConfig>>,
    path_style: bool,
    max_attempts: u32,
    /// How often a wait checks whether it should stop.
    cancel_interval: Duration,
    #[cfg(test)]
    simulation: Option<super::simulation::Simulation>,
}

impl Aws {
    /// Starts the runtime.
    pub fn new(cancel: Cancel, options: &ConnectionOptions) -> Result<Arc<Self>> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(request_threads())
            .thread_name("aws")
            .enable_all()
            .build()
            .map_err(|cause| Error::unusable("cannot start a thread for requests to AWS", cause))?;
        let http =
            http_client(&tls_context(options.ca_bundle.as_deref())?, Proxies::parse(&options.proxies)?)?;
        let (path_style, max_attempts) = (options.path_style, options.max_attempts.unwrap_or(MAX_ATTEMPTS));
        Ok(Arc::new(Self {
            runtime,
            cancel,
            http,
            base: OnceLock::new(),
            roles: Mutex::default(),
            path_style,
            max_attempts,
            cancel_interval: CANCEL_INTERVAL,
            #[cfg(test)]
            simulation: None,
        }))
    }

    /// Connects an actor of a simulation to its bucket. All its tasks share one thread.
    #[cfg(test)]
    pub(crate) fn simulated(bucket: Arc<dyn super::simulation::SimulatedBucket>) -> Arc<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Arc::new(Self {
            runtime: runtime.expect("it starts no thread"),
            cancel: Cancel::default(),
            http: super::simulation::no_http(),
            base: OnceLock::new(),
            roles: Mutex::default(),
            path_style: false,
            max_attempts: MAX_ATTEMPTS,
            cancel_interval: Duration::MAX,
            simulation: Some(super::simulation::Simulation::new(bucket)),
        })
    }

    /// The simulation that answers the requests, if any.
    #[cfg(test)]
    pub(super) fn simulation(&self) -> Option<&super::simulation::Simulation> {
        self.simulation.as_ref()
    }

    /// Waits between two attempts.
    pub(super) async fn pause(&self, pause: Duration) {
        #[cfg(test)]
        if let Some(simulation) = &self.simulation {
            return simulation.pause(pause);
        }
        time::sleep(pause).await;
    }

    /// Waits in a task that runs beside others.
    pub(super) async fn wait_beside(&self, pause: Duration) {
        #[cfg(test)]
        if let Some(simulation) = &self.simulation {
            return simulation.wait_beside(pause).await;
        }
        time::sleep(pause).await;
    }

    /// The configuration of calls; with a role, it has that role's temporary credentials, which are renewed as needed.
    pub fn config(&self, role_arn: Option<&str>) -> Result<SdkConfig> {
        let base = match self.base.get() {
            Some(base) => base.clone(),
            None => self
                .base
                .get_or_init(|| self.runtime.block_on(load(self.http.clone(), self.max_attempts)))
                .clone(),
        };
        if base.region().is_none() {
            return Err(Error::new(ErrorKind::Usage, "no AWS region is set")
                .hint("set AWS_REGION, or a region in the profile"));
        }
        role_arn.map_or(Ok(base.clone()), |role_arn| self.with_role(base, role_arn))
    }

    /// Assumes a role, once per process.
    fn with_role(&self, base: SdkConfig, role_arn: &str) -> Result<SdkConfig> {
        let mut roles = self.roles.lock().expect("a thread that panics ends the process");
        if let Some(known) = roles.get(role_arn) {
            return Ok(known.clone());
        }
        let provider = AssumeRoleProvider::builder(role_arn).configure(&base).session_name("logmill").build();
        let role = SharedCredentialsProvider::new(self.runtime.block_on(provider));
        // Request credentials at once: this reports a role that cannot be assumed better than the first listing would.
        self.wait(async {
            role.provide_credentials().await.map(|_| ()).map_err(|cause| {
                let hint =
                    ThroughProxy::find_in(&cause).map_or(NOT_ASSUMED.to_owned(), ThroughProxy::next_step);
                Error::new(ErrorKind::Denied, "cannot assume the role")
                    .with("role", role_arn)
                    .caused_by(std::io::Error::other(causes(&cause)))
                    .hint(hint)
            })
        })?;
        let config = base.into_builder().credentials_provider(role).build();
        roles.insert(role_arn.to_owned(), config.clone());
        Ok(config)
    }

    /// Returns the number of attempts of a request, up to a limit.
    pub(super) fn attempts_up_to(&self, most: u32) -> u32 {
        self.max_attempts.min(most)
    }

    /// A client for S3; see [`config`](Self::config).
    pub fn s3(&self, role_arn: Option<&str>) -> Result<aws_sdk_s3::Client> {
        let config = self.config(role_arn)?;
        // Retries share no quota: the requests of a run hit a throttled bucket together, and each waits longer from attempt
        // to attempt.
        let partition = RetryPartition::custom("logmill").token_bucket(TokenBucket::unlimited()).build();
        let settings = aws_sdk_s3::config::Builder::from(&config)
            .retry_partition(partition)
            .force_path_style(self.path_style || config.endpoint_url().is_some());
        Ok(aws_sdk_s3::Client::from_conf(settings.build()))
    }

    /// Waits for requests; returns early if the process is asked to stop.
    pub fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.runtime.block_on(async {
            tokio::pin!(work);
            loop {
                match time::timeout(self.cancel_interval, &mut work).await {
                    Ok(outcome) => return outcome,
                    Err(_) => self.cancel.check()?,
                }
            }
        })
    }

    /// Waits for requests that must not be left half done, even if the process is asked to stop.
    pub fn wait_out<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The runtime in which requests run.
    pub fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }

    /// Starts work in the background.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }
}

/// Requests mostly wait, but encryption and checksums still need a thread for every few workers.
fn request_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).div_ceil(4).min(8)
}

async fn load(http: SharedHttpClient, max_attempts: u32) -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(max_attempts).with_max_backoff(MAX_BACKOFF);
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(retries)
        .timeout_config(timeouts.build())
        .load()
        .await
}

/// The certificate authorities to trust: those of the system, or those of a bundle instead.
fn tls_context(ca_bundle: Option<&Path>) -> Result<TlsContext> {
    let Some(path) = ca_bundle else { return Ok(TlsContext::default()) };
    let pem = std::fs::read(path).map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the certificate authority bundle")
            .with("file", path.display())
            .caused_by(cause)
            .hint("set AWS_CA_BUNDLE to a PEM file")
    })?;
    let trusted = TrustStore::empty().with_native_roots(false).with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(trusted).build().map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot use the certificate authority bundle")
            .with("file", path.display())
            .caused_by(cause)
    })
}
