//! User journeys in a real browser against the real server.

mod account;
mod audit;
mod comparison;
mod console;
mod drawer;
mod engines;
mod every_page;
mod hostile;
mod job_filter;
mod jobs;
mod keyboard;
mod kinds;
mod lab;
mod late;
mod log;
mod outbox;
mod recovery;
mod search;
mod silence;
mod streams;
mod surroundings;
mod system;

use api::{SearchAnswer, SearchId};
use tests::browser::{Browser, Engine, Role};
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};
use tokio::task::JoinSet;

pub(crate) const NAME: &str = "ada";
pub(crate) const PASSWORD: &str = "a passphrase of some length";

pub(crate) struct BrowserTest {
    pub(crate) installation: Installation,
    pub(crate) server: ServerProcess,
    pub(crate) browser: Browser,
}

impl BrowserTest {
    /// Starts a new server, and Chromium on an empty page.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::start_in(Engine::Chromium, arguments).await
    }

    /// Starts the same with a browser of this engine.
    pub(crate) async fn start_in(engine: Engine, arguments: &[&str]) -> Self {
        let installation = Installation::new();
        let server = installation.start(arguments).await;
        let browser = Browser::start(engine, server.url()).await;
        Self { installation, server, browser }
    }

    /// Starts a new server, and Chromium with a logged-in administrator.
    pub(crate) async fn as_administrator(arguments: &[&str]) -> Self {
        Self::as_administrator_in(Engine::Chromium, arguments).await
    }

    /// Starts the same with a browser of this engine.
    pub(crate) async fn as_administrator_in(engine: Engine, arguments: &[&str]) -> Self {
        let test = Self::start_in(engine, arguments).await;
        test.browser.open(&format!("/setup#token={}", test.server.setup_token().await)).await;
        test.browser.fill("Name", NAME).await;
        test.browser.fill("Password", PASSWORD).await;
        test.browser.click(Role::Button, "Create admin").await;
        test.browser.wait_for_path("the administrator gets to the log", |path| path == "/viewlog").await;
        test
    }

    pub(crate) fn client(&self) -> HttpClient {
        self.server.client()
    }

    pub(crate) async fn finish(self) {
        self.browser.finish().await;
    }
}

/// Logs out with the button of the page.
pub(crate) async fn log_out(page: &Browser) {
    page.open("/logout").await;
    page.click(Role::Button, "Log out").await;
    page.wait_for_text("You are logged out").await;
}

/// Searches without the browser.
pub(crate) async fn search(client: &HttpClient, number: u64, phrase: &str) -> SearchAnswer {
    let id = SearchId::from_parts(1_700_000_000_000, number.into()).to_string();
    let answer = client.post_form("/api/search", &[("phrase", phrase), ("id", &id)]).await.expect("the server answers");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Makes this many searches in parallel, numbered from 1.
pub(crate) async fn search_many(client: &HttpClient, searches: u64) {
    let mut requests = JoinSet::new();
    for number in 1..=searches {
        let client = client.clone();
        requests.spawn(async move { search(&client, number, &format!("search {number}")).await });
    }
    requests.join_all().await;
}

/// The number of the job in the list that is about this. The first numbers may be those of the system's own jobs.
pub(crate) async fn job_about(page: &Browser, about: &str) -> String {
    eventually(&format!("the list has a job about {about:?}"), async || {
        let find =
            "const row = [...document.querySelectorAll('.job_table tr')].find(r => r.innerText.includes(arguments[0]));
                    return row?.querySelector('.row_link').innerText.slice(1)";
        page.script(find, vec![about.into()]).await.as_str().map(ToOwned::to_owned)
    })
    .await
}
