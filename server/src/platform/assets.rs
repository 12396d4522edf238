//! The client's files, embedded in the binary: a document for each bundle, and what it loads.

use std::borrow::Cow;
use std::sync::LazyLock;

use api::{ApiError, Bundle, ErrorCode, Route};
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

use super::accept::weight;
use super::error::Error;

/// The output of `cargo xtask client`. Release builds embed it; debug builds read the folder.
#[derive(Embed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// The documents of the bundles.
const PAGES: [&str; 3] = ["index.html", "lab.html", "console.html"];
/// Content encodings, best first, each with its file extension.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Whether this binary carries a client.
pub fn has_client() -> bool {
    PAGES.iter().all(|page| Dist::get(page).is_some())
}

/// The names of the client's scripts. They change with their content, so a page knows by its script whether it is
/// outdated.
pub fn scripts() -> &'static [String] {
    static SCRIPTS: LazyLock<Vec<String>> =
        LazyLock::new(|| Dist::iter().map(Cow::into_owned).filter(|name| name.ends_with(".js")).collect());
    &SCRIPTS
}

/// The name of the style sheet of all pages; absent in a server without a client.
pub fn style() -> Option<String> {
    Dist::iter().map(Cow::into_owned).find(|name| name.starts_with("app-") && name.ends_with(".css"))
}

/// Serves a file of the client. Any other path gets the document of the bundle that has its page.
pub async fn file(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = "This path can only be read.";
        let error = Error::from(ApiError::new(ErrorCode::WrongMethod, message));
        return ([(ALLOW, "GET,HEAD")], error).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let route = Route::of(path);
    let name = if is_file { path } else { page(route) };
    // Compressed files are variants, not files of their own.
    let is_spelling = ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending));
    match Dist::get(name).filter(|_| !is_spelling) {
        Some(file) if !is_file && route == Route::NotFound => no_such_page(name, file, request.headers()),
        Some(file) => serve(name, file, request.headers()),
        None if PAGES.contains(&name) => (StatusCode::NOT_FOUND, NO_CLIENT).into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

/// The page itself says that it does not exist. Without a tag, it is not taken for a page that does.
fn no_such_page(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let mut headers = headers.clone();
    headers.remove(IF_NONE_MATCH);
    let mut response = serve(name, file, &headers);
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response.headers_mut().remove(ETAG);
    response
}

fn page(route: Route) -> &'static str {
    match route.bundle() {
        Bundle::Search => "index.html",
        Bundle::Lab => "lab.html",
        Bundle::Console => "console.html",
    }
}

const NO_CLIENT: &str = "This server was built without its client. `cargo xtask run` builds both.\n";

const BY_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

