//! A simulated bucket in the place of S3, for tests of the protocol between runs.
//!
//! Each actor of a simulation has a runtime of one thread, so that its own tasks always run in the same order. A request
//! waits in [`SimulatedBucket`] until the scheduler of the simulation lets it through. Time is that of the simulation.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_runtime_api::client::http::http_client_fn;

use super::clock::ServiceClock;
pub(crate) use super::request::{Outcome, builders};
use crate::kst::UtcInstant;

/// Answers the requests of one actor. Every method blocks until the scheduler lets the request through.
pub(crate) trait SimulatedBucket: Debug + Send + Sync {
    fn abort_upload(&self, request: &builders::AbortUpload) -> Outcome<builders::AbortUpload>;
    fn complete_upload(&self, request: &builders::CompleteUpload) -> Outcome<builders::CompleteUpload>;
    fn create_upload(&self, request: &builders::CreateUpload) -> Outcome<builders::CreateUpload>;
    fn delete(&self, request: &builders::Delete) -> Outcome<builders::Delete>;
    fn delete_all(&self, request: &builders::DeleteAll) -> Outcome<builders::DeleteAll>;
    fn get(&self, request: &builders::Get) -> Outcome<builders::Get>;
    fn tags(&self, request: &builders::Tags) -> Outcome<builders::Tags>;
    fn head(&self, request: &builders::Head) -> Outcome<builders::Head>;
    fn list_uploads(&self, request: &builders::ListUploads) -> Outcome<builders::ListUploads>;
    fn list(&self, request: &builders::List) -> Outcome<builders::List>;
    fn put(&self, request: &builders::Put) -> Outcome<builders::Put>;
    fn upload_part(&self, request: &builders::UploadPart) -> Outcome<builders::UploadPart>;
    /// Blocks until this time has passed.
    fn pause(&self, time: Duration);
    /// The current time at S3.
    fn now(&self) -> UtcInstant;
}

/// The simulated side of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Simulation {
    bucket: Arc<dyn SimulatedBucket>,
    clock: ServiceClock,
}

impl Simulation {
    /// Connects an actor to its bucket.
    pub(super) fn new(bucket: Arc<dyn SimulatedBucket>) -> Self {
        Self { bucket, clock: ServiceClock::new() }
    }

    /// The time of the last answer.
    pub(super) fn clock(&self) -> &ServiceClock {
        &self.clock
    }

    /// Answers a request, after other tasks of this actor had their turn.
    pub(super) async fn answer<T>(&self, request: impl FnOnce(&dyn SimulatedBucket) -> T) -> T {
        tokio::task::yield_now().await;
        let answer = request(self.bucket.as_ref());
        self.clock.note(self.bucket.now());
        answer
    }

    /// Waits, while nothing else of this actor runs.
    pub(super) fn pause(&self, time: Duration) {
        self.bucket.pause(time);
    }

    /// Waits in the background, while other tasks of this actor run.
    pub(super) async fn wait_beside(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).expect("it is a few seconds");
        let until = self.bucket.now().plus_ms(millis);
        while self.bucket.now() < until {
            tokio::task::yield_now().await;
        }
    }
}

/// A client that cannot send a request.
pub(crate) fn no_http() -> SharedHttpClient {
    http_client_fn(|_, _| unreachable!("a simulation sends no request"))
}

/// The client whose requests are simulated. Creating one takes longer than a simulation.
pub(super) fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let new = || {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .http_client(no_http())
            .build();
        Client::from_conf(config)
    };
    CLIENT.get_or_init(new).clone()
}
