//! Takes screenshots of every page of a real server: `cargo xtask screenshots`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use api::SearchId;
use serde_json::{Value, json};
use tests::browser::{Browser, Role, Scheme};
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};

/// The width of the README's screenshots; the others are for reviews.
const README_WIDTH: u32 = 1280;
const WIDTHS: [u32; 3] = [360, README_WIDTH, 1920];
/// Limits the size of a clone.
const README_BYTES: usize = 150_000;
const PASSWORD: &str = "a passphrase for one hour";

#[tokio::main]
async fn main() {
    let mut folders = env::args_os().skip(1).map(PathBuf::from);
    let (Some(readme), Some(review)) = (folders.next(), folders.next()) else {
        panic!("usage: screenshots README_FOLDER REVIEW_FOLDER")
    };
    let screenshots = Screenshots { readme, review };
    let installation = Installation::new();

    let server = installation.start(&[]).await;
    let browser = Browser::start(server.url()).await;
    screenshots
        .take(&browser, "setup", &format!("/setup#token={}", server.setup_token().await), "Make the account")
        .await;
    log_in(&browser).await;
    browser.open("/logout").await;
    browser.click(Role::Button, "Log out").await;
    browser.wait_for_text("You are logged out").await;
    screenshots.take(&browser, "login", "/login", "Password").await;
    search_a_lot(&server.client(), 0).await;
    screenshots.take(&browser, "entry", "/", "Welcome to search4letters").await;
    let results = "/?phrase=Don%27t+Panic%2C+and+always+know+where+your+towel+is&letters=aeiou";
    browser.open(results).await;
    browser.click(Role::Button, "Search").await;
    browser.wait_for_text("In the log: row").await;
    screenshots.take_shown(&browser, "results").await;

    let server = interrupted(server, &installation).await;
    browser.open("/login?next=/viewlog").await;
    browser.fill("Name", "ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.click(Role::Button, "Log in").await;
    browser.wait_for_text("Up to date").await;
    cancel_some(&browser).await;
    admin_action(&browser, "limit", &json!({"kind": "log_request", "limit": 12})).await;
    screenshots.take(&browser, "viewlog", "/viewlog", "Up to date").await;
    screenshots.take(&browser, "jobs", "/jobs", "log_request").await;
    let job = SEARCHES.len() + 3;
    screenshots.take(&browser, "job", &format!("/jobs/{job}"), "lost").await;

    // Healthy again: the log is no longer slow. No page is open that would notice the restart.
    browser.open("/").await;
    // Once the page shows the account, it makes no more requests.
    browser.wait_for_text("ada").await;
    server.kill().await;
    let server = installation.start(&[]).await;
    screenshots.take(&browser, "system", "/system", "Last end-to-end check").await;
    take_the_lab(&screenshots, &browser).await;
    browser.finish().await;
    drop(server);
}

/// The lab's page, and a run of each scenario.
async fn take_the_lab(screenshots: &Screenshots, browser: &Browser) {
    browser.open("/lab").await;
    browser.click(Role::Button, "20 flags").await;
    browser.click(Role::Button, "Compare all styles").await;
    eventually("three styles are compared", async || {
        (browser.texts(".run_table .state_badge").await.iter().filter(|badge| badge.contains("done")).count() == 3)
            .then_some(())
    })
    .await;
    screenshots.take(browser, "lab", "/lab", "20 flags in sequence").await;
    screenshots.take_run(browser, "lab-run", "20 flags on 20 threads", "Arrivals, in order").await;
    for (name, path, preset, title, text) in [
        ("lab-many", "/lab", Some("1,000 async"), "1,000 × 2 s, async", "and 940 more"),
        ("lab-database", "/lab?scenario=database", None, "1,000 tasks in 10 batches", "What failed, by kind"),
        ("lab-trap", "/lab?scenario=trap", None, "The trap, with a write of 15 s", "arrived after the restart"),
    ] {
        browser.open(path).await;
        if let Some(preset) = preset {
            browser.click(Role::Button, preset).await;
        }
        browser.click(Role::Button, "Start").await;
        browser.find(Role::Heading, title).await;
        eventually("the run has ended", async || {
            browser.texts(".lab_run_head .state_badge").await.iter().any(|badge| badge.contains("done")).then_some(())
        })
        .await;
        screenshots.take_run(browser, name, title, text).await;
    }
}

struct Screenshots {
    readme: PathBuf,
    review: PathBuf,
}

impl Screenshots {
    /// Opens the run with this title and takes its screenshots.
    async fn take_run(&self, browser: &Browser, name: &str, title: &str, text: &str) {
        browser.open("/lab").await;
        browser.click(Role::Link, title).await;
        let path = browser.wait_for_path("the run's page", |path| path.starts_with("/lab/runs/")).await;
        self.take(browser, name, &path, text).await;
    }

    /// Opens a page, waits for a text, and takes its screenshots.
    async fn take(&self, browser: &Browser, name: &str, path: &str, text: &str) {
        browser.open(path).await;
        browser.wait_for_text(text).await;
        self.take_shown(browser, name).await;
    }

    /// Takes a screenshot of the page in every colour scheme and width.
    async fn take_shown(&self, browser: &Browser, name: &str) {
        for scheme in Scheme::ALL {
            browser.prefer(scheme).await;
            let name = format!("{name}-{}", scheme.as_str());
            for width in WIDTHS {
                browser.resize(width, 800).await;
                let png = browser.screenshot().await;
                save(&self.review, &format!("{name}-{width}.png"), &png);
                if width == README_WIDTH {
                    assert!(png.len() < README_BYTES, "{name} has {} bytes", png.len());
                    save(&self.readme, &format!("{name}.png"), &png);
                }
            }
        }
    }
}

fn save(folder: &Path, name: &str, png: &[u8]) {
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(folder.join(name), png).expect("the screenshot can be written");
}

async fn log_in(browser: &Browser) {
    browser.fill("Name", "ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.click(Role::Button, "Make the account").await;
    browser.wait_for_path("the administrator gets to the log", |path| path == "/viewlog").await;
}

/// Kills a server with a slow log while it writes, so that jobs have a lost attempt. Returns the next server, whose log
/// is as slow.
async fn interrupted(server: ServerProcess, installation: &Installation) -> ServerProcess {
    const SLOW: [&str; 4] = ["--log-delay", "1h", "--workers", "12"];
    server.kill().await;
    let slow = installation.start(&SLOW).await;
    search_a_lot(&slow.client(), 1).await;
    slow.kill().await;
    installation.start(&SLOW).await
}

async fn search_a_lot(client: &HttpClient, round: u128) {
    for (number, (phrase, letters)) in (0..).zip(SEARCHES) {
        let id = SearchId::from_parts(1_700_000_000_000, round * 1_000 + number).to_string();
        let client = client.clone().with_user_agent(BROWSERS[usize::try_from(number).unwrap_or(0) % BROWSERS.len()]);
        let fields = [("phrase", *phrase), ("letters", *letters), ("id", &id)];
        let answer = client.post_form("/api/search", &fields).await.expect("the server answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

async fn cancel_some(browser: &Browser) {
    for job in [SEARCHES.len() + 6, SEARCHES.len() + 9] {
        admin_action(browser, "cancel", &json!({"id": job})).await;
    }
}

/// Calls an admin action with the browser's session.
async fn admin_action(browser: &Browser, function: &str, body: &Value) {
    let post = "const [path, body, done] = arguments;
        fetch(path, {method: 'POST', headers: {'content-type': 'application/json'}, body}).then(a => done(a.status))";
    let arguments = vec![format!("/api/admin/jobs/{function}").into(), body.to_string().into()];
    assert_eq!(browser.script_async(post, arguments).await, 200, "{function} {body}");
}

const SEARCHES: &[(&str, &str)] = &[
    ("life, the universe, and everything", "aeiou"),
    ("hitch-hiker", "aeiou"),
    ("So long, and thanks for all the fish", "xyz"),
    ("galaxy", "xyz"),
    ("Ford Prefect", "aeiou"),
    ("מגבת", "אבגדה"),
    ("a nice cup of tea ☕", "☕🐬"),
    ("forty-two", "aeiou"),
    ("the answer to the ultimate question", "qu"),
    ("Vogon poetry", "aeiou"),
    ("Heart of Gold", "gold"),
    ("mostly harmless", "aeiou"),
    ("rhythm", "aeiou"),
    ("bring a towel", "towel"),
    ("Slartibartfast's fjords", "'jst"),
    ("infinite improbability", "aeiou"),
];

const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "curl/8.5.0",
];
