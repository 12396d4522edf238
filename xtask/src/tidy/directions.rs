//! Which package may name which: ARCHITECTURE.md, "Directions".

use serde_json::Value;

use super::{Finding, Source};

/// Each package of ours, and those of ours that it may depend on. `tests` may name everything; `bench` sees the server
/// from outside, as it is shipped.
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
];

/// What only some packages may depend on: the start of its name, and those packages.
const ONLY_IN: &[(&str, &[&str])] = &[
    // The stock storages are measured as peers.
    ("apalis", &["queue", "server", "bench"]),
    ("sqlx", &["store-postgres", "store-sqlite", "tests", "bench"]),
];

/// The packages that may ask for the server's half of the server functions. Any other would bring it into the client.
const MAY_SET_SSR: &[&str] = &["server", "tests", "bench"];

/// Breaches in what `cargo metadata` says of the workspace's packages.
pub(super) fn in_manifests(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().flat_map(of_package).collect()
}

fn of_package(package: &Value) -> Vec<Finding> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&package["name"]);
    let finding = |rule: String| Finding { path: text(&package["manifest_path"]), line: 0, rule };
    let Some((_, may_name)) = MAY_NAME.iter().find(|(known, _)| *known == name) else {
        return vec![finding(format!("{name} is not among the packages that ARCHITECTURE.md places"))];
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

/// A word that only some files may say: the word, where it may stand, and why nowhere else.
const WORDS: &[(&str, &[&str], &str)] = &[
    (
        "store_sqlite::",
        &["server/src/main.rs", "server/store/sqlite/", "tests/"],
        "only server/src/main.rs names a concrete database",
    ),
    (
        "store_postgres::",
        &["server/src/main.rs", "server/store/postgres/", "tests/"],
        "only server/src/main.rs names a concrete database",
    ),
    ("apalis_", &["server/queue/", "server/src/worker.rs", "tests/"], "only the queue and its composition name apalis"),
];

/// Breaches within packages, which Cargo cannot see.
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
    fn what_points_the_right_way_passes() {
        assert_eq!(rules("app", json!({"name": "api", "features": []})), Vec::<String>::new());
        assert_eq!(rules("server", json!({"name": "api", "features": ["ssr"]})), Vec::<String>::new());
        assert_eq!(rules("queue", json!({"name": "apalis-core", "features": []})), Vec::<String>::new());
    }

    #[test]
    fn what_points_back_is_found() {
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
    fn a_word_is_found_where_it_may_not_stand() {
        let found = |path: &str, text: &str| in_sources(&[Source::new(path, text)]).len();
        assert_eq!(found("server/src/router.rs", "use store_sqlite::SqliteStore;\n"), 1);
        assert_eq!(found("server/src/main.rs", "use store_sqlite::SqliteStore;\n"), 0);
        assert_eq!(found("server/queue/src/lease.rs", "use store_postgres::PostgresStore;\n"), 1);
        assert_eq!(found("server/src/search/log_request.rs", "use apalis_core::task::Task;\n"), 1);
        assert_eq!(found("server/queue/src/backend.rs", "use apalis_core::task::Task;\n"), 0);
        assert_eq!(found("server/src/router.rs", "// Not through store_sqlite::SqliteStore.\n"), 0);
    }
}
