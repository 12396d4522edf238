//! Finds style sheets that no page loads, and modules that nothing declares: the compiler skips them in silence.

use super::{Finding, Source};

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    let mut findings = unnamed_style_sheets(sources);
    let files = sources.iter().filter(|source| source.has_ending(&[".rs"]));
    let orphans = files.filter(|source| !is_declared(source, sources));
    findings.extend(orphans.map(|source| source.finding(0, "no `mod` declares this file, so it is not compiled")));
    findings
}

/// Whether the module above declares this file. Cargo finds the files of crates by itself.
fn is_declared(source: &Source, sources: &[Source]) -> bool {
    let Some((folder, file)) = source.path.rsplit_once('/') else { return true };
    if matches!(file, "lib.rs" | "main.rs" | "mod.rs" | "build.rs") || folder.ends_with("/bin") {
        return true;
    }
    let name = file.trim_end_matches(".rs");
    let declares = |line: &str| line.trim().ends_with(&format!("mod {name};"));
    let mut above = ["/lib.rs", "/main.rs", "/mod.rs", ".rs"].map(|file| format!("{folder}{file}")).to_vec();
    // The module of the folder may be written in main.rs itself.
    above.extend(folder.rsplit_once('/').map(|(parent, _)| format!("{parent}/main.rs")));
    sources.iter().any(|other| above.contains(&other.path) && other.text.lines().any(declares))
}

/// Finds style sheets that neither a page nor Trunk.toml names.
fn unnamed_style_sheets(sources: &[Source]) -> Vec<Finding> {
    let is_page = |source: &Source| source.path.starts_with("app/") && source.has_ending(&[".html"]);
    let naming = sources.iter().filter(|source| source.path == "Trunk.toml" || is_page(source));
    let words = naming.flat_map(|source| source.text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')));
    let named: Vec<&str> = words.map(|word| word.trim_start_matches("../")).collect();
    let sheets = sources.iter().filter(|source| source.is_below(&["style/"]) && source.has_ending(&[".css"]));
    let unnamed = sheets.filter(|sheet| !named.contains(&sheet.path.as_str()));
    unnamed.map(|sheet| sheet.finding(0, "neither a page in app/ nor Trunk.toml names this style sheet")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unnamed(paths: &[&str]) -> Vec<String> {
        let hook = r#"command_arguments = ["-c", "cat style/main.css style/components/chip.css > app.css"]"#;
        let mut sources = vec![
            Source::new("Trunk.toml", hook),
            Source::new("app/index.html", r#"<link data-trunk rel="css" href="../style/print.css">"#),
        ];
        sources.extend(paths.iter().map(|path| Source::new(path, "")));
        findings(&sources).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_style_sheet_that_nothing_names_is_found() {
        let named = ["style/main.css", "style/print.css", "style/components/chip.css", "docs/style.css"];
        assert_eq!(unnamed(&named), Vec::<String>::new());
        for dead in ["style/dead.css", "style/components/deep/chip.css"] {
            assert_eq!(unnamed(&[dead]), [dead]);
        }
    }

    #[test]
    fn a_file_that_no_module_declares_is_found() {
        let files = [
            ("server/src/lib.rs", "pub mod log;\n#[cfg(test)]\nmod tests;\n"),
            ("server/src/log.rs", "mod scan;\n// mod gone\n"),
            ("server/src/log/scan.rs", ""),
            ("server/src/log/gone.rs", ""),
            ("server/src/tests.rs", ""),
            ("app/src/bin/search.rs", ""),
        ];
        let sources = files.map(|(path, text)| Source::new(path, text));
        let found: Vec<_> = findings(&sources).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["server/src/log/gone.rs"]);
    }
}
