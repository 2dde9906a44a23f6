//! The columns of a table as a tree of keys, which maps the values of a record to columns.
//!
//! Every JSON path of the column table is a path from the root. A value with its own column is kept as a slice of the
//! record. An object without a column is walked, and its unknown members are added to `extra`.
//!
//! | path | value of the column |
//! |---|---|
//! | `a.b` | the value of `b` in the object `a` |
//! | `a[].b` | the values of `b` in the objects of the list `a` |
//! | `a[b]` | the `value` of the first object of the list `a` whose `name` is `b` in any case |

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::list::List;
use crate::json::{Stop, Walker, unescape};
use crate::table::column::{ColumnType, Origin, TableSchema};

/// A key of the tree, and what is below it.
#[derive(Debug, Default)]
struct Node {
    /// JSON path from the record.
    path: Arc<str>,
    /// The slot for the value.
    slot: Option<usize>,
    /// Whether another path leads to the same slot.
    shares_slot: bool,
    children: Vec<(Box<str>, Node)>,
    /// Its key in quotes with a colon, as compact JSON has it; `None` if the key needs escapes.
    written: Option<Box<str>>,
    /// All slots below. They are emptied if the key repeats, because the last of equal keys counts.
    below: Vec<usize>,
    /// Number of this node.
    number: usize,
    /// The child with which the object of this node began last time.
    first: Guess,
    /// The child of its parent that followed this node last time.
    next: Guess,
}

/// The place of the child that probably comes next: the one that came last time, because keys usually come in the same
/// order. It saves a walk over the key and a search for it, and has no influence on the result.
#[derive(Debug, Default)]
struct Guess(AtomicUsize);

impl Guess {
    fn place(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn correct(&self, place: usize) {
        self.0.store(place, Ordering::Relaxed);
    }
}

/// The source of the cells of a decoded column.
#[derive(Debug)]
pub(in crate::dataset) enum CellSource {
    /// The value of a slot. `rescue` is its path if a value of another type has to be kept in `extra`.
    Value { slot: usize, column_type: ColumnType, rescue: Option<Arc<str>> },
    /// One member of each element of the list in a slot, under any of these keys. `path` is that of the list.
    ListMember { slot: usize, path: Arc<str>, keys: Vec<Box<str>> },
    /// The `value` of the first element with this `name` in the list in a slot.
    NamedElement { slot: usize, name: String },
    /// Values without a column.
    Extra,
}

/// The tree, and the cells that its slots fill.
#[derive(Debug, Default)]
pub(in crate::dataset) struct Shape {
    root: Node,
    slots: usize,
    nodes: usize,
    /// One source for each decoded column, in order.
    pub(in crate::dataset) cells: Vec<CellSource>,
}

/// A value that has no column.
#[derive(Debug, Clone)]
pub(in crate::dataset) struct ExtraField<'a> {
    /// Path of the object that holds it, or of the value if `key` is `None`.
    pub(in crate::dataset) path: Arc<str>,
    /// Its key, verbatim.
    pub(in crate::dataset) key: Option<&'a str>,
    /// Its value, verbatim.
    pub(in crate::dataset) value: &'a str,
}

/// Number of records whose values wait before they become cells. Each column is then filled for all of them.
const MAX_RECORDS: usize = 64;

/// The values of some records, as slices of their text. The last record is the current one, which is not kept yet.
#[derive(Debug, Default)]
pub(in crate::dataset) struct Found<'a> {
    slots: usize,
    /// Number of kept records.
    records: usize,
    /// Values by record and slot. `null` counts as absent.
    values: Vec<Option<&'a str>>,
    /// Values without a column, by record.
    extra: Vec<Vec<ExtraField<'a>>>,
    /// Whether the key of each node has occurred in the current record.
    seen: Vec<bool>,
    /// The slot whose lists were parsed last.
    taken_apart: Option<usize>,
    /// For each record, whether that slot holds a list, and the list.
    lists: Vec<(bool, List<'a>)>,
}

impl<'a> Found<'a> {
    /// Makes room for a record.
    fn begin(&mut self, shape: &Shape) {
        self.slots = shape.slots;
        self.values.truncate(self.records * shape.slots);
        self.values.resize((self.records + 1) * shape.slots, None);
        if self.extra.len() == self.records {
            self.extra.push(Vec::new());
        }
        self.extra[self.records].clear();
        self.seen.clear();
        self.seen.resize(shape.nodes, false);
    }

