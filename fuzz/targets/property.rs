//! Runs one property under libFuzzer: the one with the name of the target.

#![no_main]

#[path = "../properties/mod.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let name = env!("CARGO_BIN_NAME");
    let (_, check) = properties::ALL.iter().find(|(known, _)| *known == name).expect("the property exists");
    check(data);
});
