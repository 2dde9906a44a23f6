//! What `status` says about days that digests prove, or show to be damaged.

use crate::harness::{Call, DAY, Workdir};

const TRAIL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-trail");

/// Publishes the day from one of the two sample trails, and returns the call of `status` over it.
fn status<'w>(work: &'w Workdir, trail: &str) -> Call<'w> {
    let (input, keys) = (format!("{TRAIL}/{trail}"), format!("{TRAIL}/keys.json"));
    let of = ["--dataset", "cloudtrail", "--input", &input, "--output", trail, "--public-keys", &keys];
    work.logmill(["run", "--day", DAY]).args(of).exits(0);
    work.logmill(["status", "--day", DAY]).args(of)
}

#[test]
fn a_check_fails_if_digests_show_altered_or_missing_files() {
    let work = Workdir::new();
    let damaged = status(&work, "damaged").args(["--check"]).exits(4);
    damaged.prints(&[
        "\n2023-11  !\n",
        "! altered or missing files)",
        "day         state      digests  objects",
        "2023-11-01  published  altered       10",
        "digests name 11 files: 1 altered, 1 missing\n",
        "1 day whose logs or digests were altered or are missing:\n  logmill certify --lake damaged --day 2023-11-01\n",
    ]);
    status(&work, "damaged").exits(0);
}

#[test]
fn a_proved_day_needs_no_column_of_digests() {
    let work = Workdir::new();
    let whole = status(&work, "whole").args(["--check"]).exits(0);
    whole.prints(&["\n2023-11  P\n", "2023-11-01  proved       11"]);
    assert!(!whole.stdout.contains('!') && !whole.stdout.contains("  digests"), "{whole}");
}
