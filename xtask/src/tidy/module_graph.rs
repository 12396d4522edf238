//! Reads which rooms of a crate refer to which: every `use` and every path that begins with `crate`, `super` or `self`.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

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
        module.walk(tokens, &path, rooms);
        Ok(module)
    }

    fn room(&self) -> String {
        self.path.first().cloned().unwrap_or_else(|| ROOT.to_owned())
    }

    /// Collects the references in the tokens of the module `within`.
    fn walk(&mut self, tokens: TokenStream, within: &[String], rooms: &BTreeSet<String>) {
        let mut tokens = Cursor::new(tokens);
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let is_inner = tokens.skip_punct('!');
                    if tokens.next_group(Delimiter::Bracket).is_some_and(|attribute| is_cfg_test(&attribute)) {
                        if is_inner {
                            return;
                        }
                        let declared = tokens.skip_item();
                        self.test_modules.extend(declared.map(|name| [within, &[name]].concat()));
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    for (path, name, line) in use_tree(&mut tokens, &[]) {
                        let path = absolute(&path, within, rooms);
                        self.references.extend(path.map(|path| Reference { path, name: Some(name), line }));
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    let Some(name) = tokens.next_ident() else { continue };
                    if let Some(body) = tokens.next_group(Delimiter::Brace) {
                        self.walk(body.stream(), &[within, &[name.to_string()]].concat(), rooms);
                    }
                }
                TokenTree::Ident(word) if word == "macro_rules" => {
                    tokens.skip_punct('!');
                    self.macros.extend(tokens.next_ident().map(|name| name.to_string()));
                }
                TokenTree::Ident(word) => {
                    let line = word.span().start().line;
                    let mut path = vec![word.to_string()];
                    while tokens.skip_colons() {
                        let Some(next) = tokens.next_ident() else { break };
                        path.push(next.to_string());
                    }
                    // Other single identifiers are names of the room itself.
                    if path.len() > 1 {
                        let path = absolute(&path, within, rooms);
                        self.references.extend(path.map(|path| Reference { path, name: None, line }));
                    }
                }
                TokenTree::Group(group) => self.walk(group.stream(), within, rooms),
                _ => {}
            }
        }
    }
}

/// The names in a `use`, up to its `;` or the end of a group: each path as it is written, its name, and its line.
fn use_tree(tokens: &mut Cursor, prefix: &[String]) -> Vec<(Vec<String>, String, usize)> {
    let mut named = Vec::new();
    let (mut path, mut name, mut line) = (prefix.to_vec(), None, 0);
    loop {
        let token = tokens.next();
        match token {
            Some(TokenTree::Ident(word)) if word == "as" => name = tokens.next_ident().map(|name| name.to_string()),
            Some(TokenTree::Ident(word)) => {
                line = word.span().start().line;
                path.push(word.to_string());
            }
            Some(TokenTree::Group(group)) => {
                named.extend(use_tree(&mut Cursor::new(group.stream()), &path));
                path.clear();
            }
            Some(TokenTree::Punct(punct)) if !matches!(punct.as_char(), ',' | ';') => {
                if punct.as_char() == '*' {
                    path.push("*".to_owned());
                }
            }
            end => {
                if path.len() > prefix.len() {
                    let last = path.last().cloned().unwrap_or_default();
                    named.push((path, name.take().unwrap_or(last), line));
                }
                if !matches!(end, Some(TokenTree::Punct(punct)) if punct.as_char() == ',') {
                    return named;
                }
                path = prefix.to_vec();
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

fn is_cfg_test(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text.starts_with("cfg(test)") || text.starts_with("cfg(all(test")
}

/// A reader of tokens.
struct Cursor(std::iter::Peekable<proc_macro2::token_stream::IntoIter>);

impl Cursor {
    fn new(tokens: TokenStream) -> Self {
        Self(tokens.into_iter().peekable())
    }

    fn next(&mut self) -> Option<TokenTree> {
        self.0.next()
    }

    fn next_ident(&mut self) -> Option<Ident> {
        match self.0.next_if(|token| matches!(token, TokenTree::Ident(_)))? {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        }
    }

    fn next_group(&mut self, delimiter: Delimiter) -> Option<Group> {
        let is_group = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter);
        match self.0.next_if(is_group)? {
            TokenTree::Group(group) => Some(group),
            _ => None,
        }
    }

    fn skip_punct(&mut self, character: char) -> bool {
        self.0.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)).is_some()
    }

    /// `::`, but not the `:` before a type.
    fn skip_colons(&mut self) -> bool {
        let is_first = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint);
        self.0.next_if(is_first).is_some() && self.skip_punct(':')
    }

    /// Skips to the end of an item, and returns the name of a module that it declares without its body.
    fn skip_item(&mut self) -> Option<String> {
        let (mut declared, mut is_use) = (None, false);
        while let Some(token) = self.next() {
            match token {
                TokenTree::Ident(word) if word == "use" => is_use = true,
                TokenTree::Ident(word) if word == "mod" => declared = self.next_ident().map(|name| name.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !is_use => return None,
                TokenTree::Punct(punct) if punct.as_char() == ';' => return declared,
                _ => {}
            }
        }
        None
    }
}
