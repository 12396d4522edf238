//! Light, dark, or as the system has it. boot.js applies the choice before the first paint.

use leptos::prelude::*;
use web_sys::Storage;

/// Where the choice is kept; boot.js reads it there.
const KEY: &str = "theme";

#[derive(Clone, Copy)]
pub struct Theme(RwSignal<ThemeChoice>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    Light,
    Dark,
    System,
}

impl ThemeChoice {
    pub const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::System];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }
}

impl Theme {
    #[must_use]
    pub fn restore() -> Self {
        Self(RwSignal::new(stored()))
    }

    /// Takes over what was chosen elsewhere.
    pub fn restore_again(self) {
        self.show(stored());
    }

    #[must_use]
    pub fn get(self) -> ThemeChoice {
        self.0.get()
    }

    pub fn choose(self, choice: ThemeChoice) {
        // A choice that cannot be stored still holds for this visit.
        if let Some(storage) = storage() {
            let _ = storage.set_item(KEY, choice.as_str());
        }
        self.show(choice);
    }

    fn show(self, choice: ThemeChoice) {
        self.0.set(choice);
        if let Some(root) = document().document_element() {
            let _ = match choice {
                ThemeChoice::System => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", choice.as_str()),
            };
        }
    }
}

fn stored() -> ThemeChoice {
    let stored = storage().and_then(|storage| storage.get_item(KEY).ok()?);
    let choice = ThemeChoice::ALL.into_iter().find(|choice| stored.as_deref() == Some(choice.as_str()));
    choice.unwrap_or(ThemeChoice::System)
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
