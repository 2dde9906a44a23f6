//! Finds the name that was probably meant.

/// Returns the nearest known name, if it is near enough, or the only known name that contains the text.
pub(crate) fn nearest_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.collect();
    let most = (name.chars().count() / 3).clamp(1, 3);
    let nearest = known.iter().map(|known| (distance(known, name), *known)).min();
    let near = nearest.filter(|(distance, _)| *distance <= most).map(|(_, nearest)| nearest);
    near.or_else(|| only_name_with(name, &known))
}

/// Returns the only known name that contains a text of at least two letters.
fn only_name_with<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut longer = known.iter().filter(|known| text.chars().count() > 1 && known.contains(text));
    let only = longer.next()?;
    longer.all(|other| other == only).then_some(*only)
}

/// Returns the question for a typo, to append to a message: `; did you mean 'cloudtrail'?`. Empty if no name is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest_name(name, known).map(|nearest| format!("; did you mean '{nearest}'?")).unwrap_or_default()
}

/// The number of edits between two names: letters added, removed, replaced, or exchanged with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let [a, b]: [Vec<char>; 2] = [a, b].map(|name| name.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (row, letter) in a.iter().enumerate() {
        let mut edits = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = rows[row][column] + usize::from(letter != other);
            let mut least = replaced.min(rows[row][column + 1] + 1).min(edits[column] + 1);
            if row > 0 && column > 0 && *letter == b[column - 1] && a[row - 1] == *other {
                least = least.min(rows[row - 1][column - 1] + 1);
            }
            edits.push(least);
        }
        rows.push(edits);
    }
    rows[a.len()][b.len()]
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
            ("lcoudtrail", Some("cloudtrail")),
            ("trail", Some("cloudtrail")),
            ("s3", Some("s3_access")),
            ("event", None),
            ("bananas", None),
            ("x", None),
            ("", None),
        ] {
            let known = ["s3_access", "cloudtrail", "event_name", "event_time"];
            assert_eq!(nearest_name(name, known.into_iter()), expected, "{name}");
        }
    }
}
