//! A simulated Glue, for tests of the protocol between runs.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_glue::Client;
use aws_sdk_glue::config::{BehaviorVersion, Region};
use aws_sdk_glue::types::TableInput;

pub(crate) use super::request::builders;
use super::{GlueCatalog, wire};
use crate::catalog::TableDefinition;
use crate::store::s3::{request, simulation};

/// The outcome of a request that a simulation answers.
pub(crate) type Outcome<R> = request::Outcome<R, GlueCatalog>;

/// Answers the requests of one actor. Every method blocks until the scheduler lets the request through.
pub(crate) trait SimulatedGlue: Debug + Send + Sync {
    fn batch_create(&self, request: &builders::BatchCreate) -> Outcome<builders::BatchCreate>;
    fn batch_delete(&self, request: &builders::BatchDelete) -> Outcome<builders::BatchDelete>;
    fn batch_get(&self, request: &builders::BatchGet) -> Outcome<builders::BatchGet>;
    fn batch_update(&self, request: &builders::BatchUpdate) -> Outcome<builders::BatchUpdate>;
    fn create_database(&self, request: &builders::CreateDatabase) -> Outcome<builders::CreateDatabase>;
    fn create_table(&self, request: &builders::CreateTable) -> Outcome<builders::CreateTable>;
    fn database(&self, request: &builders::GetDatabase) -> Outcome<builders::GetDatabase>;
    fn partitions(&self, request: &builders::GetPartitions) -> Outcome<builders::GetPartitions>;
    fn table(&self, request: &builders::GetTable) -> Outcome<builders::GetTable>;
    fn update_statistics(&self, request: &builders::UpdateStatistics) -> Outcome<builders::UpdateStatistics>;
    fn update_table(&self, request: &builders::UpdateTable) -> Outcome<builders::UpdateTable>;
    /// Blocks until this time has passed.
    fn pause(&self, time: Duration);
}

/// The simulated side of a catalog.
#[derive(Debug, Clone)]
pub(in crate::catalog) struct Simulation(Arc<dyn SimulatedGlue>);

impl Simulation {
    pub(super) fn new(glue: Arc<dyn SimulatedGlue>) -> Self {
        Self(glue)
    }

    /// Answers a request, after other tasks of this actor had their turn.
    pub(super) async fn answer<T>(&self, request: impl FnOnce(&dyn SimulatedGlue) -> T) -> T {
        tokio::task::yield_now().await;
        request(self.0.as_ref())
    }

    /// Waits, while nothing else of this actor runs.
    pub(super) fn pause(&self, time: Duration) {
        self.0.pause(time);
    }
}

/// A table as a registration creates it.
pub(crate) fn table_input(wanted: &TableDefinition) -> TableInput {
    wire::table_input(wanted).expect("it is complete")
}

/// The client whose requests are simulated. Creating one takes longer than a simulation.
pub(super) fn client() -> Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let new = || {
        let config = aws_sdk_glue::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .http_client(simulation::no_http())
            .build();
        Client::from_conf(config)
    };
    CLIENT.get_or_init(new).clone()
}
