//! The commands of docs/operating.md.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use tests::server_process::{Installation, profile_folder};
use tokio::process::Command;
use tokio::time::timeout;

const TEXT: &str = include_str!("../../../docs/operating.md");
/// Where settings are given.
const FILES: [&str; 6] = [
    include_str!("../../../deploy/systemd/environment.example"),
    include_str!("../../../deploy/systemd/search4letters.service"),
    include_str!("../../../deploy/systemd/search4letters-web.service"),
    include_str!("../../../deploy/systemd/search4letters-work@.service"),
    include_str!("../../../deploy/container/compose.yaml"),
    include_str!("../../../deploy/container/Dockerfile"),
];
/// Begins the first line of each block that a test runs; its name follows.
const MARK: &str = "# tested: ";
const FENCE: &str = "\n```";
/// Far above what any of them takes with as few rows as tests have.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a block in a shell in which these variables are set, as the guide says, and `search4letters` is installed.
/// Returns what it has printed. Panics if it fails.
pub(super) async fn run(name: &str, variables: &[(&str, &str)]) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(profile_folder()).chain(std::env::split_paths(&path)));
    let mut shell = Command::new("sh");
    // A command that fails is not followed by the next, as with an administrator who reads what it says.
    shell.args(["-e", "-u", "-c", block(name)]).stdin(Stdio::null()).kill_on_drop(true).env_clear();
    shell.env("PATH", path.expect("no folder of ours has a colon in it")).envs(variables.iter().copied());
    let ended = timeout(PATIENCE, shell.output()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{name} still runs after {PATIENCE:?}"));
    let ended = ended.expect("every system has a shell");
    let printed = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    assert!(ended.status.success(), "{name}: {}\n{printed}", ended.status);
    printed
}

fn block(name: &str) -> &'static str {
    let begins = |(marked, _): &(&str, &str)| *marked == name;
    blocks().find(begins).unwrap_or_else(|| panic!("docs/operating.md has no block {name}")).1
}

/// The name and the commands of each.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split(FENCE).filter_map(|part| part.strip_prefix("sh\n")?.strip_prefix(MARK)?.split_once('\n'))
}

#[test]
fn what_the_guide_says_is_tested_is_what_is_tested() {
    let named: BTreeSet<_> = blocks().map(|(name, _)| name).collect();
    let tested = [
        "grant",
        "timeouts",
        "backup-sqlite",
        "restore-sqlite",
        "backup-postgres",
        "restore-postgres",
        "replay",
        "long-transactions",
    ];
    assert_eq!(named, BTreeSet::from(tested));
    assert_eq!(blocks().count(), TEXT.matches(&format!("\n{MARK}")).count());
}

#[tokio::test]
async fn the_settings_that_are_written_down_are_those_that_there_are() {
    let help = Installation::new().run(&["--help"]).await.output;
    let there = settings(&help);
    assert!(there.len() > 10, "{help}");
    assert_eq!(settings(TEXT), there, "in docs/operating.md, and in --help");
    for file in FILES {
        let unknown: Vec<_> = settings(file).difference(&there).copied().collect();
        assert!(unknown.is_empty(), "{unknown:?} in deploy/, and not in --help");
    }
}

/// What a text names of the environment.
fn settings(text: &str) -> BTreeSet<&str> {
    let is_other = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let ours =
        |word: &&str| word.starts_with("SEARCH4LETTERS_") || ["DATABASE_URL", "DATABASE_LISTEN_URL"].contains(word);
    text.split(is_other).filter(ours).collect()
}
