//! The guide in docs/adding-a-log-type.md shows the whole code of the toy log type, and no other code.

use std::fs;
use std::path::Path;

pub(crate) fn shows_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/adding-a-log-type.md")).unwrap();
    let toy = fs::read_to_string(root.join("tests/toy/gate.rs")).unwrap();
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 4, "the guide has {} blocks of code", blocks.len());
    let mut rest = toy.clone();
    for block in blocks {
        assert!(toy.contains(block), "the guide shows code that tests/toy/gate.rs does not have:\n{block}");
        rest = rest.replacen(block, "", 1);
    }
    let is_code = |line: &&str| !line.trim().is_empty() && !line.starts_with("//!");
    let missing: Vec<&str> = rest.lines().filter(is_code).collect();
    assert!(missing.is_empty(), "the guide lacks code of tests/toy/gate.rs:\n{}", missing.join("\n"));
}
