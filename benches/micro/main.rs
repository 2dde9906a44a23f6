//! The steps of the road one by one, in raw bytes a second on one thread: unpack, decode, scatter, encode.
//!
//! `make bench-micro`. Rows are those of the benchmark day, some MiB of it, made anew by the modules of the sample
//! generator; before anything is measured, what comes out is counted against what the generator has put in.

#[path = "../../sample-data/generate/choices.rs"]
mod choices;
#[path = "../../sample-data/generate/clock.rs"]
mod clock;
#[expect(dead_code, reason = "the benchmark day has no damage")]
#[path = "../../sample-data/generate/objects.rs"]
mod objects;
#[path = "../../sample-data/generate/pack.rs"]
mod pack;
#[expect(dead_code, reason = "the sample's load is not used")]
#[path = "../../sample-data/generate/rows.rs"]
mod rows;
#[expect(dead_code, reason = "nothing lies beside the objects")]
#[path = "../../sample-data/generate/shapes.rs"]
mod shapes;
#[path = "../../sample-data/generate/sources.rs"]
mod sources;
#[path = "../../sample-data/generate/table.rs"]
mod table;
#[path = "../../sample-data/generate/words.rs"]
mod words;

mod decode;
mod encode;
mod made;
mod scatter;
mod unpack;

fn main() {
    divan::main();
}
