//! Masks values in JSON text by path and by key. All other bytes are kept as they are.

use std::ops::Range;

use super::names::Names;
use super::{MASK, Path};
use crate::json::{MAX_DEPTH, Stop, Walker, unescape};

/// What to mask in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    /// Paths from the root of the document. They also match inside lists on the path.
    pub(super) paths: &'w [Path],
    /// Whether the top-level keys are paths, as in the column `extra`.
    pub(super) has_paths_for_keys: bool,
    /// Keys at any depth.
    pub(super) names: &'w Names,
}

impl Wanted<'_> {
    /// Masks the document; `None` if it is not JSON or has nothing to mask.
    pub(super) fn mask(&self, text: &str) -> Option<String> {
        let mut search = Search { names: self.names, spans: Vec::new() };
        let mut walker = Walker::new(text, 0);
        let open: Vec<&[String]> = self.paths.iter().map(Vec::as_slice).collect();
        let step = if self.has_paths_for_keys { below_joined } else { below };
        search.value(&mut walker, 0, &open, step).ok()?;
        if search.spans.is_empty() { None } else { Some(splice(text, &search.spans)) }
    }
}

/// Returns the rest of the open paths below a key. An empty rest means that the path ends at this key.
type Step = for<'p> fn(&[&'p [String]], &str) -> Vec<&'p [String]>;

fn below<'p>(open: &[&'p [String]], key: &str) -> Vec<&'p [String]> {
    open.iter()
        .filter_map(|path| path.split_first().filter(|(first, _)| *first == key))
        .map(|(_, rest)| rest)
        .collect()
}

/// Like [`below`], for a key that is a path, such as `userIdentity.newKey`.
fn below_joined<'p>(open: &[&'p [String]], key: &str) -> Vec<&'p [String]> {
    let parts: Vec<&str> = key.split('.').collect();
    let agree = |path: &&&[String]| path.iter().zip(&parts).all(|(wanted, part)| wanted == part);
    open.iter().filter(agree).map(|path| &path[parts.len().min(path.len())..]).collect()
}

/// Collects the positions of the values to mask.
struct Search<'w> {
    names: &'w Names,
    spans: Vec<Range<usize>>,
}

impl Search<'_> {
    fn value(
        &mut self,
        walker: &mut Walker<'_>,
        depth: usize,
        open: &[&[String]],
        step: Step,
    ) -> Result<(), Stop> {
        let first = walker.peek()?;
        if depth >= MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        match first {
            b'{' => self.object(walker, depth, open, step),
            b'[' => {
                walker.take(b'[', "a list")?;
                let mut first = true;
                while walker.next_element(b']', first)? {
                    first = false;
                    self.value(walker, depth + 1, open, step)?;
                }
                Ok(())
            }
            _ => walker.value(depth).map(|_| ()),
        }
    }

    fn object(
        &mut self,
        walker: &mut Walker<'_>,
        depth: usize,
        open: &[&[String]],
        step: Step,
    ) -> Result<(), Stop> {
        walker.take(b'{', "an object")?;
        let mut first = true;
        while walker.next_element(b'}', first)? {
            first = false;
            let key = unescape(walker.key()?);
            let open = step(open, &key);
            if self.names.have(&key) || open.iter().any(|path| path.is_empty()) {
                walker.peek()?;
                let start = walker.at();
                if walker.value(depth + 1)? != "null" {
                    self.spans.push(start..walker.at());
                }
            } else {
                self.value(walker, depth + 1, &open, below)?;
            }
        }
        Ok(())
    }
}

fn splice(text: &str, spans: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    for span in spans {
        masked.push_str(&text[kept..span.start]);
        masked.push_str(&format!("\"{MASK}\""));
        kept = span.end;
    }
    masked + &text[kept..]
}

#[cfg(test)]
mod tests;
