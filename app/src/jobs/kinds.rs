//! The job types: how many jobs of each there are, and their limits and pauses.

use std::sync::Arc;

use api::{JobCounts, JobKind};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::HtmlDetailsElement;

use crate::jobs::actions::{Actions, may_act};
use crate::jobs::hold::{Held, Hold};
use crate::jobs::words;
use crate::platform::request::Request;
use crate::ui::format::number;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Loading, StillWaiting, Tone};
use crate::ui::shortcuts;
use crate::ui::toast::{Toasts, Undo};

/// The place in the address that leads to the job types.
pub const ADDRESS: &str = "#kinds-title";

#[component]
pub fn KindTable(
    /// `None` until they are known.
    kinds: RwSignal<Option<Vec<JobKind>>>,
    /// Those of the list, which show their results in the same corner.
    actions: Actions,
    hold: Hold,
) -> impl IntoView {
    let actions =
        KindActions { request: Request::new(), pending: RwSignal::new(Vec::new()), kinds, toasts: actions.toasts };
    // A row lives as long as its kind, so it keeps the focus and unsent input. A new row would move the list below.
    let names = RwSignal::new(None::<Vec<String>>);
    Effect::new(move |_| {
        hold.is_behind.track();
        let known = kinds.with(|kinds| Some(kinds.as_ref()?.iter().map(|kind| kind.kind.clone()).collect()));
        if names.with_untracked(|names| *names != known) && hold.news() == Held::Nothing {
            names.set(known);
        }
    });
    let is_known = Memo::new(move |_| names.with(Option::is_some));
    let is_empty = Memo::new(move |_| names.with(|names| names.as_ref().is_some_and(Vec::is_empty)));
    let paused = move || {
        let paused = kinds.with(|kinds| {
            let paused = kinds.iter().flatten().filter(|kind| kind.paused);
            paused.map(|kind| words::paused(&kind.kind)).collect::<Vec<_>>()
        });
        (!paused.is_empty()).then(|| view! { <strong>{paused.join(", ")}</strong> })
    };
    let number_of_types = move || names.with(|names| names.as_ref().map(|names| number(names.len() as u64)));
    let fold = NodeRef::<html::Details>::new();
    Effect::new(move |is_shown: Option<bool>| {
        // An address that leads here does so once.
        if is_shown == Some(true) {
            return true;
        }
        if !is_known.get() {
            return false;
        }
        if let Some(fold) = fold.get().filter(|_| window().location().hash().is_ok_and(|hash| hash == ADDRESS)) {
            fold.set_open(true);
            fold.scroll_into_view();
            shortcuts::focus(".kind_fold > summary");
        }
        true
    });
    view! {
        <details class="fold kind_fold" node_ref=fold>
            <summary><h2 id="kinds-title">{words::KINDS}</h2>" "<span class="muted">{number_of_types}</span>" "{paused}</summary>
            <Show when=move || !is_known.get()><Loading /></Show>
            <Show
                when=move || !is_empty.get()
                fallback=|| view! { <p class="muted">{words::NO_KIND}</p> }
            >
                <table class="table kind_table" aria-labelledby="kinds-title">
                    <thead>
                        <tr>
                            {words::KIND_COLUMNS.map(|column| view! { <th scope="col">{column}</th> }).collect_view()}
                            <th scope="col"><span class="visually_hidden">{words::ACTIONS}</span></th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || names.get().unwrap_or_default() key=String::clone let:name>
                            <KindRow name actions />
                        </For>
                    </tbody>
                </table>
            </Show>
        </details>
    }
}

