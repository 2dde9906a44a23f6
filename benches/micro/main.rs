//! The steps of a run, one by one, in raw bytes per second on one thread: unpack, decode, scatter, encode.
//!
//! Run with `make bench-micro`. The modules of the sample generator generate a few MiB of the benchmark day. Each benchmark
//! first compares the number of its rows with the number that was generated.

#[path = "../../sample-data/generate/choices.rs"]
mod choices;
#[path = "../../sample-data/generate/clock.rs"]
mod clock;
#[expect(dead_code, reason = "only the generator of sample days writes lines of load balancers")]
#[path = "../../sample-data/generate/elb_shapes.rs"]
mod elb_shapes;
#[expect(dead_code, reason = "only the generator of sample days writes logs of AWS WAF")]
#[path = "../../sample-data/generate/json_shapes.rs"]
mod json_shapes;
#[expect(dead_code, reason = "the benchmark day has no damage")]
#[path = "../../sample-data/generate/objects.rs"]
mod objects;
#[path = "../../sample-data/generate/pack.rs"]
mod pack;
#[expect(dead_code, reason = "the sample's load is not used")]
#[path = "../../sample-data/generate/rows.rs"]
mod rows;
#[expect(dead_code, reason = "no other objects are generated")]
#[path = "../../sample-data/generate/shapes.rs"]
mod shapes;
#[expect(dead_code, reason = "the benchmark day has no load balancers")]
#[path = "../../sample-data/generate/sources.rs"]
mod sources;
#[path = "../../sample-data/generate/table.rs"]
mod table;
#[path = "../../sample-data/generate/words.rs"]
mod words;

mod decode;
mod encode;
mod logs;
mod scatter;
mod unpack;

fn main() {
    divan::main();
}