    /// Returns a value of the current record.
    pub(in crate::dataset) fn value(&self, slot: usize) -> Option<&'a str> {
        self.value_of(self.records, slot)
    }

    fn set(&mut self, slot: usize, value: Option<&'a str>) {
        self.values[self.records * self.slots + slot] = value;
    }

    /// Returns the values of the current record that have no column.
    pub(in crate::dataset) fn extra(&self) -> &[ExtraField<'a>] {
        &self.extra[self.records]
    }

    /// Adds a value of the current record that has no column.
    pub(in crate::dataset) fn add_extra(&mut self, field: ExtraField<'a>) {
        self.extra[self.records].push(field);
    }

    /// Moves the records of another walk to these.
    pub(in crate::dataset) fn append(&mut self, other: &mut Self) {
        self.slots = other.slots;
        self.values.truncate(self.records * self.slots);
        other.values.truncate(other.records * other.slots);
        self.values.append(&mut other.values);
        self.extra.truncate(self.records);
        other.extra.truncate(other.records);
        self.extra.append(&mut other.extra);
        self.records += std::mem::take(&mut other.records);
    }

    /// Returns its buffers without the records, for other text. Collecting in place keeps their memory.
    pub(in crate::dataset) fn emptied(mut self) -> Found<'static> {
        self.values.clear();
        self.extra.clear();
        Found {
            values: self.values.into_iter().map(|_| None).collect(),
            extra: self.extra.into_iter().map(|_| Vec::new()).collect(),
            seen: self.seen,
            lists: self.lists.into_iter().map(|(_, list)| (false, list.emptied())).collect(),
            ..Found::default()
        }
    }

    /// Keeps the current record.
    pub(in crate::dataset) fn keep(&mut self) {
        self.records += 1;
    }

    /// Returns the number of kept records.
    pub(in crate::dataset) fn len(&self) -> usize {
        self.records
    }

    /// Whether the kept records must become cells now.
    pub(in crate::dataset) fn is_full(&self) -> bool {
        self.records >= MAX_RECORDS
    }

    /// Removes the kept records.
    pub(in crate::dataset) fn clear(&mut self) {
        self.records = 0;
        self.taken_apart = None;
    }

    /// Returns a value of a kept record.
    pub(in crate::dataset) fn value_of(&self, record: usize, slot: usize) -> Option<&'a str> {
        self.values[record * self.slots + slot]
    }

    /// Returns the values of a kept record that have no column.
    pub(in crate::dataset) fn extra_of(&mut self, record: usize) -> &mut Vec<ExtraField<'a>> {
        &mut self.extra[record]
    }

    /// Returns the list in a slot of a kept record, if any.
    pub(in crate::dataset) fn list_of(&mut self, record: usize, slot: usize) -> Option<&List<'a>> {
        if self.taken_apart.replace(slot) != Some(slot) {
            self.lists.resize_with(self.lists.len().max(self.records), Default::default);
            for record in 0..self.records {
                let written = self.value_of(record, slot);
                let (is_list, list) = &mut self.lists[record];
                *is_list = written.is_some_and(|written| list.read(written));
            }
        }
        let (is_list, list) = &self.lists[record];
        is_list.then_some(list)
    }
}

impl Shape {
    /// Returns the tree of a table's columns.
    pub(in crate::dataset) fn of(schema: &TableSchema) -> Self {
        let mut shape = Self::default();
        for column in schema.decoded() {
            let cell = match &column.origin {
                Origin::Json(paths) => shape.add_paths(paths, column.column_type),
                _ => CellSource::Extra,
            };
            shape.cells.push(cell);
        }
        shape.root.collect_below(&mut shape.nodes);
        shape
    }

    /// Returns the tree of some paths, whose slots are their places in the list. It fills no cells.
    pub(in crate::dataset) fn of_paths<'p>(paths: impl IntoIterator<Item = &'p str>) -> Self {
        let mut shape = Self::default();
        for path in paths {
            shape.slot_at(path, None);
        }
        shape.root.collect_below(&mut shape.nodes);
        shape
    }

    /// Returns the slot of the value at a path.
    pub(in crate::dataset) fn slot_of(&self, path: &str) -> Option<usize> {
        let mut node = &self.root;
        for key in path.split('.') {
            node = &node.children.iter().find(|(name, _)| **name == *key)?.1;
        }
        node.slot
    }

    fn add_paths<P: AsRef<str>>(&mut self, paths: &[P], column_type: ColumnType) -> CellSource {
        if let Some((list, _)) = paths[0].as_ref().split_once("[].") {
            let slot = self.slot_at(list, None);
            let key = |path: &P| path.as_ref().rsplit('.').next().unwrap_or_default().into();
            let (path, keys) = (list.into(), paths.iter().map(key).collect());
            return CellSource::ListMember { slot, path, keys };
        }
        if let Some((list, name)) = paths[0].as_ref().strip_suffix(']').and_then(|path| path.split_once('['))
        {
            return CellSource::NamedElement { slot: self.slot_at(list, None), name: name.to_owned() };
        }
        let promoted = self.is_kept_above(paths[0].as_ref());
        let mut shared = None;
        for path in paths {
            shared = Some(self.slot_at(path.as_ref(), shared));
        }
        let rescue = (!promoted && !column_type.is_text()).then(|| paths[0].as_ref().into());
        CellSource::Value { slot: shared.unwrap_or_default(), column_type, rescue }
    }

    /// Returns the slot at a path. With `shared`, the path uses that existing slot.
    fn slot_at(&mut self, path: &str, shared: Option<usize>) -> usize {
        let mut node = &mut self.root;
        for key in path.split('.') {
            node = node.child_or_new(key);
        }
        node.shares_slot |= shared.is_some();
        let slot = *node.slot.get_or_insert_with(|| shared.unwrap_or(self.slots));
        self.slots = self.slots.max(slot + 1);
        slot
    }

    /// Whether a value above `path` is kept whole, so that nothing below it can be lost.
    fn is_kept_above(&self, path: &str) -> bool {
        path.match_indices('.').any(|(end, _)| self.slot_of(&path[..end]).is_some())
    }

    /// Walks over one record, which begins with `{` at the walker.
    pub(in crate::dataset) fn walk<'a>(
        &self,
        walker: &mut Walker<'a>,
        found: &mut Found<'a>,
    ) -> Result<(), Stop> {
        found.begin(self);
        self.root.walk_object(walker, 0, found)
    }
}

