//! Rules about what files say and how long they are.

use super::{Finding, Source};

/// Beyond this a file does more than one thing.
const MOST_LINES: usize = 500;

/// Left in the code, each of these says that it is not finished. Spliced, so that this file passes.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK"), "unimplemented!(", "todo!("];

/// Silenced for ever, where `#[expect]` says when it is not needed any more, and a test that is not run proves nothing.
const SILENCED: &[&str] = &[concat!("#[", "allow("), concat!("#![", "allow("), concat!("#[", "ignore")];

/// Where one developer's files are. Nobody else has them.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/tm", "p/")];

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let hand_written = |source: &&Source| {
        source.has_ending(&[".rs", ".css", ".html", ".toml", ".md", ".py", ".sql", ".svg", ".webmanifest", ".ci/run"])
    };
    sources.iter().filter(hand_written).flat_map(of_file).collect()
}

fn of_file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_code = source.has_ending(&[".rs"]);
    if is_code && !source.text.starts_with("//!") {
        findings.push(source.finding(1, "a module begins with a `//!` line that says what it is for"));
    }
    if source.has_ending(&[".rs", ".css"]) && source.text.lines().count() > MOST_LINES {
        findings.push(source.finding(0, format!("a file of more than {MOST_LINES} lines does more than one thing")));
    }
    if !source.text.is_empty() && !source.text.ends_with('\n') {
        findings.push(source.finding(0, "the last line has no end"));
    }
    for (number, line) in source.lines() {
        let mut report = |rule: String| findings.push(source.finding(number, rule));
        if line.trim_end() != line {
            report("white space at the line's end".to_owned());
        }
        if line.contains('\t') {
            report("a tab; spaces look the same everywhere".to_owned());
        }
        // xtask's own list of these is not a use of them.
        if source.path == "xtask/src/tidy/text_rules.rs" {
            continue;
        }
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            report(format!("`{word}`: finish it, or open an issue"));
        }
        if let Some(path) = MACHINE_PATHS.iter().find(|path| line.contains(**path)) {
            report(format!("`{path}`: a path of one machine"));
        }
        if let Some(attribute) = SILENCED.iter().find(|attribute| is_code && line.contains(**attribute)) {
            report(format!("`{attribute}`: use `#[expect(.., reason = ..)]`, and no test that is not run"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<String> {
        findings(&[Source::new(path, text)]).into_iter().map(|finding| finding.rule).collect()
    }

    #[track_caller]
    fn one(path: &str, text: &str, words: &str) {
        let rules = rules(path, text);
        assert!(rules.len() == 1 && rules[0].contains(words), "{path}: {rules:?}");
    }

    #[test]
    fn a_good_file_passes() {
        assert_eq!(rules("app/src/main.rs", "//! The route table.\n\nfn main() {}\n"), Vec::<String>::new());
        assert_eq!(rules("style/main.css", "@layer base;\n"), Vec::<String>::new());
    }

    #[test]
    fn each_rule_finds_its_breach() {
        one("a.rs", "fn main() {}\n", "`//!`");
        one("a.rs", "//! A.", "no end");
        one("a.rs", "//! A. \n", "white space");
        one("a.css", "a {\n\tcolor: red;\n}\n", "tab");
        one("a.css", &"a {}\n".repeat(MOST_LINES + 1), "more than");
        for word in UNFINISHED {
            one("a.rs", &format!("//! A.\n// {word}\n"), "finish it");
        }
        for path in MACHINE_PATHS {
            one("a.md", &format!("See {path}x.\n"), "one machine");
        }
        for attribute in SILENCED {
            one("a.rs", &format!("//! A.\n{attribute}\n"), "`#[expect");
        }
    }

    #[test]
    fn what_no_hand_wrote_is_not_looked_at() {
        assert_eq!(rules("tests/vectors/search.tsv", "a\tb "), Vec::<String>::new());
    }
}
