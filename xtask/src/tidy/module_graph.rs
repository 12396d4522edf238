//! Reads which rooms of a crate refer to which: every `use` and every path that begins with `crate`, `super` or `self`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree::{Group, Ident, Punct};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{Finding, Source};

/// The name of the crate's root in the graph, where it is checked like a room.
pub(super) const ROOT: &str = "lib";

pub(super) struct ModuleGraph {
    pub(super) rooms: BTreeSet<String>,
    /// From one room to another, with the first reference. Tests do not count.
    pub(super) arrows: BTreeMap<(String, String), Arrow>,
}

pub(super) struct Arrow {
    pub(super) path: String,
    pub(super) line: usize,
    /// The number of references.
    count: usize,
}

impl Arrow {
    pub(super) fn finding(&self, rule: String) -> Finding {
        let others = if self.count > 1 { format!(" (and {} more)", self.count - 1) } else { String::new() };
        Finding { path: self.path.clone(), line: self.line, rule: rule + &others }
    }
}

/// A path in the code.
struct Reference {
    /// Relative to the crate's root.
    path: Vec<String>,
    /// The name that a `use` gives it.
    name: Option<String>,
    line: usize,
}

/// The references in one file.
struct Module<'a> {
    source: &'a Source,
    path: Vec<String>,
    references: Vec<Reference>,
    macros: Vec<String>,
    test_modules: Vec<Vec<String>>,
}

impl ModuleGraph {
    /// Reads the files below `folder`, which ends with a slash. Programs (`main.rs`, `bin/`) are crates of their own,
    /// which no room can name. Fails with the files that do not parse.
    pub(super) fn read(folder: &str, sources: &[Source]) -> Result<Self, Vec<Finding>> {
        let files = sources.iter().filter_map(|source| Some((source, module_path(source.path.strip_prefix(folder)?)?)));
        let files: Vec<_> = files.collect();
        let rooms: BTreeSet<String> = files.iter().filter_map(|(_, path)| path.first().cloned()).collect();
        let (mut modules, mut unreadable) = (Vec::new(), Vec::new());
        for (source, path) in files {
            match Module::read(source, path, &rooms) {
                Ok(module) => modules.push(module),
                Err(finding) => unreadable.push(finding),
            }
        }
        if !unreadable.is_empty() {
            return Err(unreadable);
        }
        let tests: Vec<_> = modules.iter().flat_map(|module| module.test_modules.clone()).collect();
        modules.retain(|module| !tests.iter().any(|test| module.path.starts_with(test)));
        let rooms = modules.iter().map(Module::room).collect();
        let arrows = arrows(&modules, &rooms);
        Ok(Self { rooms, arrows })
    }
}

fn arrows(modules: &[Module], rooms: &BTreeSet<String>) -> BTreeMap<(String, String), Arrow> {
    let mut homes = BTreeMap::new();
    // An item that the root re-exports belongs to its room, and so does an exported macro.
    for module in modules {
        homes.extend(module.macros.iter().map(|name| (name.clone(), module.room())));
        let reexports = module.references.iter().filter(|_| module.path.is_empty());
        let of_rooms = reexports.filter(|reference| reference.path.first().is_some_and(|room| rooms.contains(room)));
        homes.extend(of_rooms.filter_map(|reference| Some((reference.name.clone()?, reference.path[0].clone()))));
    }
    let mut arrows = BTreeMap::new();
    for module in modules {
        for reference in &module.references {
            let to = match reference.path.first() {
                Some(name) if rooms.contains(name) => name.clone(),
                Some(name) => homes.get(name).cloned().unwrap_or_else(|| ROOT.to_owned()),
                None => ROOT.to_owned(),
            };
            if to != module.room() {
                let arrow = || Arrow { path: module.source.path.clone(), line: reference.line, count: 0 };
                arrows.entry((module.room(), to)).or_insert_with(arrow).count += 1;
            }
        }
    }
    arrows
}

/// The module that a file holds, from its path below `src`. `None` if it is not a module of the library.
fn module_path(file: &str) -> Option<Vec<String>> {
    let path = file.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        ROOT => Some(Vec::new()),
        "main" => None,
        path if path.starts_with("bin/") => None,
        path => Some(path.split('/').map(str::to_owned).collect()),
    }
}

