//! The report: tables, plots, and on request docs/performance.md.

mod markdown;
mod plot;

use std::fs;
use std::path::Path;

use crate::context::BenchContext;
use crate::measurements::Measurements;
pub(crate) use crate::report::plot::Plot;
use crate::scenarios;

/// Writes target/bench/report.md with its plots, and prints the goals. `before` holds the measurements to compare with.
pub(crate) fn write(context: &BenchContext, measurements: &Measurements, before: &Measurements) -> anyhow::Result<()> {
    write_into(&context.folder, "report.md", measurements, &markdown::report(measurements, Some(before)))?;
    eprintln!("\n{}", markdown::goals(measurements));
    eprintln!("all of it: {}", context.folder.join("report.md").display());
    Ok(())
}

/// Writes docs/performance.md with its plots and figures, if requested.
pub(crate) fn write_docs(context: &BenchContext, measurements: &Measurements) -> anyhow::Result<()> {
    if !context.writes_docs {
        return Ok(());
    }
    let docs = context.root.join("docs");
    let mut text = markdown::report(measurements, Measurements::documented(context)?.as_ref());
    // Written by hand, because a run cannot explain its figures.
    if let Ok(profile) = fs::read_to_string(docs.join("performance/profile.md")) {
        text = format!("{text}\n{profile}");
    }
    write_into(&docs, "performance.md", measurements, &text)?;
    measurements.write_to(&docs.join("performance/figures.json"))
}

/// Writes the text, and its plots into a folder beside it.
fn write_into(folder: &Path, name: &str, measurements: &Measurements, text: &str) -> anyhow::Result<()> {
    let plots = folder.join("performance");
    fs::create_dir_all(&plots)?;
    for plot in scenarios::plots(measurements) {
        fs::write(plots.join(plot.file), plot::svg(&plot))?;
    }
    fs::write(folder.join(name), text)?;
    Ok(())
}

/// For instance `2 processors (some name), 16 GiB of memory, Linux 6.1`.
pub(crate) fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = value_of(&cpus, "model name").unwrap_or("unknown");
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory_kib = value_of(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let memory_gib = memory_kib.unwrap_or_default() as f64 / 1024.0 / 1024.0;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{count} processors ({model}), {memory_gib:.0} GiB of memory, Linux {}", kernel.trim())
}

fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

/// With three significant digits and grouped thousands: `1,234`, `56.7`, `0.891`.
pub(crate) fn readable(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 99.95 => grouped(value),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_three_significant_digits() {
        let all = [0.0, 0.0456, 0.9999, 1.0, 12.345, 99.96, 123.4, 1234.0, 1_234_567.8, -1234.0];
        let read: Vec<_> = all.into_iter().map(readable).collect();
        assert_eq!(read, ["0", "0.046", "1.00", "1.00", "12.3", "100", "123", "1,234", "1,234,568", "-1,234"]);
    }
}
