//! Addresses within the application: builds them, and rejects foreign ones.

use api::{JobId, LabRunId, Route};
use leptos::prelude::window;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Characters that must be encoded in the values of a query.
const RESERVED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'=').add(b'>').add(b'\'');

/// `path` with the `parameters` that have a value.
pub fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut url = path.to_owned();
    let given = parameters.iter().filter_map(|&(name, value)| Some((name, value?)));
    for (index, (name, value)) in given.enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, RESERVED));
    }
    url
}

/// The address that shows this search when it is opened. It may be longer than [`api::ADDRESS_LIMIT`].
pub fn of_search(phrase: &str, letters: &str) -> String {
    with_query("/", &[("phrase", Some(phrase)), ("letters", Some(letters))])
}

/// The address as it is shared, with the host.
pub fn absolute(address: &str) -> String {
    window().location().origin().unwrap_or_default() + address
}

pub fn of_job(JobId(id): JobId) -> String {
    format!("/jobs/{id}")
}

pub fn of_lab_run(id: LabRunId) -> String {
    format!("/lab/runs/{id}")
}

/// `next` if it is an address of one of our pages, and the log otherwise.
///
/// Anyone can write a link to the login page with any `next`, so it must not lead to another site. Only what browsers
/// take as it is written is accepted: they read a backslash as a slash, resolve dots, and skip tabs and line breaks.
/// A page that would undo the login is no destination.
pub fn own_path(next: Option<&str>) -> &str {
    next.filter(|next| {
        let path = next.split(['?', '#']).next().unwrap_or_default();
        let is_page = !matches!(Route::of(path), Route::NotFound | Route::Login | Route::Logout | Route::Setup);
        is_page && path.starts_with('/') && !path.contains("//") && !next.contains(char::is_control)
    })
    .unwrap_or("/viewlog")
}

#[cfg(test)]
mod tests {
    use api::{Route, SearchId};
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn values_are_encoded_and_absent_ones_left_out() {
        let url = with_query("/jobs", &[("state", None), ("q", Some("a&b=c d+é%"))]);
        assert_eq!(url, "/jobs?q=a%26b%3Dc%20d%2B%C3%A9%25");
        assert_eq!(of_search("", "aeiou"), "/?phrase=&letters=aeiou");
    }

    #[test]
    fn only_own_paths_are_followed() {
        assert_eq!(own_path(Some("/jobs?state=dead")), "/jobs?state=dead");
        assert_eq!(own_path(Some("/?phrase=a//b&letters=c")), "/?phrase=a//b&letters=c");
        for foreign in [
            "//evil.example",
            "//jobs",
            "/\\evil.example",
            "/.//evil.example",
            "/jobs/..//evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "",
            "jobs",
            "javascript:",
        ] {
            assert_eq!(own_path(Some(foreign)), "/viewlog", "{foreign:?}");
        }
        for undone in
            ["/logout", "/./logout", "/%2e/logout", "//logout", "/logout/", "/jobs/../logout", "/login?next=%2Flogout"]
        {
            assert_eq!(own_path(Some(undone)), "/viewlog", "{undone:?} would undo the login");
        }
        assert_eq!(own_path(None), "/viewlog");
    }

    /// The address that a browser opens for a link on one of our pages.
    fn opened(address: &str) -> Url {
        let page = Url::parse("https://search.example/login").expect("an address");
        page.join(address).unwrap_or_else(|error| panic!("{error}: {address}"))
    }

    proptest! {
        #[test]
        fn a_browser_reads_what_was_written(phrase in any::<String>(), letters in any::<String>()) {
            let url = opened(&of_search(&phrase, &letters));
            let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, [("phrase".to_owned(), phrase), ("letters".to_owned(), letters)]);
            prop_assert_eq!((url.path(), url.fragment()), ("/", None));
        }

        #[test]
        fn a_jobs_address_leads_to_it(id in any::<i64>()) {
            prop_assert_eq!(Route::of(&of_job(JobId(id))), Route::Job(JobId(id)));
        }

        #[test]
        fn a_runs_address_leads_to_it(id in any::<u128>()) {
            prop_assert_eq!(Route::of(&of_lab_run(SearchId(id))), Route::LabRun(SearchId(id)));
        }

        #[test]
        fn no_next_leads_to_another_site(next in prop_oneof![any::<String>(), "[/\\\\.:@?#a-z \t\n\u{0}]{0,12}", "/[ -~]{0,20}"]) {
            let url = opened(own_path(Some(&next)));
            prop_assert_eq!(url.origin(), opened("/").origin());
        }
    }
}
