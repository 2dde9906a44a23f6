//! Finds the name that was probably meant.

/// Returns the nearest known name, if it is near enough.
pub(crate) fn nearest_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.chars().count() / 3).clamp(1, 3);
    let (distance, nearest) = known.map(|known| (distance(known, name), known)).min()?;
    (distance <= most).then_some(nearest)
}

/// Returns the question for a typo, to append to a message: `; did you mean 'cloudtrail'?`. Empty if no name is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest_name(name, known).map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default()
}

/// The edit distance between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in (1..).zip(a.chars()) {
        let mut left = row;
        let mut diagonal = above[0];
        above[0] = row;
        for (column, other) in b.iter().enumerate() {
            let here = (above[column + 1].min(left) + 1).min(diagonal + usize::from(letter != *other));
            (diagonal, left) = (above[column + 1], here);
            above[column + 1] = here;
        }
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        for (name, expected) in [
            ("cloudtrial", Some("cloudtrail")),
            ("event_nam", Some("event_name")),
            ("eventname", Some("event_name")),
            ("cloudtrail", Some("cloudtrail")),
            ("bananas", None),
            ("x", None),
        ] {
            let known = ["s3_access", "cloudtrail", "event_name", "event_time"];
            assert_eq!(nearest_name(name, known.into_iter()), expected, "{name}");
        }
    }
}
