//! The report: a table, plots, and on demand docs/performance.md.

mod machine;
mod markdown;
mod number;
mod plot;

use std::fs;

use crate::book::Book;
use crate::scenarios;
use crate::workshop::Workshop;

pub(crate) use self::number::readable;
pub(crate) use self::plot::Plot;

/// Writes target/bench/report.md and the plots beside it, and prints the goals. `before` is what there was to compare.
pub(crate) fn write(workshop: &Workshop, book: &Book, before: &Book) -> anyhow::Result<()> {
    let compared = if workshop.writes_docs { Book::documented(workshop)? } else { Some(before.clone()) };
    let text = markdown::report(book, compared.as_ref());
    fs::write(workshop.folder.join("report.md"), &text)?;
    for plot in scenarios::plots(book) {
        fs::write(workshop.folder.join(plot.file), plot::svg(&plot))?;
    }
    if workshop.writes_docs {
        write_docs(workshop, book, &text)?;
    }
    eprintln!("\n{}", markdown::goals(book));
    eprintln!("all of it: {}", workshop.folder.join("report.md").display());
    Ok(())
}

fn write_docs(workshop: &Workshop, book: &Book, text: &str) -> anyhow::Result<()> {
    let docs = workshop.root.join("docs");
    fs::create_dir_all(docs.join("performance"))?;
    fs::write(docs.join("performance.md"), text)?;
    for plot in scenarios::plots(book) {
        fs::write(docs.join("performance").join(plot.file), plot::svg(&plot))?;
    }
    book.write_to(&docs.join("performance/figures.json"))
}