/// Opens the job types, for a link that leads to them.
pub fn open() {
    let fold = document().query_selector(".kind_fold").ok().flatten();
    if let Some(fold) = fold.and_then(|fold| fold.dyn_into::<HtmlDetailsElement>().ok()) {
        fold.set_open(true);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KindAction {
    Pause,
    Resume,
    Limit(Option<u32>),
}

impl KindAction {
    /// What the visitor is told about a kind that was acted on.
    fn done(self, kind: &str) -> String {
        match self {
            Self::Pause => words::kind_paused(kind),
            Self::Resume => words::kind_resumed(kind),
            Self::Limit(limit) => words::kind_limited(kind, limit),
        }
    }
}

#[derive(Clone, Copy)]
struct KindActions {
    request: Request,
    /// Kinds with an action that has no answer yet.
    pending: RwSignal<Vec<String>>,
    toasts: Toasts,
    kinds: RwSignal<Option<Vec<JobKind>>>,
}

impl KindActions {
    fn run(self, action: KindAction, kind: String) {
        // The page of an Undo may be gone.
        if self.pending.is_disposed() || untrack(|| self.is_pending(&kind)) {
            return;
        }
        self.pending.update(|pending| pending.push(kind.clone()));
        let name = kind.clone();
        let before = self.state(&kind);
        let request = async move {
            match action {
                KindAction::Pause => api::pause_kind(kind).await,
                KindAction::Resume => api::resume_kind(kind).await,
                KindAction::Limit(limit) => api::limit_kind(kind, limit).await,
            }
        };
        self.request.send(request, move |result| match result {
            Ok(()) => {
                self.toasts.tell(Tone::Info, action.done(&name), self.undo(action, &name));
                // What the stream has sent meanwhile is newer.
                if self.state(&name) == before {
                    self.show(action, &name);
                }
                self.end(&name);
            }
            Err(error) => {
                let tone = if error.is_outcome_unknown() { Tone::Warning } else { Tone::Error };
                self.toasts.tell(tone, words::kind_not_changed(&name, &error), None);
                self.read_again(name);
            }
        });
    }

    /// Whether the kind is paused, and its limit.
    fn state(self, name: &str) -> Option<(bool, Option<u32>)> {
        let kinds = self.kinds.try_get_untracked()??;
        let kind = kinds.iter().find(|kind| kind.kind == name)?;
        Some((kind.paused, kind.limit))
    }

    /// Shows what the action has changed. The stream sends it too, but it may be down.
    fn show(self, action: KindAction, name: &str) {
        let _ = self.kinds.try_update(|kinds| {
            let Some(kind) = kinds.iter_mut().flatten().find(|kind| kind.kind == name) else { return };
            match action {
                KindAction::Pause => kind.paused = true,
                KindAction::Resume => kind.paused = false,
                KindAction::Limit(limit) => kind.limit = limit,
            }
        });
    }

    /// After a failure the page may show a wrong state.
    fn read_again(self, name: String) {
        spawn_local(async move {
            let before = self.kinds.try_get_untracked();
            if let Ok(kinds) = api::job_kinds().await
                // What the stream has sent meanwhile is newer.
                && self.kinds.try_get_untracked() == before
            {
                self.kinds.try_set(Some(kinds));
            }
            self.end(&name);
        });
    }

    fn end(self, name: &str) {
        let _ = self.pending.try_update(|pending| pending.retain(|other| other != name));
    }

    /// Takes a pause back. A resumed kind has started jobs, and a limit is a field away.
    fn undo(self, action: KindAction, kind: &str) -> Option<Undo> {
        let kind = kind.to_owned();
        (action == KindAction::Pause).then(|| -> Undo { Arc::new(move || self.run(KindAction::Resume, kind.clone())) })
    }

    fn is_pending(self, kind: &str) -> bool {
        self.pending.with(|pending| pending.iter().any(|pending| pending == kind))
    }
}

#[component]
fn KindRow(name: String, actions: KindActions) -> impl IntoView {
    let may_act = may_act();
    let kind = {
        let name = name.clone();
        Memo::new(move |_| actions.kinds.with(|kinds| kinds.iter().flatten().find(|kind| kind.kind == name).cloned()))
    };
    let is_paused = Memo::new(move |_| kind.with(|kind| kind.as_ref().is_some_and(|kind| kind.paused)));
    let limit = Memo::new(move |_| kind.with(|kind| kind.as_ref().and_then(|kind| kind.limit)));
    let count = move |class: &'static str, label: &'static str, of: fn(JobCounts) -> u64| {
        let count = Memo::new(move |_| kind.with(|kind| kind.as_ref().map(|kind| of(kind.counts))));
        view! {
            <td class=format!("kind_count {class}") data-label=label data-none=move || (count.get() == Some(0)).then_some("")>
                {move || count.get().map(number)}
            </td>
        }
    };
    let is_pending = {
        let name = name.clone();
        Memo::new(move |_| actions.is_pending(&name))
    };
    let verb = move || if is_paused.get() { words::RESUME } else { words::PAUSE };
    // What the button said when it was pressed: it may say the opposite when it is released.
    let pressed = StoredValue::new(None::<KindAction>);
    let action = move || if is_paused.get_untracked() { KindAction::Resume } else { KindAction::Pause };
    view! {
        <tr>
            <th class="kind_name" scope="row">
                <span class="job_kind">{name.clone()}</span>
                {words::about_kind(&name).map(|about| view! { <span class="kind_about muted">{about}</span> })}
                <Show when=move || is_paused.get()>
                    <span class="state_badge kind_paused"><Icon symbol=Symbol::Pause />{words::PAUSED}</span>
                </Show>
            </th>
            {count("kind_waiting", words::KIND_COLUMNS[1], |counts| counts.waiting)}
            {count("kind_running", words::KIND_COLUMNS[2], |counts| counts.running)}
            {count("kind_later", words::KIND_COLUMNS[3], |counts| counts.scheduled + counts.retrying)}
            {count("kind_dead", words::KIND_COLUMNS[4], |counts| counts.dead)}
            <td class="kind_limit"><KindLimit name=name.clone() limit actions /></td>
            <td class="kind_buttons">
                <span role="status"><Show when=move || is_pending.get()><StillWaiting /></Show></span>
                <Show when=move || may_act.get()>
                    <button
                        class="button button-small"
                        type="button"
                        aria-label={
                            let name = name.clone();
                            move || words::on_kind(verb(), &name)
                        }
                        aria-disabled=move || is_pending.get().then_some("true")
                        on:pointerdown=move |_| pressed.set_value(Some(action()))
                        on:click={
                            let name = name.clone();
                            move |event: leptos::ev::MouseEvent| {
                                let pressed = pressed.try_update_value(Option::take).flatten();
                                match event.detail() {
                                    // By keyboard.
                                    0 => actions.run(action(), name.clone()),
                                    1 => actions.run(pressed.unwrap_or_else(action), name.clone()),
                                    // A double click is one action.
                                    _ => {}
                                }
                            }
                        }
                    >
                        {verb}
                    </button>
                </Show>
            </td>
        </tr>
    }
}

/// How many jobs of a kind may run at once. Operators can change it.
#[component]
fn KindLimit(name: String, limit: Memo<Option<u32>>, actions: KindActions) -> impl IntoView {
    let may_act = may_act();
    let text = move || {
        limit.get().map_or_else(|| words::NO_LIMIT.to_owned(), |limit| words::limited_to(&number(limit.into())))
    };
    view! {
        <Show when=move || may_act.get() fallback=move || view! { <span>{text}</span> }>
            <LimitForm name=name.clone() limit actions />
        </Show>
    }
}

#[component]
fn LimitForm(name: String, limit: Memo<Option<u32>>, actions: KindActions) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let fault = RwSignal::new(None::<&'static str>);
    // Unsent input stays until the limit itself changes.
    Effect::new(move |_| text.set(limit.get().map(|limit| limit.to_string()).unwrap_or_default()));
    // A fault can be sent again: the page then says what is wrong with it.
    let is_same = Memo::new(move |_| text.with(|text| parse_limit(text)) == Ok(limit.get()));
    let error_id = format!("limit-error-{name}");
    let described_by = error_id.clone();
    let pending_name = name.clone();
    let (field_label, button_label) = (words::limit_of(&name), words::set_limit_of(&name));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let wanted = text.with_untracked(|text| parse_limit(text));
        fault.set(wanted.err());
        if let Ok(wanted) = wanted
            && wanted != limit.get_untracked()
        {
            actions.run(KindAction::Limit(wanted), name.clone());
        }
    };
    view! {
        <form class="kind_limit_form" data-label=words::KIND_COLUMNS[5] novalidate on:submit=submit>
            <span class="kind_limit_box">
                <input
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    maxlength="12"
                    placeholder=words::NO_LIMIT
                    aria-label=field_label
                    aria-invalid=move || fault.get().map(|_| "true")
                    aria-describedby=move || fault.get().map(|_| described_by.clone())
                    prop:value=text
                    on:input:target=move |event| {
                        text.set(event.target().value());
                        fault.set(None);
                    }
                />
                <span class="kind_limit_unit" aria-hidden="true">{words::AT_A_TIME}</span>
            </span>
            <button
                class="button button-small"
                type="submit"
                data-same=move || is_same.get().then_some("")
                aria-label=button_label
                aria-disabled=move || (is_same.get() || actions.is_pending(&pending_name)).then_some("true")
            >
                {words::SET}
            </button>
            <p class="field_error" id=error_id role="alert">{move || fault.get()}</p>
        </form>
    }
}

/// The typed limit; `None` if the field is empty. Errors are shown as they are.
fn parse_limit(text: &str) -> Result<Option<u32>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        digits => match digits.parse() {
            Ok(0) => Err(words::LIMIT_OF_ZERO),
            Ok(limit) => Ok(Some(limit)),
            Err(_) => Err(words::NO_NUMBER),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_or_none() {
        for (text, limit) in
            [("", None), ("  ", None), ("1", Some(1)), (" 12 ", Some(12)), ("4294967295", Some(u32::MAX))]
        {
            assert_eq!(parse_limit(text), Ok(limit), "{text:?}");
        }
        for text in ["0", "00", "-1", "1.5", "1,000", "4294967296", "many", "1 2"] {
            assert!(parse_limit(text).is_err(), "{text:?}");
        }
    }
}
