//! The limits of docs/operating.md are the constants and the flags of the code.

use api::grouped;
use clap::CommandFactory;
use server::cli::config::Config;

use crate::source::read;

const PAGE: &str = "docs/operating.md";

/// A row of the table: the limit as it is written, and what it is compared with.
struct Row {
    what: String,
    limit: String,
    from: String,
}

#[test]
fn every_limit_is_that_of_the_code() {
    let rows = rows(&read(PAGE));
    assert!(rows.len() > 40, "the table is not recognised");
    let mut wrong = Vec::new();
    for Row { what, limit, from } in &rows {
        let accepted = if let Some(flag) = from.strip_prefix("`--") {
            vec![default_of(flag.trim_end_matches('`'))]
        } else {
            constants(from)
        };
        assert!(!accepted.is_empty(), "{what}: nothing to compare with");
        let is_missing = |forms: &&Vec<String>| !forms.iter().any(|form| says(limit, form));
        let missing: Vec<_> = accepted.iter().filter(is_missing).collect();
        if !missing.is_empty() {
            wrong.push(format!("{what}: \"{limit}\" does not say {missing:?}"));
        }
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

/// The rows of the first table after "## Limits".
fn rows(page: &str) -> Vec<Row> {
    let (_, section) = page.split_once("\n## Limits\n").expect("the section is there");
    let (section, _) = section.split_once("\n### ").expect("the next section is there");
    let table = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| --")).skip(1);
    let row = |line: &str| {
        let [what, limit, from] = line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("not three columns: {line}")
        };
        Row { what: what.to_owned(), limit: limit.to_owned(), from: from.to_owned() }
    };
    table.map(row).collect()
}

/// The ways to write the default of a flag.
fn default_of(flag: &str) -> Vec<String> {
    let command = Config::command();
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(flag));
    let argument = argument.unwrap_or_else(|| panic!("there is no flag --{flag}"));
    let default = argument.get_default_values().first().and_then(|value| value.to_str()).expect("it has a default");
    let digits = default.trim_end_matches(char::is_alphabetic);
    let number: u64 = digits.parse().unwrap_or_else(|_| panic!("--{flag} has the default {default}"));
    match &default[digits.len()..] {
        "" => vec![grouped(number)],
        unit => vec![format!("{number} {unit}")],
    }
}

/// For each link `[NAME](FILE)`: the ways to write that constant of that file.
fn constants(links: &str) -> Vec<Vec<String>> {
    let links = links.split("), ").filter_map(|link| link.trim_end_matches(')').strip_prefix('[')?.split_once("]("));
    let written = |(name, file): (&str, &str)| {
        let file = file.strip_prefix("../").expect("the page is one folder below the root");
        let source = read(file);
        let declared = source.split_once(&format!("const {name}: ")).unwrap_or_else(|| panic!("{file} has no {name}"));
        let (declaration, _) = declared.1.split_once(';').expect("a declaration ends");
        let (kind, value) = declaration.split_once(" = ").expect("a constant has a value");
        forms(name, kind, value).unwrap_or_else(|| panic!("{file}: {name} = {value} is not understood"))
    };
    links.map(written).collect()
}

/// None where the value is more than sums and products of numbers, of constants of `api`, and a unit of time.
fn forms(name: &str, kind: &str, value: &str) -> Option<Vec<String>> {
    if kind.ends_with("Duration") {
        let (unit, number) = value.strip_prefix("Duration::from_")?.split_once('(')?;
        let number = number_of(number.strip_suffix(')')?)?;
        return Some(times(if unit == "secs" { number * 1000 } else { number }));
    }
    let number = number_of(value)?;
    if name.ends_with("_MS") {
        return Some(times(number));
    }
    let sizes = [("KiB", 1024), ("MiB", 1024 * 1024)];
    let whole = sizes.into_iter().filter(|(_, size)| number > 0 && number.is_multiple_of(*size));
    let sized = whole.map(|(unit, size)| format!("{} {unit}", grouped(number / size)));
    Some(std::iter::once(grouped(number)).chain(sized).collect())
}

fn number_of(expression: &str) -> Option<u64> {
    let sum = expression.split(" + ").map(|product| product.split(" * ").map(factor).product::<Option<u64>>());
    sum.sum()
}

fn factor(text: &str) -> Option<u64> {
    match text.split_once(" as ").map_or(text, |(value, _)| value) {
        "api::REQUESTS_LIMIT" => Some(api::REQUESTS_LIMIT.into()),
        number => number.replace('_', "").parse().ok(),
    }
}

/// A time in each unit in which it is a whole number.
fn times(ms: u64) -> Vec<String> {
    let units = [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("days", 86_400_000)];
    let whole = units.into_iter().filter(|(_, length)| ms.is_multiple_of(*length));
    whole.map(|(unit, length)| format!("{} {unit}", grouped(ms / length))).collect()
}

/// Whether `form` stands in `limit`, and not as a part of a longer word or number.
fn says(limit: &str, form: &str) -> bool {
    limit.match_indices(form).any(|(at, _)| {
        let (before, after) = (&limit[..at], &limit[at + form.len()..]);
        let is_inside = before.ends_with(|character: char| character.is_alphanumeric() || character == ',')
            || after.starts_with(char::is_alphanumeric)
            || after
                .strip_prefix(',')
                .is_some_and(|rest| rest.starts_with(|character: char| character.is_ascii_digit()));
        !is_inside
    })
}

#[test]
fn a_wrong_limit_is_noticed() {
    assert!(says("64 KiB, within 20 s", "64 KiB") && says("16,384; further ones wait", "16,384"));
    assert!(!says("64 KiB", "4 KiB") && !says("16,384", "16") && !says("1,024", "024"));
    assert_eq!(forms("LIMIT", "usize", "64 * 1024"), Some(vec!["65,536".into(), "64 KiB".into()]));
    assert_eq!(forms("SEND_LIMIT_MS", "u32", "60_000").map(|forms| forms.contains(&"60 s".to_owned())), Some(true));
    assert_eq!(
        forms("IDLE", "Duration", "Duration::from_secs(12 * 60 * 60)").map(|f| f.contains(&"12 h".to_owned())),
        Some(true)
    );
}
