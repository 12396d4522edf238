//! A server and a browser for one story.

use api::{SearchAnswer, SearchId};
use tests::browser::{Browser, Role};
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};
use tokio::task::JoinSet;

pub(crate) const NAME: &str = "ada";
pub(crate) const PASSWORD: &str = "a passphrase of some length";

pub(crate) struct Stage {
    pub(crate) installation: Installation,
    pub(crate) server: ServerProcess,
    pub(crate) browser: Browser,
}

impl Stage {
    /// A server that nobody has used, and a browser that has not been anywhere.
    pub(crate) async fn open(arguments: &[&str]) -> Self {
        let installation = Installation::new();
        let server = installation.start(arguments).await;
        let browser = Browser::start(server.url()).await;
        Self { installation, server, browser }
    }

    /// The same with an administrator, who is logged in.
    pub(crate) async fn open_for_administrator(arguments: &[&str]) -> Self {
        let stage = Self::open(arguments).await;
        stage.browser.open(&format!("/setup?token={}", stage.server.setup_token().await)).await;
        stage.browser.fill("Name", NAME).await;
        stage.browser.fill("Password", PASSWORD).await;
        stage.browser.click(Role::Button, "Make the account").await;
        stage.browser.wait_for_path("the administrator gets to the log", |path| path == "/viewlog").await;
        stage
    }

    pub(crate) fn client(&self) -> HttpClient {
        self.server.client()
    }

    pub(crate) async fn finish(self) {
        self.browser.finish().await;
    }
}

/// Searches past the browser.
pub(crate) async fn search(client: &HttpClient, number: u64, phrase: &str) -> SearchAnswer {
    let id = SearchId::from_parts(1_700_000_000_000, number.into()).to_string();
    let answer = client.post_form("/api/search", &[("phrase", phrase), ("id", &id)]).await.expect("the server answers");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// So many searches side by side, numbered from 1 on.
pub(crate) async fn search_often(client: &HttpClient, searches: u64) {
    let mut asked = JoinSet::new();
    for number in 1..=searches {
        let client = client.clone();
        asked.spawn(async move { search(&client, number, &format!("search {number}")).await });
    }
    asked.join_all().await;
}
