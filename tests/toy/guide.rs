//! The guide in docs/adding-a-log-type.md quotes the toy log type: the code there is the code here.

use std::fs;
use std::path::Path;

pub(crate) fn shows_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/adding-a-log-type.md")).unwrap();
    let toy = fs::read_to_string(root.join("tests/toy/gate.rs")).unwrap();
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 4, "the guide has {} blocks of code", blocks.len());
    for block in blocks {
        assert!(toy.contains(block), "the guide shows code that tests/toy/gate.rs does not have:\n{block}");
    }
}
