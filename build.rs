//! Records in the binary how it was built, for `logmill --version --verbose`.
//!
//! The commit comes from `LOGMILL_COMMIT`, or else from the checkout, if git is available and the build is optimised. Development
//! builds do not ask git, because each commit would start a build.

use std::env;
use std::path::Path;
use std::process::Command;

const COMMIT: &str = "LOGMILL_COMMIT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let given = env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    let is_optimised = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| if is_optimised { commit_of_checkout() } else { None });
    println!("cargo::rustc-env=BUILD_OF_LOGMILL_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BUILD_OF_LOGMILL_TARGET={}", env::var("TARGET").unwrap_or_default());
    println!("cargo::rustc-env=BUILD_OF_LOGMILL_PROFILE={}", profile());
}

/// Returns the commit of this folder, with `-dirty` after it if tracked files differ.
fn commit_of_checkout() -> Option<String> {
    // A checkout of another project may contain this folder, for example below ~/.cargo/git.
    if !Path::new(".git").exists() {
        return None;
    }
    for name in ["HEAD", "index"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", name])?);
    }
    let commit = git(&["rev-parse", "--verify", "HEAD"])?;
    let is_dirty = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if is_dirty { format!("{commit}-dirty") } else { commit })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Returns the name of the profile. Cargo only names it in the path `target/[TRIPLE/]PROFILE/build/logmill-HASH/out`.
fn profile() -> String {
    let out = env::var("OUT_DIR").unwrap_or_default();
    let name = Path::new(&out).ancestors().nth(3).and_then(Path::file_name).and_then(|name| name.to_str());
    name.unwrap_or("unknown").to_owned()
}
