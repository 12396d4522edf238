//! What WebDriver's standard leaves to each browser.

use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::{Browser, Scheme};

/// A command below `/session/ID/`.
#[derive(Debug)]
pub(super) struct SessionCommand {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl SessionCommand {
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None }
    }

    pub(super) fn post(path: &str, body: Value) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: Some(body) }
    }
}

impl WebDriverCompatibleCommand for SessionCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), self.body.as_ref().map(ToString::to_string))
    }
}

impl Browser {
    pub(super) async fn command(&self, command: SessionCommand) -> Value {
        let said = format!("{command:?}");
        self.client.issue_cmd(command).await.unwrap_or_else(|error| panic!("{said}: {error}"))
    }

    /// A command of the DevTools protocol, for instance `Runtime.getHeapUsage`, and its answer.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.command(SessionCommand::post("goog/cdp/execute", json!({"cmd": method, "params": parameters}))).await
    }

    /// Sets the page's size, in CSS pixels. (A window has a least width, which is more than a phone's.)
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets what the system prefers, which is not what the page's own control says.
    pub async fn prefer(&self, scheme: Scheme) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme.word()});
        self.devtools("Emulation.setEmulatedMedia", json!({"features": [feature]})).await;
    }
}
