//! Names that keys show, for example accounts. Clients can invent names, so their number is limited.

use std::collections::BTreeSet;

/// The most names that are kept.
const MAX_NAMES: usize = 1000;

/// Different names, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    known: BTreeSet<String>,
    is_cut: bool,
}

impl Names {
    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// The number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no key showed a name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether there are more names than are kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Adds all names of another input.
    pub(super) fn merge(&mut self, other: &Self) {
        self.is_cut |= other.is_cut;
        for name in &other.known {
            self.add(Some(name));
        }
    }

    /// Adds a name, if a key showed one.
    pub(super) fn add(&mut self, name: Option<&str>) {
        let Some(name) = name.filter(|name| !self.known.contains(*name)) else { return };
        if self.known.len() < MAX_NAMES {
            self.known.insert(name.to_owned());
        } else {
            self.is_cut = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_and_their_number_is_limited() {
        let mut names = Names::default();
        for name in [None, Some("b"), Some("a"), Some("b")] {
            names.add(name);
        }
        assert_eq!((names.iter().collect::<Vec<_>>(), names.is_cut()), (vec!["a", "b"], false));
        for number in 2..=MAX_NAMES {
            names.add(Some(&number.to_string()));
        }
        names.add(Some("a"));
        assert_eq!((names.len(), names.is_cut()), (MAX_NAMES, true));
    }
}
