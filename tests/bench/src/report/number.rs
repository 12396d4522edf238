//! Numbers as people read them.

/// With three digits that count, and thousands set apart: `1,234`, `56.7`, `0.891`.
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
    fn has_three_digits_that_count() {
        let all = [0.0, 0.0456, 0.9999, 1.0, 12.345, 99.96, 123.4, 1234.0, 1_234_567.8, -1234.0];
        let read: Vec<_> = all.into_iter().map(readable).collect();
        assert_eq!(read, ["0", "0.046", "1.00", "1.00", "12.3", "100", "123", "1,234", "1,234,568", "-1,234"]);
    }
}
