//! A bar chart as SVG: each contestant's bar is as long as its median, with a line from least to most.

use std::fmt::Write as _;

use super::readable;
use crate::measurements::Summary;

/// What is drawn.
pub(crate) struct Plot {
    pub file: &'static str,
    pub title: &'static str,
    pub unit: String,
    pub bars: Vec<(String, Summary)>,
}

const WIDTH: f64 = 940.0;
/// The left end of the bars, after the names.
const LEFT: f64 = 320.0;
/// The space after the longest bar, for its number.
const RIGHT: f64 = 100.0;
const TOP: f64 = 56.0;
const LINE: f64 = 34.0;
const BAR: f64 = 20.0;

/// Has its own background, so that it is readable on light and dark pages.
pub(crate) fn svg(plot: &Plot) -> String {
    let height = TOP + LINE * plot.bars.len() as f64 + 16.0;
    let most = plot.bars.iter().map(|(_, bar)| bar.most).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-processes=\"system-ui, sans-serif\" font-size=\"14\">\n\
         <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"30\" font-size=\"17\" fill=\"#1c232d\">{title}, {unit}</text>\n",
        title = escaped(plot.title),
        unit = escaped(&plot.unit),
    );
    for (place, (name, Summary { median, least, most })) in plot.bars.iter().enumerate() {
        let top = TOP + LINE * place as f64;
        let (middle, base) = (top + BAR / 2.0, top + BAR / 2.0 + 5.0);
        let fill = if name.starts_with("ours") { "#0f6f64" } else { "#9aa5b1" };
        let (length, from, to) = (median * scale, LEFT + least * scale, LEFT + most * scale);
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\" fill=\"#1c232d\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{fill}\"/>\
             <path d=\"M{from:.1} {middle:.1}H{to:.1}\" stroke=\"#1c232d\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{base:.1}\" fill=\"#1c232d\">{}</text>",
            LEFT - 10.0,
            escaped(name),
            to + 8.0,
            readable(*median),
        );
    }
    text + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_ends_where_its_number_begins() {
        let bar = |median| Summary { median, least: median, most: median };
        let bars = vec![("a<b".to_owned(), bar(50.0)), ("ours".to_owned(), bar(100.0))];
        let svg = svg(&Plot { file: "x.svg", title: "t", unit: "/s".to_owned(), bars });
        assert!(svg.contains("a&lt;b") && svg.contains("width=\"260.0\"") && svg.contains("width=\"520.0\""), "{svg}");
    }
}