fn serve(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = etag(&file);
    let mut response = if headers.get(IF_NONE_MATCH).is_some_and(|known| is_known(known, &tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        content(name, file, headers)
    };
    // A 304 carries them too: the browser updates the headers of its cached copy.
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, caching(name));
    answer.insert(ETAG, tag);
    answer.insert(VARY, BY_ENCODING);
    if let Some((_, policy)) = POLICIES.iter().find(|(page, _)| *page == name) {
        answer.insert(CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

fn content(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let Some((encoding, body)) = encoded(name, file.data, headers) else {
        return (StatusCode::NOT_ACCEPTABLE, "Accept identity, br or gzip.\n").into_response();
    };
    // Embedded bytes are sent without a copy: copies for slow readers could exhaust the memory.
    let body = match body {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = Body::from(body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, content_type(name));
    if let Some(encoding) = encoding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Weak, because every encoding of the file has the same tag.
fn etag(file: &EmbeddedFile) -> HeaderValue {
    let hash: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("W/\"{hash}\"")).expect("hexadecimal digits")
}

fn is_known(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    // Weak comparison, as RFC 9110 requires. Some proxies strip the W/.
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.split(',').any(|one| opaque(one) == opaque(tag) || one.trim() == "*")
}

/// The body in the best encoding that the client accepts, and its name. `None` if it accepts none.
fn encoded(
    name: &str,
    plain: Cow<'static, [u8]>,
    headers: &HeaderMap,
) -> Option<(Option<&'static str>, Cow<'static, [u8]>)> {
    let accepted: Vec<&str> =
        headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok()).collect();
    let accepted = accepted.join(",");
    for (encoding, ending) in ENCODINGS {
        if accepts(&accepted, encoding) == Some(true)
            && let Some(file) = Dist::get(&format!("{name}{ending}"))
        {
            return Some((Some(encoding), file.data));
        }
    }
    (accepts(&accepted, "identity") != Some(false)).then_some((None, plain))
}

/// Whether the header accepts the encoding. `None` if it does not speak of it.
fn accepts(header: &str, encoding: &str) -> Option<bool> {
    weight(header, encoding).or_else(|| weight(header, "*")).map(|weight| weight > 0.0)
}

/// A file with a hash in its name never changes. The others are revalidated each time, which costs a 304.
fn caching(name: &str) -> HeaderValue {
    let is_hashed =
        name.split(['-', '.', '_']).any(|part| part.len() == 16 && part.bytes().all(|b| b.is_ascii_hexdigit()));
    HeaderValue::from_static(if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" })
}

fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    })
}

/// One policy per document, because their scripts differ.
static POLICIES: LazyLock<[(&str, HeaderValue); PAGES.len()]> = LazyLock::new(|| {
    PAGES.map(|page| {
        let html = Dist::get(page).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
        (page, policy(&html))
    })
});

/// The page may load its own files and nothing else. Its inline scripts, boot.js and Trunk's loader, are allowed by their
/// hashes.
fn policy(html: &str) -> HeaderValue {
    let hashes: String = inline_scripts(html).map(|script| format!(" 'sha256-{}'", sha256_base64(script))).collect();
    HeaderValue::try_from(format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    ))
    .expect("policy words and base 64")
}

fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !script.is_empty()).then_some(script)
    })
}

fn sha256_base64(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_inline_scripts_as_browsers_do() {
        let html = r#"<script src="/a.js"></script><script type="module">alert(1)</script>"#;
        let scripts: Vec<&str> = inline_scripts(html).collect();
        assert_eq!(scripts, ["alert(1)"]);
        assert_eq!(sha256_base64("alert(1)"), "bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
    }

    #[test]
    fn the_page_may_run_its_own_files_and_its_loader_and_nothing_else() {
        let policy = policy("<script>alert(1)</script><script src=/a.js></script>");
        assert_eq!(
            policy.to_str().expect("ASCII"),
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' \
             'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        );
    }

    #[test]
    fn every_path_has_the_document_of_its_bundle() {
        for path in ["/", "/entry", "/no/such/page", "/jobs/x"] {
            assert_eq!(page(Route::of(path)), "index.html", "{path}");
        }
        assert_eq!(page(Route::of("/lab")), "lab.html");
        for path in ["/login", "/logout", "/setup", "/viewlog", "/jobs", "/jobs/42", "/system"] {
            assert_eq!(page(Route::of(path)), "console.html", "{path}");
        }
    }

    #[test]
    fn a_known_tag_is_compared_weakly() {
        let known = |known| is_known(&HeaderValue::from_static(known), &HeaderValue::from_static("W/\"cafe\""));
        assert!(known("W/\"cafe\"") && known("\"cafe\"") && known("\"a\", W/\"cafe\"") && known("*"));
        assert!(!known("\"caf\"") && !known("cafe") && !known(""));
    }

    #[test]
    fn only_hashed_names_are_immutable() {
        assert_eq!(caching("app-0123456789abcdef_bg.wasm"), "public, max-age=31536000, immutable");
        assert_eq!(caching("index.html"), "no-cache");
        assert_eq!(caching("favicon.svg"), "no-cache");
    }

    #[test]
    fn reads_accept_encoding() {
        for accepted in ["gzip, deflate, br", "br;q=0.5", "BR ; Q = 0.001", "*", "gzip;q=0, *"] {
            assert_eq!(accepts(accepted, "br"), Some(true), "{accepted}");
        }
        for refused in ["br;q=0", "br;Q=0", "br; q=0.000", "*;q=0", "br;q=0, *", "br;q=x"] {
            assert_eq!(accepts(refused, "br"), Some(false), "{refused}");
        }
        assert_eq!((accepts("gzip", "br"), accepts("", "br"), accepts("", "identity")), (None, None, None));
    }
}
