//! What a first visitor has to load.

use std::fs;

use anyhow::{Context, ensure};

use super::Scenario;
use crate::book::{Book, Kind};
use crate::workshop::Workshop;

const NAME: &str = "visit";

pub(crate) const SCENARIO: Scenario = Scenario {
    name: NAME,
    title: "First visit",
    method: "All files of the client, as the server sends them to a browser that knows brotli.",
    promises: &[],
    plots: &[],
    measure: |workshop, book| Box::pin(async move { measure(workshop, book) }),
};

const SIZE: Kind = ("size", "KB");

fn measure(workshop: &Workshop, book: &mut Book) -> anyhow::Result<()> {
    let dist = workshop.root.join("dist");
    let mut files = Vec::new();
    for entry in fs::read_dir(&dist).with_context(|| format!("{} cannot be read", dist.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let packed = fs::metadata(dist.join(format!("{name}.br"))).or_else(|_| entry.metadata())?;
        files.push((kind(&name), packed.len()));
    }
    ensure!(!files.is_empty(), "the client is not built");
    files.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    // Sizes do not vary from round to round.
    for (name, bytes) in &files {
        book.add(NAME, name, SIZE, *bytes as f64 / 1000.0);
    }
    book.add(NAME, "all", SIZE, total as f64 / 1000.0);
    eprintln!("  {:.1} KB in {} files", total as f64 / 1000.0, files.len());
    Ok(())
}

/// The name without the hash of what is in it.
fn kind(name: &str) -> String {
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let word = stem.split('-').next().unwrap_or(stem);
    format!("{word}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_name_when_its_contents_change() {
        assert_eq!(kind("app-857faa313e8d1917_bg.wasm"), "app.wasm");
        assert_eq!(kind("index.html"), "index.html");
    }
}
