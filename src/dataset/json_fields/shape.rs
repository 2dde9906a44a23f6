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
    /// The number of its list, if columns take values from it.
    list: Option<usize>,
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
    /// One member of each element of a list, under any of these keys. `path` is that of the list.
    ListMember { list: ListPlace, path: Arc<str>, keys: Vec<Box<str>> },
    /// The `value` of the first element with this `name` in a list.
    NamedElement { list: ListPlace, name: String },
    /// Values without a column.
    Extra,
}

impl CellSource {
    /// Returns the slot from which the cells take their values.
    pub(in crate::dataset) fn slot(&self) -> Option<usize> {
        match self {
            Self::Value { slot, .. } => Some(*slot),
            Self::ListMember { list, .. } | Self::NamedElement { list, .. } => Some(list.slot),
            Self::Extra => None,
        }
    }
}

/// The place of a list from which columns take values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dataset) struct ListPlace {
    /// The slot for its text.
    pub(in crate::dataset) slot: usize,
    /// Its number among the lists of a record.
    number: usize,
}

/// The tree, and the cells that its slots fill.
#[derive(Debug, Default)]
pub(in crate::dataset) struct Shape {
    root: Node,
    slots: usize,
    lists: usize,
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
    /// Number of lists of a record.
    lists_each: usize,
    /// Number of kept records.
    records: usize,
    /// Values by record and slot. `null` counts as absent.
    values: Vec<Option<&'a str>>,
    /// Values without a column, by record.
    extra: Vec<Vec<ExtraField<'a>>>,
    /// Whether the key of each node has occurred in the current record.
    seen: Vec<bool>,
    /// Whether each slot has had a value since the last cells were written.
    filled: Vec<bool>,
    /// The elements of lists, by record and number. A list counts only if its slot has it.
    lists: Vec<List<'a>>,
}

impl<'a> Found<'a> {
    /// Makes room for a record.
    fn begin(&mut self, shape: &Shape) {
        (self.slots, self.lists_each) = (shape.slots, shape.lists);
        self.values.truncate(self.records * shape.slots);
        self.values.resize((self.records + 1) * shape.slots, None);
        if self.extra.len() == self.records {
            self.extra.push(Vec::new());
        }
        self.extra[self.records].clear();
        self.seen.clear();
        self.seen.resize(shape.nodes, false);
        self.filled.resize(shape.slots, false);
        self.lists.resize_with(self.lists.len().max((self.records + 1) * shape.lists), List::default);
    }

    /// Returns a value of the current record.
    pub(in crate::dataset) fn value(&self, slot: usize) -> Option<&'a str> {
        self.value_of(self.records, slot)
    }

    fn set(&mut self, slot: usize, value: Option<&'a str>) {
        self.filled[slot] |= value.is_some();
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
        self.filled.fill(false);
    }

    /// Returns a value of a kept record.
    pub(in crate::dataset) fn value_of(&self, record: usize, slot: usize) -> Option<&'a str> {
        self.values[record * self.slots + slot]
    }

    /// Returns the values of a kept record that have no column.
    pub(in crate::dataset) fn extra_of(&mut self, record: usize) -> &mut Vec<ExtraField<'a>> {
        &mut self.extra[record]
    }

    /// Whether some kept record can have a value in a slot.
    pub(in crate::dataset) fn is_filled(&self, slot: usize) -> bool {
        self.filled[slot]
    }

    /// Returns the list in a slot of a kept record, if any.
    pub(in crate::dataset) fn list_of(&self, record: usize, place: ListPlace) -> Option<&List<'a>> {
        let is_list = self.value_of(record, place.slot)?.starts_with('[');
        is_list.then(|| &self.lists[record * self.lists_each + place.number])
    }

    /// Returns the list of the current record that is being read.
    fn list(&mut self, number: usize) -> &mut List<'a> {
        &mut self.lists[self.records * self.lists_each + number]
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
            let key = |path: &P| path.as_ref().rsplit('.').next().unwrap_or_default().into();
            let (path, keys) = (list.into(), paths.iter().map(key).collect());
            return CellSource::ListMember { list: self.list_at(list), path, keys };
        }
        if let Some((list, name)) = paths[0].as_ref().strip_suffix(']').and_then(|path| path.split_once('['))
        {
            return CellSource::NamedElement { list: self.list_at(list), name: name.to_owned() };
        }
        let promoted = self.is_kept_above(paths[0].as_ref());
        let mut shared = None;
        for path in paths {
            shared = Some(self.slot_at(path.as_ref(), shared));
        }
        let rescue = (!promoted && !column_type.is_text()).then(|| paths[0].as_ref().into());
        CellSource::Value { slot: shared.unwrap_or_default(), column_type, rescue }
    }

    /// Returns the place of the list at a path.
    fn list_at(&mut self, path: &str) -> ListPlace {
        let (slot, next) = (self.slot_at(path, None), self.lists);
        let number = *self.root.at(path).list.get_or_insert(next);
        self.lists = self.lists.max(number + 1);
        ListPlace { slot, number }
    }

    /// Returns the slot at a path. With `shared`, the path uses that existing slot.
    fn slot_at(&mut self, path: &str, shared: Option<usize>) -> usize {
        let node = self.root.at(path);
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
    /// Returns the node at a path below, which may be new.
    fn at(&mut self, path: &str) -> &mut Self {
        path.split('.').fold(self, Self::child_or_new)
    }

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
            let child = if let Some(child) = self.take_child(walker, guess.place()) {
                child
            } else {
                let key = walker.key()?;
                let Some(place) = self.place_of(key) else {
                    self.walk_unknown(key, walker, depth, found)?;
                    continue;
                };
                guess.correct(place);
                &self.children[place].1
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
        let first = walker.peek()?;
        let (is_object, start) = (first == b'{', walker.at());
        match self.list {
            _ if is_object && !self.children.is_empty() => self.walk_object(walker, depth, found)?,
            Some(number) if first == b'[' => found.list(number).read(walker, depth)?,
            _ => walker.pass(depth)?,
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