impl<'a> Module<'a> {
    fn read(source: &'a Source, path: Vec<String>, rooms: &BTreeSet<String>) -> Result<Self, Finding> {
        let tokens: TokenStream =
            source.text.parse().map_err(|error| source.finding(0, format!("this is no Rust: {error}")))?;
        let mut module =
            Module { source, path: path.clone(), references: Vec::new(), macros: Vec::new(), test_modules: Vec::new() };
        module.walk(tokens, &path, &[], rooms);
        Ok(module)
    }

    fn room(&self) -> String {
        self.path.first().cloned().unwrap_or_else(|| ROOT.to_owned())
    }

    /// Collects the references in the tokens of the module `within`. In the braces of a `use`, `prefix` is the path
    /// before them; elsewhere it is empty.
    fn walk(&mut self, tokens: TokenStream, within: &[String], prefix: &[String], rooms: &BTreeSet<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let (mut rest, mut in_use) = (&tokens[..], !prefix.is_empty());
        while let [token, after @ ..] = rest {
            rest = after;
            match (token, after) {
                (Punct(hash), [Group(attribute), item @ ..]) if hash.as_char() == '#' && is_cfg_test(attribute) => {
                    let skipped;
                    (skipped, rest) = item.split_at(item_length(item));
                    if let [.., Ident(word), Ident(name), Punct(_)] = skipped
                        && word == "mod"
                    {
                        self.test_modules.push([within, &[name.to_string()]].concat());
                    }
                }
                // The whole module is a test.
                (Punct(bang), [Group(attribute), ..]) if bang.as_char() == '!' && is_cfg_test(attribute) => return,
                (Punct(end), _) if end.as_char() == ';' => in_use = false,
                (Ident(word), _) if word == "use" => in_use = true,
                (Ident(word), [Ident(name), Group(body), after @ ..]) if word == "mod" => {
                    self.walk(body.stream(), &[within, &[name.to_string()]].concat(), &[], rooms);
                    rest = after;
                }
                (Ident(word), [Punct(_), Ident(name), ..]) if word == "macro_rules" => {
                    self.macros.push(name.to_string());
                }
                (Ident(first), _) => {
                    let mut path = [prefix, &[first.to_string()]].concat();
                    while let [Punct(one), Punct(two), Ident(next), after @ ..] = rest
                        && is_colons(one, two)
                    {
                        path.push(next.to_string());
                        rest = after;
                    }
                    if let [Punct(one), Punct(two), Group(names), after @ ..] = rest
                        && is_colons(one, two)
                    {
                        self.walk(names.stream(), within, &path, rooms);
                        rest = after;
                        continue;
                    }
                    let mut name = path.last().cloned().filter(|_| in_use);
                    if let [Ident(word), Ident(alias), after @ ..] = rest
                        && in_use
                        && word == "as"
                    {
                        name = Some(alias.to_string());
                        rest = after;
                    }
                    // Other single identifiers are names of the room itself.
                    if in_use || path.len() > 1 {
                        let line = first.span().start().line;
                        let path = absolute(&path, within, rooms);
                        self.references.extend(path.map(|path| Reference { path, name, line }));
                    }
                }
                (Group(group), _) => self.walk(group.stream(), within, &[], rooms),
                _ => {}
            }
        }
    }
}

/// The path relative to the crate's root. `None` if it leads out of the crate or stays in the same module.
fn absolute(path: &[String], within: &[String], rooms: &BTreeSet<String>) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([within, &path[1..]].concat()),
        "super" => Some([&within[..within.len().checked_sub(ups)?], &path[ups..]].concat()),
        room => (within.is_empty() && rooms.contains(room)).then(|| path.to_vec()),
    }
}

fn is_cfg_test(attribute: &proc_macro2::Group) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text.starts_with("[cfg(test)") || text.starts_with("[cfg(all(test")
}

fn is_colons(one: &proc_macro2::Punct, two: &proc_macro2::Punct) -> bool {
    (one.as_char(), two.as_char()) == (':', ':')
}

/// How many tokens the item at the beginning has. The braces of a `use` do not end it.
fn item_length(tokens: &[TokenTree]) -> usize {
    let mut is_use = false;
    let end = tokens.iter().position(|token| match token {
        Ident(word) => {
            is_use |= word == "use";
            false
        }
        Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
        Punct(punct) => punct.as_char() == ';',
        _ => false,
    });
    end.map_or(tokens.len(), |end| end + 1)
}
