//! Layers inside a crate: no file uses, directly or by way of others, a file that uses it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{UseTree, visit::Visit};

/// The crates whose layers are kept.
const CRATES: &[&str] = &["listing", "request", "domain-crm"];

/// Folders whose files are one recursive algorithm: they may use each other.
const RECURSIVE: &[(&str, &str)] =
    &[("listing/src/read/plan", "a plan has branches, a branch has a connection, a connection has a plan")];

/// The file of each module of a crate, and its text: `["read", "plan"]` is `read/plan/mod.rs`.
type Modules = BTreeMap<Vec<String>, (PathBuf, String)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn modules(src: &Path, at: &[String], found: &mut Modules) {
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut module = at.to_vec();
        if path.is_dir() {
            module.push(name);
            modules(&path, &module, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            if !matches!(name.as_str(), "mod" | "lib" | "main") {
                module.push(name);
            }
            let text = fs::read_to_string(&path).unwrap();
            found.entry(module).or_insert((path, text));
        }
    }
}

/// The paths that a file names: in `use`, and written out.
#[derive(Default)]
struct Named {
    paths: Vec<Vec<String>>,
    /// What `pub use` passes on: the name, and where it comes from.
    passed_on: Vec<(String, Vec<String>)>,
}

impl Named {
    fn add(&mut self, tree: &UseTree, mut at: Vec<String>, public: bool) {
        match tree {
            UseTree::Path(path) => {
                at.push(path.ident.to_string());
                self.add(&path.tree, at, public);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add(tree, at.clone(), public));
            }
            UseTree::Name(name) => self.leaf(name.ident.to_string(), name.ident.to_string(), at, public),
            UseTree::Rename(rename) => {
                self.leaf(rename.ident.to_string(), rename.rename.to_string(), at, public);
            }
            UseTree::Glob(_) => self.paths.push(at),
        }
    }

    fn leaf(&mut self, name: String, known_as: String, mut at: Vec<String>, public: bool) {
        if name != "self" {
            at.push(name);
        }
        if public {
            self.passed_on.push((known_as, at));
        } else {
            self.paths.push(at);
        }
    }
}

impl<'f> Visit<'f> for Named {
    fn visit_item_use(&mut self, item: &'f syn::ItemUse) {
        self.add(&item.tree, vec![], !matches!(item.vis, syn::Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'f syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'f syn::ItemMod) {
        // Unit tests stand above everything.
        let is_test = item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
        if !is_test {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// A path as it is written in a module, from the root of its crate; nothing for other crates.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut rest = path;
    let mut at = match rest.first()?.as_str() {
        "crate" => vec![],
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    while let Some(first) = rest.first() {
        match first.as_str() {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            _ => break,
        }
        rest = &rest[1..];
    }
    Some(at.into_iter().chain(rest.iter().cloned()).collect())
}

/// Which files of a crate each of them uses.
fn uses(all: &Modules) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let named: BTreeMap<&Vec<String>, Named> = all
        .iter()
        .map(|(module, (_, text))| {
            let mut named = Named::default();
            named.visit_file(&syn::parse_file(text).unwrap());
            (module, named)
        })
        .collect();
    // The file that a path leads to: the longest module in front of it, or where that takes it from.
    let file = |mut path: Vec<String>| {
        for _ in 0..10 {
            let length = (0..=path.len()).rev().find(|length| all.contains_key(&path[..*length]))?;
            let (module, rest) = path.split_at(length);
            let passed = rest.first().and_then(|name| {
                let known = &named[&module.to_vec()].passed_on;
                let from = known.iter().find(|(known, _)| known == name).map(|(_, from)| from)?;
                let relative = std::iter::once("self".to_owned()).chain(from.iter().cloned());
                absolute(module, from).or_else(|| absolute(module, &relative.collect::<Vec<_>>()))
            });
            match passed {
                Some(from) if from != path => path = from,
                _ if module.is_empty() => return None,
                _ => return all.get(module).map(|(file, _)| file.clone()),
            }
        }
        None
    };
    let mut uses = BTreeMap::new();
    for (module, names) in &named {
        let (own, _) = &all[*module];
        let used = names.paths.iter().filter_map(|path| file(absolute(module, path)?));
        let used: BTreeSet<PathBuf> = used.filter(|used| used != own).collect();
        // A crate's root declares and passes on; nothing is above it.
        if !module.is_empty() {
            uses.insert(own.clone(), used);
        }
    }
    uses
}

/// The files that a file reaches.
fn reached<'u>(uses: &'u BTreeMap<PathBuf, BTreeSet<PathBuf>>, from: &PathBuf) -> BTreeSet<&'u PathBuf> {
    let (mut found, mut next) = (BTreeSet::new(), uses.get(from).into_iter().flatten().collect::<Vec<_>>());
    while let Some(file) = next.pop() {
        if found.insert(file) {
            next.extend(uses.get(file).into_iter().flatten());
        }
    }
    found
}

/// The files of each circle.
fn circles(uses: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> BTreeSet<BTreeSet<PathBuf>> {
    let own = |file: &PathBuf| {
        let reached = reached(uses, file);
        let back = |other: &&&PathBuf| self::reached(uses, other).contains(file);
        reached.iter().filter(back).map(|file| (*file).clone()).collect::<BTreeSet<_>>()
    };
    uses.keys().map(own).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn no_file_uses_one_that_uses_it() {
    let root = root();
    let mut wrong = vec![];
    for name in CRATES {
        let mut all = Modules::new();
        modules(&root.join(name).join("src"), &[], &mut all);
        for circle in circles(&uses(&all)) {
            let files: Vec<String> =
                circle.iter().map(|file| file.strip_prefix(&root).unwrap().display().to_string()).collect();
            let is_recursive =
                RECURSIVE.iter().any(|(folder, _)| files.iter().all(|file| file.starts_with(folder)));
            if !is_recursive {
                wrong.push(files);
            }
        }
    }
    assert_eq!(wrong, Vec::<Vec<String>>::new());
}

#[test]
fn a_circle_is_found_through_what_a_module_passes_on() {
    let mut all: Modules = [
        ("lib.rs", "", "mod a; mod b; mod c; pub use b::deep::Deep;"),
        ("a.rs", "a", "use crate::Deep; fn f() {}"),
        ("b/mod.rs", "b", "pub mod deep;"),
        ("b/deep.rs", "b deep", "pub struct Deep; fn g() { super::super::c::h() }"),
        ("c.rs", "c", "pub fn h() { crate::a::f() }"),
    ]
    .map(|(file, module, text)| {
        (module.split_whitespace().map(str::to_owned).collect(), (file.into(), text.to_owned()))
    })
    .into();
    let circle = ["a.rs", "b/deep.rs", "c.rs"].map(PathBuf::from);
    assert_eq!(circles(&uses(&all)), BTreeSet::from([BTreeSet::from(circle)]));
    let above = "#[cfg(test)] mod tests { use crate::a; } pub fn h() {}";
    all.insert(vec!["c".to_owned()], ("c.rs".into(), above.to_owned()));
    assert_eq!(circles(&uses(&all)), BTreeSet::new());
}
