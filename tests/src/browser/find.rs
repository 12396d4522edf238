//! Finding things as people who cannot see find them: by role and name.

use fantoccini::Locator;
use fantoccini::elements::Element;

use super::Browser;
use super::devtools::SessionCommand;
use crate::eventually::eventually;

/// The ARIA roles that tests look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Button,
    Dialog,
    Heading,
    Link,
    Radio,
    TextBox,
}

impl Role {
    /// Where elements of this role can be; the browser decides which of them are.
    fn candidates(self) -> &'static str {
        match self {
            Self::Button => "button, input[type=submit], [role=button], summary",
            Self::Dialog => "dialog, [role=dialog]",
            Self::Heading => "h1, h2, h3, h4, [role=heading]",
            Self::Link => "a[href], [role=link]",
            Self::Radio => "input[type=radio], [role=radio]",
            Self::TextBox => "input, textarea, [role=textbox], [role=searchbox]",
        }
    }

    fn is(self, role: &str) -> bool {
        match self {
            // What unfolds something has a role of Chromium's own.
            Self::Button => matches!(role, "button" | "DisclosureTriangle"),
            Self::Dialog => role == "dialog",
            Self::Heading => role == "heading",
            Self::Link => role == "link",
            Self::Radio => role == "radio",
            // A password's field has no role, and a search's has one of its own.
            Self::TextBox => matches!(role, "textbox" | "searchbox" | "none" | "generic" | "combobox"),
        }
    }
}

impl Browser {
    /// Waits for the first visible element of this role whose accessible name contains `name`.
    pub async fn find(&self, role: Role, name: &str) -> Element {
        eventually(&format!("there is a {role:?} named {name:?}"), async || self.look(role, name).await).await
    }

    /// The same, without waiting.
    pub async fn look(&self, role: Role, name: &str) -> Option<Element> {
        let candidates = self.client.find_all(Locator::Css(role.candidates())).await.expect("the page can be searched");
        for element in candidates {
            if self.is_named(&element, role, name).await == Some(true) {
                return Some(element);
            }
        }
        None
    }

    /// `None` where the element has left the page meanwhile.
    async fn is_named(&self, element: &Element, role: Role, name: &str) -> Option<bool> {
        Some(
            self.computed(element, "computedlabel").await?.contains(name)
                && role.is(&self.computed(element, "computedrole").await?)
                && element.is_displayed().await.ok()?,
        )
    }

    /// What the browser tells a screen reader of the element.
    async fn computed(&self, element: &Element, what: &str) -> Option<String> {
        let path = format!("element/{}/{what}", &*element.element_id());
        let value = self.client.issue_cmd(SessionCommand::get(path)).await.ok()?;
        value.as_str().map(ToOwned::to_owned)
    }

    /// Clicks it; again where the page has put another element in its place meanwhile, as it does once, when the
    /// wasm takes over.
    pub async fn click(&self, role: Role, name: &str) {
        eventually(&format!("the {role:?} {name:?} can be clicked"), async || {
            self.look(role, name).await?.click().await.ok()
        })
        .await;
    }

    /// Replaces what is in a text field by typing; again where another field has taken its place meanwhile.
    pub async fn fill(&self, name: &str, text: &str) {
        eventually(&format!("the field {name:?} can be typed into"), async || {
            let field = self.look(Role::TextBox, name).await?;
            field.clear().await.ok()?;
            field.send_keys(text).await.ok()
        })
        .await;
    }

    /// What is in a text field.
    pub async fn value(&self, name: &str) -> String {
        let field = self.find(Role::TextBox, name).await;
        field.prop("value").await.expect("a text field has a value").unwrap_or_default()
    }

    /// The visible texts of all elements that match a CSS selector. For what has neither role nor name.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText)";
        let texts = self.script(script, vec![selector.into()]).await;
        texts.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect()
    }
}
