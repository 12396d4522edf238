//! Finds broken links from one file of the project to another.

use std::path::{Component, Path, PathBuf};

use super::{Finding, Source};

/// Finds links in Markdown to files that do not exist. `exists` gets paths relative to the workspace's root.
pub(super) fn findings(sources: &[Source], exists: impl Fn(&Path) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.has_ending(&[".md"])) {
        for (number, line) in source.lines() {
            let is_broken = |target: &&str| !from_root(&source.path, target).is_some_and(|path| exists(&path));
            for target in targets(line).filter(is_broken) {
                findings.push(source.finding(number, format!("the link to `{target}` is broken")));
            }
        }
    }
    findings
}

/// The files that a line links to, without web addresses and anchors in the same page.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let links = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = links.map(|(target, _)| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://") && !file.starts_with("mailto:"))
}

/// `None` if it is outside the workspace.
fn from_root(file: &str, target: &str) -> Option<PathBuf> {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir if !path.pop() => return None,
            Component::ParentDir => {}
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(path: &str, text: &str) -> Vec<String> {
        let there = ["README.md", "docs/lab.md", "docs/pictures", "server/lab/src/lib.rs"];
        let findings = findings(&[Source::new(path, text)], |path| there.iter().any(|one| Path::new(one) == path));
        findings.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_link_is_relative_to_the_folder_of_its_file() {
        let text = "[a](lab.md) and [b](../README.md#running-it), [c](../server/lab/src/lib.rs) [d](pictures/)\n";
        assert_eq!(dead("docs/index.md", text), Vec::<String>::new());
        assert_eq!(dead("README.md", text).len(), 4, "the root has no such files, and there is nothing above it");
        assert_eq!(dead("README.md", "[gone](docs/gone.md)\n"), ["the link to `docs/gone.md` is broken"]);
        let elsewhere = "[a](https://example.com/x) [b](#here) [c](mailto:a@b.c)\n";
        assert_eq!(dead("README.md", elsewhere), Vec::<String>::new());
    }
}
