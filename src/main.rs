//! The `logmill` binary. The library's `cli` module does all the work.

use std::process::ExitCode;

fn main() -> ExitCode {
    logmill::cli::main()
}