impl Node {
    fn child_or_new(&mut self, key: &str) -> &mut Self {
        let place = self.children.iter().position(|(name, _)| **name == *key).unwrap_or_else(|| {
            let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
            let written = (!key.contains(['"', '\\'])).then(|| format!("\"{key}\":").into());
            let next = Guess::default();
            next.correct(self.children.len() + 1);
            self.children.push((key.into(), Self { path: path.into(), written, next, ..Self::default() }));
            self.children.len() - 1
        });
        &mut self.children[place].1
    }

    fn collect_below(&mut self, nodes: &mut usize) {
        self.number = *nodes;
        *nodes += 1;
        for (_, child) in &mut self.children {
            child.collect_below(nodes);
            self.below.extend(child.slot);
            self.below.extend_from_slice(&child.below);
        }
    }

    /// Takes the key of the child at a place, if it comes next in compact JSON. This saves a walk over the key.
    fn take_child(&self, walker: &mut Walker<'_>, place: usize) -> Option<&Self> {
        let (_, child) = self.children.get(place)?;
        walker.take_written(child.written.as_deref()?).then_some(child)
    }

    /// Returns the place of the child of a key.
    fn place_of(&self, key: &str) -> Option<usize> {
        let key = unescape(key);
        self.children.iter().position(|(name, _)| **name == *key)
    }

    fn walk_object<'a>(
        &self,
        walker: &mut Walker<'a>,
        depth: usize,
        found: &mut Found<'a>,
    ) -> Result<(), Stop> {
        walker.take(b'{', "an object")?;
        let (mut first, mut guess) = (true, &self.first);
        while walker.next_element(b'}', first)? {
            first = false;
            let child = match self.take_child(walker, guess.place()) {
                Some(child) => child,
                None => {
                    let key = walker.key()?;
                    let Some(place) = self.place_of(key) else {
                        self.walk_unknown(key, walker, depth, found)?;
                        continue;
                    };
                    guess.correct(place);
                    &self.children[place].1
                }
            };
            child.walk_value(walker, depth + 1, found)?;
            guess = &child.next;
        }
        Ok(())
    }

    /// Walks over a value whose key has no child.
    fn walk_unknown<'a>(
        &self,
        key: &'a str,
        walker: &mut Walker<'a>,
        depth: usize,
        found: &mut Found<'a>,
    ) -> Result<(), Stop> {
        let value = walker.value(depth + 1)?;
        if self.slot.is_none() {
            found.add_extra(ExtraField { path: Arc::clone(&self.path), key: Some(key), value });
        }
        Ok(())
    }

    fn walk_value<'a>(
        &self,
        walker: &mut Walker<'a>,
        depth: usize,
        found: &mut Found<'a>,
    ) -> Result<(), Stop> {
        if std::mem::replace(&mut found.seen[self.number], true) {
            for &slot in &self.below {
                found.set(slot, None);
            }
        }
        let is_object = walker.peek()? == b'{';
        let start = walker.at();
        if is_object && !self.children.is_empty() {
            self.walk_object(walker, depth, found)?;
        } else {
            walker.value(depth)?;
        }
        let value = Some(walker.since(start)).filter(|written| *written != "null");
        let slot = self.slot.filter(|slot| !(self.shares_slot && found.value(*slot).is_some()));
        match (slot, value) {
            (Some(slot), _) => found.set(slot, value),
            (None, Some(value)) if !is_object || self.shares_slot => {
                found.add_extra(ExtraField { path: Arc::clone(&self.path), key: None, value });
            }
            (None, _) => {}
        }
        Ok(())
    }
}
