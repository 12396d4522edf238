//! The report: tables and plots, and on demand docs/performance.md.

mod machine;
mod markdown;
mod number;
mod plot;

use std::fs;
use std::path::Path;

use crate::book::Book;
use crate::scenarios;
use crate::workshop::Workshop;

pub(crate) use self::number::readable;
pub(crate) use self::plot::Plot;

/// Writes target/bench/report.md with its plots, and prints the goals. `before` is what there was to compare.
pub(crate) fn write(workshop: &Workshop, book: &Book, before: &Book) -> anyhow::Result<()> {
    write_into(&workshop.folder, "report.md", book, &markdown::report(book, Some(before)))?;
    eprintln!("\n{}", markdown::goals(book));
    eprintln!("all of it: {}", workshop.folder.join("report.md").display());
    Ok(())
}

/// Writes docs/performance.md with its plots and figures, where that was asked for.
pub(crate) fn write_docs(workshop: &Workshop, book: &Book) -> anyhow::Result<()> {
    if !workshop.writes_docs {
        return Ok(());
    }
    let docs = workshop.root.join("docs");
    let mut text = markdown::report(book, Book::documented(workshop)?.as_ref());
    // Written by hand: no run can tell why.
    if let Ok(profile) = fs::read_to_string(docs.join("performance/profile.md")) {
        text = format!("{text}\n{profile}");
    }
    write_into(&docs, "performance.md", book, &text)?;
    book.write_to(&docs.join("performance/figures.json"))
}

/// The text, and the plots that it shows in a folder beside it.
fn write_into(folder: &Path, name: &str, book: &Book, text: &str) -> anyhow::Result<()> {
    let plots = folder.join("performance");
    fs::create_dir_all(&plots)?;
    for plot in scenarios::plots(book) {
        fs::write(plots.join(plot.file), plot::svg(&plot))?;
    }
    fs::write(folder.join(name), text)?;
    Ok(())
}
