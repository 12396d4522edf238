//! Which package may depend on which: ARCHITECTURE.md, "Directions".

use serde_json::Value;

use super::{Finding, Source};

/// Each package of the workspace, and the packages that it may depend on. `bench` runs the shipped server as a process.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("app", &["api"]),
    ("store", &["api"]),
    ("store-postgres", &["api", "store"]),
    ("store-sqlite", &["api", "store"]),
    ("queue", &["api", "store"]),
    ("lab", &["api"]),
    ("spool", &["api"]),
    ("server", &["api", "lab", "queue", "spool", "store", "store-postgres", "store-sqlite"]),
    ("tests", &["api", "app", "lab", "queue", "server", "spool", "store", "store-postgres", "store-sqlite"]),
    ("bench", &["api", "tests"]),
    ("xtask", &[]),
    ("trunk-bindgen", &[]),
];

/// The start of a crate's name, and the only packages that may depend on it.
const ONLY_IN: &[(&str, &[&str])] = &[
    // bench measures apalis with its own storages.
    ("apalis", &["queue", "server", "bench"]),
    ("sqlx", &["store-postgres", "store-sqlite", "tests", "bench"]),
];

/// The packages that may enable the server's half of the server functions. Elsewhere the feature would bring it into
/// the client.
const MAY_SET_SSR: &[&str] = &["server", "tests", "bench"];

/// Finds wrong dependencies in the output of `cargo metadata`.
pub(super) fn in_manifests(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().flat_map(of_package).collect()
}

fn of_package(package: &Value) -> Vec<Finding> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&package["name"]);
    let finding = |rule: String| Finding { path: text(&package["manifest_path"]), line: 0, rule };
    let Some((_, may_name)) = MAY_NAME.iter().find(|(known, _)| *known == name) else {
        return vec![finding(format!("{name} is not listed in xtask/src/tidy/directions.rs"))];
    };
    let mut findings = Vec::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let on = text(&dependency["name"]);
        if MAY_NAME.iter().any(|(ours, _)| *ours == on) && !may_name.contains(&on.as_str()) {
            findings.push(finding(format!("{name} may not depend on {on}")));
        }
        let forbidden = |(start, only): &&(&str, &[&str])| on.starts_with(start) && !only.contains(&name.as_str());
        if let Some((start, only)) = ONLY_IN.iter().find(forbidden) {
            findings.push(finding(format!("only {} may depend on {start}", only.join(" and "))));
        }
        let sets_ssr = dependency["features"].as_array().into_iter().flatten().any(|feature| feature == "ssr");
        if sets_ssr && !MAY_SET_SSR.contains(&name.as_str()) {
            findings.push(finding(format!("{name} sets the feature ssr of {on}")));
        }
    }
    findings
}

/// A text that only some files may contain: the text, the files, and the reason.
const WORDS: &[(&str, &[&str], &str)] = &[
    ("store_sqlite::", &["server/src/database.rs", "server/store/sqlite/", "tests/"], ONE_DATABASE),
    ("store_postgres::", &["server/src/database.rs", "server/store/postgres/", "tests/"], ONE_DATABASE),
    ("apalis_", &["server/queue/", "server/src/worker.rs", "tests/"], "only the queue and its composition name apalis"),
];
const ONE_DATABASE: &str = "only server/src/database.rs names a concrete database";

/// Finds what Cargo cannot see: files that name a crate that only other files of their package may name.
pub(super) fn in_sources(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.has_ending(&[".rs"]) && !source.is_below(&["xtask/"])) {
        for (number, line) in source.lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for (word, places, rule) in WORDS {
                if line.contains(word) && !source.is_below(places) {
                    findings.push(source.finding(number, *rule));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(name: &str, dependency: Value) -> Vec<String> {
        let package = json!({"name": name, "manifest_path": "Cargo.toml", "dependencies": [dependency]});
        in_manifests(&json!({"packages": [package]})).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn right_dependencies_pass() {
        assert_eq!(rules("app", json!({"name": "api", "features": []})), Vec::<String>::new());
        assert_eq!(rules("server", json!({"name": "api", "features": ["ssr"]})), Vec::<String>::new());
        assert_eq!(rules("queue", json!({"name": "apalis-core", "features": []})), Vec::<String>::new());
    }

    #[test]
    fn wrong_dependencies_are_found() {
        assert_eq!(rules("api", json!({"name": "store"})), ["api may not depend on store"]);
        assert_eq!(rules("queue", json!({"name": "store-sqlite"})), ["queue may not depend on store-sqlite"]);
        assert_eq!(
            rules("store", json!({"name": "apalis-core"})),
            ["only queue and server and bench may depend on apalis"]
        );
        assert_eq!(
            rules("server", json!({"name": "sqlx"})),
            ["only store-postgres and store-sqlite and tests and bench may depend on sqlx"]
        );
        assert_eq!(rules("app", json!({"name": "api", "features": ["ssr"]})), ["app sets the feature ssr of api"]);
        assert_eq!(rules("new", json!({"name": "serde"})).len(), 1);
    }

    #[test]
    fn a_text_in_the_wrong_file_is_found() {
        let found = |path: &str, text: &str| in_sources(&[Source::new(path, text)]).len();
        assert_eq!(found("server/src/router.rs", "use store_sqlite::SqliteStore;\n"), 1);
        assert_eq!(found("server/src/database.rs", "use store_sqlite::SqliteStore;\n"), 0);
        assert_eq!(found("server/queue/src/lease.rs", "use store_postgres::PostgresStore;\n"), 1);
        assert_eq!(found("server/src/search/log_request.rs", "use apalis_core::task::Task;\n"), 1);
        assert_eq!(found("server/queue/src/backend.rs", "use apalis_core::task::Task;\n"), 0);
        assert_eq!(found("server/src/router.rs", "// Not through store_sqlite::SqliteStore.\n"), 0);
    }
}
