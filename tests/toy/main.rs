//! Runs a log type that only this test knows through every command, without a change anywhere else.
//!
//! Registered log types are global to a process. So this program has two roles. `cargo test` starts it to run the checks,
//! and the checks start it again, with [`AS_LOGMILL`] in its environment, as a logmill that knows the toy log type.

#![expect(clippy::unwrap_used, reason = "a failing test reports its line")]
#![expect(clippy::print_stdout, reason = "it is its own test harness")]

mod broken;
mod commands;
mod gate;
mod guide;
mod lot;

use std::process::ExitCode;

use logmill::dataset::{self, Dataset};

/// The variable that turns this program into a logmill.
const AS_LOGMILL: &str = "GATE_AS_LOGMILL";
/// Its value for a logmill with a defect.
const WITH_DEFECT: &str = "with defect";

static TOYS: [&dyn Dataset; 1] = [&gate::Gate];
static BROKEN_TOYS: [&dyn Dataset; 1] = [&broken::BrokenGate];

/// The checks, each named after the sentence that it proves.
const CHECKS: [(&str, fn()); 17] = [
    ("a_name_or_table_is_registered_once", commands::registered_once),
    ("help_completions_and_errors_list_the_log_type", commands::is_listed),
    ("a_plan_takes_the_objects_whose_stretch_overlaps_the_day", commands::is_planned),
    ("discover_and_init_find_the_log_type", commands::is_discovered),
    ("two_shards_publish_the_bytes_of_one_run", commands::is_sharded),
    ("a_log_type_is_built_if_the_inputs_hold_its_logs", commands::is_built_if_found),
    ("sql_reads_the_table_without_a_view", commands::is_queried),
    ("every_form_of_the_schema_shows_the_columns", commands::has_a_schema),
    ("inspect_detects_the_log_type_by_name_and_by_content", commands::is_inspected),
    ("a_published_day_is_verified_and_has_a_state", commands::is_verified),
    ("an_event_is_found_by_its_own_kind_of_id", commands::is_found),
    ("the_report_has_the_ledger", commands::is_reported),
    ("config_shows_the_settings_of_the_table", commands::is_configured),
    ("filters_and_default_redactions_work_on_its_columns", commands::has_rules),
    ("two_runs_of_a_day_are_compared", commands::is_compared),
    ("a_defect_ends_the_run_and_the_published_day_remains", commands::survives_a_defect),
    ("the_guide_shows_the_code_of_the_toy", guide::shows_the_code),
];

fn main() -> ExitCode {
    let role = std::env::var(AS_LOGMILL).ok();
    dataset::register(if role.as_deref() == Some(WITH_DEFECT) { &BROKEN_TOYS } else { &TOYS }).unwrap();
    if role.is_some() {
        return logmill::cli::main();
    }
    let wanted = filters(std::env::args().skip(1));
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
    if std::env::args().any(|argument| argument == "--list") {
        for (name, _) in CHECKS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, check) in CHECKS.iter().filter(|(name, _)| is_wanted(name)) {
        let is_ok = std::panic::catch_unwind(check).is_ok();
        println!("test {name} ... {}", if is_ok { "ok" } else { "FAILED" });
        *(if is_ok { &mut passed } else { &mut failed }) += 1;
    }
    println!(
        "\ntest result: {passed} passed; {failed} failed; {} filtered out",
        CHECKS.len() - passed - failed
    );
    ExitCode::from(u8::from(failed > 0))
}

/// The words that select checks by name. Options of the usual test harness, and their values, are none.
fn filters(arguments: impl Iterator<Item = String>) -> Vec<String> {
    const WITH_VALUE: [&str; 6] =
        ["--test-threads", "--skip", "--color", "--format", "--logfile", "--shuffle-seed"];
    let mut words = Vec::new();
    let mut is_value = false;
    for argument in arguments {
        if !is_value && !argument.starts_with('-') {
            words.push(argument.clone());
        }
        is_value = WITH_VALUE.contains(&argument.as_str());
    }
    words
}
