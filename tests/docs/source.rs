//! Paths and code that the documentation shows are those of the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The pages whose paths and excerpts are checked.
const PAGES: [&str; 8] = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "docs/adding-a-job.md",
    "docs/operating.md",
    "docs/testing.md",
    "server/queue/README.md",
];
/// A text in backticks that begins with one of these folders is a path from the workspace's root.
const FOLDERS: [&str; 8] = ["app", "deploy", "docs", "migrations", "server", "style", "tests", "xtask"];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the workspace").to_owned()
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_path_in_the_documentation_exists() {
    let missing: Vec<_> = PAGES
        .iter()
        .flat_map(|page| paths(&read(page)).into_iter().map(move |path| (page, path)))
        .filter(|(_, path)| !root().join(path).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_excerpt_in_the_documentation_is_in_its_source() {
    let mut excerpts = 0;
    for page in PAGES {
        for (file, code) in self::excerpts(&read(page)) {
            let source = lines(&read(&file));
            let code = lines(&code);
            assert!(
                source.windows(code.len()).any(|window| is_same(window, &code)),
                "{page}: not in {file}:\n{code:#?}"
            );
            excerpts += 1;
        }
    }
    assert!(excerpts > 0, "the blocks are not recognised");
}

#[test]
fn pages_for_newcomers_stay_short() {
    for (page, most_bytes) in [("ARCHITECTURE.md", 10_240), ("README.md", 6_144)] {
        let bytes = read(page).len();
        assert!(bytes <= most_bytes, "{page} has {bytes} bytes, and at most {most_bytes} are read");
    }
    let job = read("tests/docs/adding_a_job/greet.rs").lines().count();
    assert!(job <= 40, "docs/adding-a-job.md promises 40 lines, the job has {job}");
}

/// Paths in backticks, outside of code blocks. A placeholder (`NAME`) makes it none.
fn paths(page: &str) -> Vec<String> {
    let is_path = |text: &&str| {
        let is_one = text.chars().all(|character| character.is_ascii_alphanumeric() || "/_-.@".contains(character));
        let has_placeholder = text.split(['/', '.']).any(|part| part.len() > 1 && part.chars().all(is_capital));
        text.split_once('/').is_some_and(|(first, _)| FOLDERS.contains(&first)) && is_one && !has_placeholder
    };
    let prose = page.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).filter(is_path).map(str::to_owned).collect()
}

fn is_capital(character: char) -> bool {
    character.is_ascii_uppercase() || character == '_'
}

/// Each code block whose first line ends in "file=PATH": the path, and the code as it stands in the page.
fn excerpts(page: &str) -> Vec<(String, String)> {
    let blocks = page.split("```").skip(1).step_by(2);
    let named = blocks.filter_map(|block| {
        let (head, code) = block.split_once('\n')?;
        let (_, file) = head.split_once(" file=")?;
        // The indentation of the closing fence, in a list.
        let code = code.trim_end_matches(' ').trim_end_matches('\n');
        Some((file.to_owned(), code.to_owned()))
    });
    named.collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Whether these are the same lines, each at whatever depth of indentation.
fn is_same(source: &[String], excerpt: &[String]) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let (moved_from, moved_to) = (depth(&source[0]), depth(&excerpt[0]));
    source.iter().zip(excerpt).all(|(source, excerpt)| {
        let is_blank = source.is_empty() && excerpt.trim().is_empty();
        is_blank
            || source.trim_start() == excerpt.trim_start() && depth(source) + moved_to == depth(excerpt) + moved_from
    })
}

#[test]
fn a_path_is_recognised_and_a_placeholder_is_not() {
    assert_eq!(paths("`app/api` and `docs/lab.md`, `server/NAME/lib.rs`, `/metrics`, `x`"), ["app/api", "docs/lab.md"]);
}

#[test]
fn an_excerpt_may_be_moved_but_not_changed() {
    let source = lines("fn a() {\n    let b = 1;\n    b\n}\n");
    assert!(source.windows(2).any(|window| is_same(window, &lines("let b = 1;\nb"))));
    assert!(!source.windows(2).any(|window| is_same(window, &lines("let b = 2;\nb"))));
}
