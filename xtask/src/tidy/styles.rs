//! Finds style sheets that no page loads.

use super::{Finding, Source};

/// Finds style sheets that neither a page nor Trunk.toml names by path or pattern.
pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let named: Vec<&str> = sources
        .iter()
        .filter(|source| {
            source.path == "Trunk.toml" || source.path.starts_with("app/") && source.has_ending(&[".html"])
        })
        .flat_map(|source| source.text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')))
        .filter(|word| word.ends_with(".css"))
        .map(|word| word.trim_start_matches("../"))
        .collect();
    sources
        .iter()
        .filter(|source| source.is_below(&["style/"]) && source.has_ending(&[".css"]))
        .filter(|source| !named.iter().any(|pattern| matches(pattern, &source.path)))
        .map(|source| source.finding(0, "neither a page in app/ nor Trunk.toml names this style sheet"))
        .collect()
}

/// Whether `path` matches a shell's pattern, in which `*` matches all but a slash.
fn matches(pattern: &str, path: &str) -> bool {
    let (patterns, parts) = (pattern.split('/'), path.split('/'));
    patterns.clone().count() == parts.clone().count()
        && patterns.zip(parts).all(|(pattern, part)| part_matches(pattern, part))
}

fn part_matches(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            part.len() >= before.len() + after.len() && part.starts_with(before) && part.ends_with(after)
        }
        None => pattern == part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unnamed(paths: &[&str]) -> Vec<String> {
        let hook = r#"command_arguments = ["-c", "cat style/main.css style/*/*.css > target/app.css"]"#;
        let mut sources = vec![
            Source::new("Trunk.toml", hook),
            Source::new("app/index.html", r#"<link data-trunk rel="css" href="../style/print.css">"#),
        ];
        sources.extend(paths.iter().map(|path| Source::new(path, "")));
        findings(&sources).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_named_style_sheet_passes() {
        let named = ["style/main.css", "style/print.css", "style/components/chip.css", "docs/style.css"];
        assert_eq!(unnamed(&named), Vec::<String>::new());
    }

    #[test]
    fn an_unnamed_style_sheet_is_found() {
        assert_eq!(unnamed(&["style/dead.css"]), ["style/dead.css"]);
        assert_eq!(unnamed(&["style/components/deep/chip.css"]), ["style/components/deep/chip.css"]);
    }
}
