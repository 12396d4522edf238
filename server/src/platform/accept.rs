//! What a request accepts: the headers `Accept` and `Accept-Encoding`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// Whether the request asks for a page, as that of a plain form does. Scripts ask for data, or for anything.
pub fn accepts_page(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    lines.find_map(|line| weight(line, "text/html")).is_some_and(|weight| weight > 0.0)
}

/// The weight that a list gives to `name`. `None` if it does not name it.
pub fn weight(list: &str, name: &str) -> Option<f32> {
    list.split(',').find_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|given| given.eq_ignore_ascii_case(name));
        let weight = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().unwrap_or(0.0))
        });
        is_named.then_some(weight.unwrap_or(1.0))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_browsers_ask_for_pages() {
        let asked = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            accepts_page(&headers)
        };
        assert!(
            asked(&["text/html,application/xhtml+xml,*/*;q=0.8"]) && asked(&["application/json", "TEXT/HTML ; Q=0.5"])
        );
        assert!(!asked(&[]) && !asked(&["*/*"]) && !asked(&["text/html;q=0, */*"]) && !asked(&["text/htmlx"]));
    }
}
