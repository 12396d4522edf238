//! Takes screenshots of every page of a real server: `cargo xtask screenshots`.

mod sheet;

use std::env;
use std::path::PathBuf;

use api::SearchId;
use serde_json::{Value, json};
use tests::browser::{Browser, Engine, Role, key};
use tests::eventually;
use tests::http_client::HttpClient;
use tests::server_process::{Installation, ServerProcess};

use crate::sheet::Sheet;

const PASSWORD: &str = "a passphrase for one hour";
const LINK: &str = "/?phrase=Don%27t+Panic%2C+and+always+know+where+your+towel+is&letters=aeiou";
/// The log is written so slowly that a record is seen on its way.
const SLOW: [&str; 4] = ["--log-delay", "1h", "--workers", "12"];

#[tokio::main]
async fn main() {
    let mut folders = env::args_os().skip(1).map(PathBuf::from);
    let (Some(readme), Some(review)) = (folders.next(), folders.next()) else {
        panic!("usage: screenshots README_FOLDER REVIEW_FOLDER")
    };
    let mut sheet = Sheet::new(readme, review);
    let installation = Installation::new();
    let server = installation.start(&[]).await;
    let browser = Browser::start(Engine::Chromium, server.url()).await;
    take_the_accounts(&mut sheet, &browser, &server).await;
    take_the_search(&mut sheet, &browser, &server).await;
    let server = interrupted(server, &installation).await;
    take_the_console(&mut sheet, &browser).await;
    let server = take_the_system(&mut sheet, &browser, server, &installation).await;
    take_the_lab(&mut sheet, &browser).await;
    take_what_is_wrong(&mut sheet, &browser, server).await;
    println!("all pictures on one page: {}", sheet.finish().display());
}

