//! The simulated bucket keeps the promises that the simulation relies on.

use std::sync::Arc;

use fastrand::Rng;

use super::actor::{Process, Setting};
use super::bucket::Bucket;
use super::world::World;
use super::{Broken, scratch_folder};
use crate::cancel::Cancel;
use crate::kst::UtcInstant;
use crate::store::Seen;
use crate::store::probe::try_bucket;

#[test]
fn the_simulated_bucket_keeps_the_promises_of_a_store() {
    let scratch = scratch_folder();
    let world = Arc::new(World::new(Rng::with_seed(1), Broken::Nothing, &["probe".to_owned()], false));
    world.calm_down(0);
    world.state().bucket = Bucket::new(1000);
    let now = UtcInstant(world.state().now);
    let setting = Setting { broken: Broken::Nothing, has_catalog: false, days: 1, scratch: scratch.path() };
    let process = Process::start(&world, 0, setting);
    let found = try_bucket(process.lake, now, false, &Cancel::default()).unwrap();
    let broken = found.tried.iter().filter(|tried| tried.seen != Seen::Kept);
    let names: Vec<&str> = broken.map(|tried| tried.promise.name).collect();
    // It has neither checksums nor metadata. No process of the simulation uses them.
    assert_eq!(names, ["checksums", "metadata"], "{:?}", found.tried);
    assert!(found.left.is_none() && world.state().bucket.objects.is_empty());
}
