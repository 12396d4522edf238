//! Rules about the text and length of files.

use super::{Finding, Source};

/// A longer file covers more than one topic.
const MOST_LINES: usize = 400;

/// Texts that no line of some files may contain, and what to do instead.
struct Rule {
    texts: &'static [&'static str],
    endings: &'static [&'static str],
    remedy: &'static str,
}

/// The rules skip this file, because it lists the texts.
const RULES: &[Rule] = &[
    Rule {
        texts: &["TODO", "FIXME", "XXX", "HACK", "unimplemented!(", "todo!("],
        endings: HAND_WRITTEN,
        remedy: "finish it, or open an issue",
    },
    Rule {
        texts: &["#[allow(", "#![allow(", "#[ignore"],
        endings: &[".rs"],
        remedy: "use `#[expect(.., reason = ..)]`, and no test that is not run",
    },
    Rule {
        texts: &["/home/", "/root/", "/Users/", "/tmp/"],
        endings: HAND_WRITTEN,
        remedy: "a path of one machine; others do not have it",
    },
    Rule {
        texts: &["registry.npmjs.org", "index.crates.io", "static.crates.io", "files.pythonhosted.org"],
        endings: HAND_WRITTEN,
        remedy: "name the registry and not its host, which may be a mirror",
    },
];

const HAND_WRITTEN: &[&str] =
    &[".rs", ".css", ".html", ".toml", ".md", ".py", ".sql", ".svg", ".webmanifest", ".ci/run", ".yml"];

/// Where comments begin in the languages of the project.
const COMMENTS: &[&str] = &["//! ", "/// ", "// ", "-- ", "# ", "/* "];

/// A comment that begins like this needs a second reading: the subject comes first, and a process is not a "who".
const RIDDLES: &[&str] = &["Who ", "Whoever ", "So many ", "So long ", "What comes of "];

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    sources.iter().filter(|source| source.has_ending(HAND_WRITTEN)).flat_map(of_file).collect()
}

fn of_file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if source.has_ending(&[".rs"]) && !source.text.starts_with("//!") {
        findings.push(source.finding(1, "a module begins with a `//!` line that says what it is for"));
    }
    if source.has_ending(&[".rs", ".css"]) && source.text.lines().count() > MOST_LINES {
        findings.push(source.finding(0, format!("a file of more than {MOST_LINES} lines holds more than one topic")));
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
        if source.path == "xtask/src/tidy/text_rules.rs" {
            continue;
        }
        for rule in RULES.iter().filter(|rule| source.has_ending(rule.endings)) {
            if let Some(text) = rule.texts.iter().find(|text| line.contains(**text)) {
                report(format!("`{text}`: {}", rule.remedy));
            }
        }
        // An applied migration never changes, and neither do its comments.
        if source.is_below(&["migrations/"]) {
            continue;
        }
        let comment = COMMENTS.iter().find_map(|start| line.trim_start().strip_prefix(start)).unwrap_or_default();
        if let Some(riddle) = RIDDLES.iter().find(|riddle| comment.starts_with(**riddle)) {
            report(format!("a comment begins with `{riddle}`: write subject, verb, object"));
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
    fn each_rule_finds_its_violation() {
        one("a.rs", "fn main() {}\n", "`//!`");
        one("a.rs", "//! A.", "no end");
        one("a.rs", "//! A. \n", "white space");
        one("a.css", "a {\n\tcolor: red;\n}\n", "tab");
        one("a.css", &"a {}\n".repeat(MOST_LINES + 1), "more than");
        for rule in RULES {
            for text in rule.texts {
                one("a.rs", &format!("//! A.\n// {text}\n"), rule.remedy);
            }
        }
        for riddle in RIDDLES {
            one("a.sql", &format!("-- {riddle}waits.\n"), "subject");
        }
    }

    #[test]
    fn generated_files_are_skipped() {
        assert_eq!(rules("tests/vectors/search.tsv", "a\tb "), Vec::<String>::new());
    }
}