/// The pages of accounts. Leaves nobody logged in.
async fn take_the_accounts(sheet: &mut Sheet, browser: &Browser, server: &ServerProcess) {
    let link = format!("/setup#token={}", server.setup_token().await);
    sheet.open(browser, "setup", &link, "Create admin").await;
    browser.fill("Name", "ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.click(Role::Button, "Create admin").await;
    browser.wait_for_path("the administrator gets to the log", |path| path == "/viewlog").await;
    browser.wait_for_text("Nothing has been searched yet").await;
    sheet.take(browser, "viewlog-empty").await;
    browser.open("/logout").await;
    browser.find(Role::Button, "Log out").await;
    sheet.take(browser, "logout").await;
    browser.click(Role::Button, "Log out").await;
    browser.wait_for_text("You are logged out").await;
    sheet.open(browser, "login", "/login", "Password").await;
}

async fn take_the_search(sheet: &mut Sheet, browser: &Browser, server: &ServerProcess) {
    search_a_lot(&server.client(), 0).await;
    sheet.open(browser, "entry", "/", "Welcome to search4letters").await;
    browser.fill("Phrase", "Don't Panic, and always know where your towel is").await;
    sheet.take(browser, "entry-typing").await;
    sheet.open(browser, "results-link", LINK, "You opened a shared search").await;
    browser.click(Role::Button, "Log this search").await;
    browser.wait_for_text("In the log: row").await;
    sheet.take(browser, "results").await;
    sheet.open(browser, "not-found", "/lost", "Page not found").await;
}

/// The log and the jobs, with a slow log. Leaves the administrator logged in.
async fn take_the_console(sheet: &mut Sheet, browser: &Browser) {
    browser.open("/login?next=/viewlog").await;
    browser.fill("Name", "ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.click(Role::Button, "Log in").await;
    browser.wait_for_text("Up to date").await;
    for number in [3, 6] {
        let job = interrupted_job(browser, number).await;
        admin_action(browser, "cancel", &json!({"id": job})).await;
    }
    admin_action(browser, "limit", &json!({"kind": "log_request", "limit": 12})).await;
    sheet.open(browser, "viewlog", "/viewlog", "Up to date").await;
    sheet.open(browser, "viewlog-row", "/viewlog?row=3", "Search id").await;
    sheet.open(browser, "viewlog-none", "/viewlog?q=zaphod", "No row matches this filter").await;
    browser.open("/viewlog").await;
    browser.wait_for_text("Up to date").await;
    sheet.take_after(browser, "menu", OPEN_THE_MENU).await;
    browser.click(Role::Button, "Filter syntax").await;
    browser.find(Role::Dialog, "Filter syntax").await;
    sheet.take(browser, "viewlog-syntax").await;
    browser.press([key::ESCAPE]).await;
    browser.script(TYPE_A_FAULT, vec![]).await;
    browser.wait_for_text("match the previous filter").await;
    sheet.take(browser, "viewlog-fault").await;
    sheet.open(browser, "jobs", "/jobs", "log_request").await;
    browser.script("document.querySelector('.kind_fold').open = true", vec![]).await;
    browser.wait_for_text("Scheduled or retrying").await;
    sheet.take(browser, "job-types").await;
    browser.press(['?']).await;
    browser.find(Role::Dialog, "Keyboard shortcuts").await;
    sheet.take(browser, "help").await;
    browser.press([key::ESCAPE]).await;
    let job = interrupted_job(browser, 0).await;
    sheet.open(browser, "job", &format!("/jobs/{job}"), "Attempt 1 was lost").await;
    browser.click(Role::Button, &format!("Cancel job {job}")).await;
    browser.wait_for_text(" cancelled.").await;
    browser.wait_for_text("Retry gives it back to the queue.").await;
    // A result with the focus stays.
    browser.script("document.querySelector('.toast .button-small').focus()", vec![]).await;
    sheet.take(browser, "toast").await;
    browser.click(Role::Button, "Undo").await;
    browser.wait_for_text("waits for a worker again").await;
    sheet.open(browser, "audit", "/audit", "Limited").await;
    sheet.open(browser, "jobs-filtered", "/jobs?q=state:cancelled+browser:firefox", "Cancelled").await;
    browser.open(LINK).await;
    browser.click(Role::Button, "Log this search").await;
    browser.wait_for_text("ahead of you").await;
    sheet.take(browser, "results-waiting").await;
}

/// A system that is well again: its log is no longer slow. Returns the new server.
async fn take_the_system(
    sheet: &mut Sheet,
    browser: &Browser,
    server: ServerProcess,
    installation: &Installation,
) -> ServerProcess {
    // No page is open that would notice the restart.
    browser.open("/").await;
    // Once the page shows the account, it makes no more requests.
    browser.wait_for_text("ada").await;
    server.kill().await;
    let server = installation.start(&[]).await;
    sheet.open(browser, "system", "/system", "Last end-to-end check").await;
    server
}

/// The lab's comparisons, and a run of each scenario.
async fn take_the_lab(sheet: &mut Sheet, browser: &Browser) {
    sheet.open(browser, "lab-before", "/lab", "four ways").await;
    browser.click(Role::Button, "Run the comparison").await;
    browser.wait_for_text("of 10").await;
    sheet.take(browser, "lab-live").await;
    browser.find(Role::Button, "Try 1,000").await;
    sheet.take(browser, "lab").await;
    browser.click(Role::Button, "Try 1,000").await;
    browser.find(Role::Button, "Back to 10").await;
    sheet.take(browser, "lab-many").await;
    browser.click(Role::Link, "Async").await;
    take_run(sheet, browser, "lab-many-run", "1,000 × 1 s, async", "one by one would take").await;
    browser.open("/lab").await;
    browser.click(Role::Button, "Adjust").await;
    browser.click(Role::Button, "20 flags").await;
    sheet.take(browser, "lab-adjust").await;
    browser.click(Role::Button, "Only one style").await;
    browser.click(Role::Radio, "Threads").await;
    browser.click(Role::Button, "Run this style alone").await;
    take_run(sheet, browser, "lab-run", "20 flags on 20 threads", "one by one would take").await;
    for (name, path, button, text) in [
        ("lab-database", "/lab?scenario=database", "Run the tasks", "every connection came back"),
        ("lab-trap", "/lab?scenario=trap", "Kill the server now", "the next process wrote its row"),
    ] {
        browser.open(path).await;
        browser.click(Role::Button, button).await;
        browser.wait_for_text(text).await;
        sheet.take(browser, name).await;
    }
}

/// Takes the page of a run once it has ended.
async fn take_run(sheet: &mut Sheet, browser: &Browser, scene: &str, title: &str, text: &str) {
    browser.wait_for_path("the run's page", |path| path.starts_with("/lab/runs/")).await;
    browser.find(Role::Heading, title).await;
    browser.find(Role::Heading, "What this shows").await;
    browser.wait_for_text(text).await;
    sheet.take(browser, scene).await;
}

/// Pages whose server is gone.
async fn take_what_is_wrong(sheet: &mut Sheet, browser: &Browser, server: ServerProcess) {
    browser.open("/").await;
    browser.wait_for_text("ada").await;
    server.kill().await;
    browser.fill("Phrase", "So long, and thanks for all the fish").await;
    browser.click(Role::Button, "Do it!").await;
    browser.wait_for_text("We can't reach the server").await;
    sheet.take(browser, "results-unreached").await;
}

/// Opens the log's menu of exports, where its button is now.
const OPEN_THE_MENU: &str = "document.getElementById('log-export').hidePopover();
    document.querySelector('[popovertarget=log-export]').click()";

/// Types a filter with an error, all at once.
const TYPE_A_FAULT: &str = "const field = document.querySelector('[data-filter]');
    field.focus();
    field.value = 'sinse:1h';
    field.dispatchEvent(new InputEvent('input', {bubbles: true}))";

/// Kills a server with a slow log while it writes, so that jobs have a lost attempt. Returns the next server, whose log
/// is as slow.
async fn interrupted(server: ServerProcess, installation: &Installation) -> ServerProcess {
    server.kill().await;
    let slow = installation.start(&SLOW).await;
    let client = slow.client();
    search_a_lot(&client, 1).await;
    eventually("each of its twelve workers has an attempt to lose", async || {
        let metrics = client.get("/metrics").await.ok()?;
        metrics.body.contains("search4letters_ledger{place=\"running\"} 12").then_some(())
    })
    .await;
    slow.kill().await;
    installation.start(&SLOW).await
}

async fn search_a_lot(client: &HttpClient, round: u128) {
    for (number, (phrase, letters)) in (0..).zip(SEARCHES) {
        let id = search_id(round, number);
        let client = client.clone().with_user_agent(BROWSERS[usize::try_from(number).unwrap_or(0) % BROWSERS.len()]);
        let fields = [("phrase", *phrase), ("letters", *letters), ("id", &id)];
        let answer = client.post_form("/api/search", &fields).await.expect("the server answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

fn search_id(round: u128, number: u128) -> String {
    SearchId::from_parts(1_700_000_000_000, round * 1_000 + number).to_string()
}

/// The job of a search that was interrupted. Probes make jobs too, so its number is not known in advance.
async fn interrupted_job(browser: &Browser, number: u128) -> i64 {
    let job = admin_action(browser, "find", &json!({"search": search_id(1, number)})).await;
    job["id"].as_i64().expect("the search has a job")
}

/// Calls an admin action with the browser's session, and returns its answer.
async fn admin_action(browser: &Browser, function: &str, body: &Value) -> Value {
    let post = "const [path, body, done] = arguments;
        fetch(path, {method: 'POST', headers: {'content-type': 'application/json'}, body})
            .then(async answer => done([answer.status, await answer.json()]))";
    let arguments = vec![format!("/api/admin/jobs/{function}").into(), body.to_string().into()];
    let mut answer = browser.script_async(post, arguments).await;
    assert_eq!(answer[0], 200, "{function} {body}: {}", answer[1]);
    answer[1].take()
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
