//! No two files of a part use each other, directly or through others.
//!
//! A file may always use the modules above it, so these uses are ignored. The use of a name that a module re-exports counts
//! as a use of the file that defines it.

use std::collections::{BTreeMap, BTreeSet};

use super::{SourceFile, sources};

/// The path of a module below the crate.
type Module = Vec<String>;

/// A path as it is written: `super::rows::Rows`.
type Written = Vec<String>;

/// The modules of the source without their tests, and what they use.
struct Modules {
    /// Each module with the paths in its text.
    written: BTreeMap<Module, Vec<Written>>,
    /// Each module with the names that its `use` lines bring in.
    imports: BTreeMap<Module, BTreeMap<String, Written>>,
    /// Each module with the modules of the same part that it uses, except those above it.
    uses: BTreeMap<Module, BTreeSet<Module>>,
}

impl Modules {
    fn of<'f>(files: impl Iterator<Item = &'f SourceFile>) -> Self {
        let (mut written, mut imports) = (BTreeMap::new(), BTreeMap::new());
        for file in files.filter(|file| !file.is_test() && file.part().is_some()) {
            let code: String = file.code().map(|(_, line)| line.to_owned() + "\n").collect();
            let imported = imports_of(&code);
            let mut paths: Vec<Written> = imported.iter().map(|(_, path)| path.clone()).collect();
            paths.extend(paths_of(&code));
            written.insert(module_of(file), paths);
            imports.insert(module_of(file), imported.into_iter().collect());
        }
        let mut modules = Self { written, imports, uses: BTreeMap::new() };
        modules.uses =
            modules.written.keys().map(|module| (module.clone(), modules.used_by(module))).collect();
        modules
    }

    /// The module of the same crate that a path leads to from another.
    fn target(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let leading = path.iter().take_while(|name| matches!(name.as_str(), "crate" | "super" | "self"));
        let (leading, rest) = path.split_at(leading.count());
        let mut module = from.clone();
        for name in leading {
            match name.as_str() {
                "crate" => module.clear(),
                "super" => drop(module.pop()),
                _ => {}
            }
        }
        if leading.is_empty() && !self.has(&below(&module, rest.first()?)) {
            return None;
        }
        for name in rest {
            let deeper = below(&module, name);
            if self.has(&deeper) {
                module = deeper;
                continue;
            }
            let imported = self.imports.get(&module).and_then(|imports| imports.get(name));
            let target =
                imported.filter(|_| depth < 5).and_then(|path| self.target(&module, path, depth + 1));
            return target.or_else(|| Some(module).filter(|module| self.has(module)));
        }
        Some(module).filter(|module| self.has(module))
    }

    fn has(&self, module: &Module) -> bool {
        self.written.contains_key(module)
    }

    /// The modules of the same part that a module uses, except those above it.
    fn used_by(&self, module: &Module) -> BTreeSet<Module> {
        let targets = self.written[module].iter().filter_map(|path| self.target(module, path, 0));
        targets.filter(|target| target.first() == module.first() && !module.starts_with(target)).collect()
    }

    /// Every module that a module uses, directly or through others.
    fn reach(&self, module: &Module) -> BTreeSet<Module> {
        let (mut reached, mut ahead) = (BTreeSet::new(), vec![module.clone()]);
        while let Some(next) = ahead.pop() {
            let used = self.uses[&next].iter();
            ahead.extend(used.filter(|target| reached.insert((*target).clone())).cloned());
        }
        reached
    }

    /// The modules of a part that use each other, one line for each.
    fn cycles(&self, part: &str) -> Vec<String> {
        let reach: BTreeMap<&Module, BTreeSet<Module>> = self
            .written
            .keys()
            .filter(|module| module[0] == part)
            .map(|module| (module, self.reach(module)))
            .collect();
        let uses_itself = |module: &&Module| reach[*module].contains(*module);
        let cycle = |module: &Module| {
            let others =
                reach[module].iter().filter(|other| *other != module && reach[other].contains(module));
            let others: Vec<String> = others.map(|other| other.join("::")).collect();
            format!("{} and {} use each other", module.join("::"), others.join(", "))
        };
        reach.keys().filter(|module| uses_itself(module)).map(|module| cycle(module)).collect()
    }
}

fn below(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

fn module_of(file: &SourceFile) -> Module {
    let path = file.path.with_extension("");
    let mut module: Module = path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    module
}

/// The names that `use` lines bring in, each with its path.
fn imports_of(code: &str) -> Vec<(String, Written)> {
    let mut imports = Vec::new();
    for (place, _) in code.match_indices("use ") {
        let begins = code[..place].ends_with([' ', '\n']) || place == 0;
        let Some(end) = code[place..].find(';').filter(|_| begins) else { continue };
        expand(&code[place + "use ".len()..place + end], &[], &mut imports);
    }
    imports
}

/// Adds the names of a tree such as `a::{b, c as d}`.
fn expand(tree: &str, above: &[String], imports: &mut Vec<(String, Written)>) {
    let tree = tree.trim();
    let names = |path: &str| {
        path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    if let Some((path, list)) = tree.split_once('{') {
        let above = [above, &names(path)].concat();
        let list = list.strip_suffix('}').unwrap_or(list);
        let (mut depth, mut start) = (0, 0);
        for (place, letter) in list.char_indices().chain([(list.len(), ',')]) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&list[start..place], &above, imports);
                    start = place + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (path, alias) =
        tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut path = [above, &names(path)].concat();
    if path.last().is_some_and(|name| name == "self") {
        path.pop();
    }
    if let Some(name) = alias.map(str::to_owned).or_else(|| path.last().cloned()) {
        imports.push((name, path));
    }
}

/// The paths outside `use` lines that begin with `crate`, `super` or `self`.
fn paths_of(code: &str) -> Vec<Written> {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut paths = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (place, _) in code.match_indices(root) {
            if code[..place].ends_with(|before: char| is_letter(before) || before == ':' || before == '$') {
                continue;
            }
            let end = code[place..].find(|letter: char| !is_letter(letter) && letter != ':');
            let path = &code[place..end.map_or(code.len(), |end| place + end)];
            paths.push(path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect());
        }
    }
    paths
}

/// The cycles of some parts.
pub(super) fn of_parts<'p>(parts: impl Iterator<Item = &'p str>) -> Vec<String> {
    let modules = Modules::of(sources().iter());
    parts.flat_map(|part| modules.cycles(part)).collect()
}

#[test]
fn cycles_are_found_even_through_reexported_names() {
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.to_owned() };
    let cycles = |files: &[SourceFile]| Modules::of(files.iter()).cycles("p");
    let parent = file("p/mod.rs", "mod a;\nmod b;\npub use a::A;\npub use b::{B, c as C};\n");
    for (a, b, is_cycle) in [
        ("use super::b::B;", "use super::a::A;", true),
        ("use super::B;", "use super::A;", true),
        ("use crate::p::{B, other};", "fn f(a: super::A) {}", true),
        ("use super::C as D;", "use crate::{error, p::{self, a}};", true),
        ("use super::B;", "", false),
        ("use super::B;", "use super::f;\nuse std::a::A;\n// super::a::A", false),
        ("use super::B;", "#[cfg(test)]\nuse super::A;", false),
    ] {
        let files = [file("p/a.rs", a), file("p/b.rs", b), file("p/mod.rs", &parent.text)];
        assert_eq!(cycles(&files).len(), if is_cycle { 2 } else { 0 }, "{a} {b}");
    }
}
