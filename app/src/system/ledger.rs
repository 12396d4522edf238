//! The ledger: an equation that accounts for every accepted search.

use api::{JobState, Ledger, MissingSearch};
use leptos::prelude::*;

use crate::platform::url;
use crate::system::words;
use crate::ui::format;
use crate::ui::icon::{Icon, Symbol};
use crate::ui::notice::{Notice, Tone};

#[component]
pub fn LedgerSection(
    /// `None` while the database does not answer.
    ledger: Option<Ledger>,
    missing: Vec<MissingSearch>,
) -> impl IntoView {
    let known = |ledger: Ledger| {
        let text = verdict(&ledger);
        let verdict = match ledger.drift() {
            0 => view! { <p class="ledger_verdict"><Icon symbol=Symbol::State(JobState::Done) />{text}</p> }.into_any(),
            _ => view! { <Notice tone=Tone::Error text /> }.into_any(),
        };
        view! { <Equation ledger /><LedgerBar ledger />{verdict} }.into_any()
    };
    let unknown = || view! { <p class="muted">{words::LEDGER_UNKNOWN}</p> }.into_any();
    view! {
        <section class="ledger" aria-labelledby="ledger-title">
            <h2 id="ledger-title" tabindex="-1">{words::LEDGER}</h2>
            {ledger.map_or_else(unknown, known)}
            {(!missing.is_empty()).then(|| view! { <MissingSearches missing /> })}
        </section>
    }
}

/// `accepted` = what is in the log + what is being written + what was stopped, if anything was, + what is lost. A place links to its searches; if those are
/// in several states, each of these does.
#[component]
fn Equation(ledger: Ledger) -> impl IntoView {
    let link = |(part, count): (Part, u64)| {
        view! {
            <a class="ledger_link" href=address(part)>{format::number(count)}" "<span>{color(part)}</span></a>
        }
    };
    let place = |place: Place| {
        let operator = match place {
            // What is lost is part of the sum.
            Place::InTheLog if ledger.drift() >= 0 => "=",
            Place::InTheLog => "≠",
            Place::BeingWritten | Place::Stopped | Place::Lost => "+",
        };
        let face = view! {
            <Icon symbol=Symbol::State(place.state(&ledger)) />
            <strong>{format::number(place.count(&ledger))}</strong>
            " "
            <span>{place.label()}</span>
        };
        let state = place.state(&ledger).as_str();
        let parts: Vec<(Part, u64)> = place.parts(&ledger).filter(|&(_, count)| count > 0).collect();
        let only = match (place, parts.as_slice()) {
            (Place::InTheLog, _) => Some(Some(JobState::Done)),
            // What is spooled is said even if all is: the database does not answer.
            (_, &[(part @ Some(_), _)]) => Some(part),
            _ => None,
        };
        let head = match only {
            Some(part) => {
                view! { <a class="ledger_link ledger_place" href=address(part) data-state=state>{face}</a> }.into_any()
            }
            None => view! { <span class="ledger_place" data-state=state>{face}</span> }.into_any(),
        };
        let states = if only.is_some() { vec![] } else { parts };
        let states = states.into_iter().map(link).collect_view();
        view! {
            <li class="ledger_part">
                <span class="ledger_operator">{operator}</span>
                {head}
                <span class="ledger_states">{states}</span>
            </li>
        }
    };
    view! {
        <div class="ledger_equation">
            <p class="ledger_accepted">
                <strong>{format::number(ledger.accepted)}</strong>
                <span class="muted">{words::ACCEPTED}</span>
            </p>
            <ol class="ledger_parts" aria-label=words::WHERE_ACCEPTED>{Place::shown(&ledger).map(place).collect_view()}</ol>
        </div>
    }
}

/// The equation as a bar, in which each part has its share.
#[component]
fn LedgerBar(ledger: Ledger) -> impl IntoView {
    let segment = |(color, count): (&'static str, u64)| {
        view! {
            <span
                class="ledger_segment"
                data-state=color
                hidden=count == 0
                style:flex-grow=count.to_string()
            ></span>
        }
    };
    let parts = parts(&ledger).map(|(part, count)| (color(part), count));
    let nowhere = ("nowhere", ledger.drift().max(0).unsigned_abs());
    view! {
        <div class="ledger_bar" role="img" aria-label=sentence(&ledger)>
            {parts.into_iter().chain([nowhere]).map(segment).collect_view()}
        </div>
    }
}

/// The searches that explain a drift.
#[component]
fn MissingSearches(missing: Vec<MissingSearch>) -> impl IntoView {
    let row = |MissingSearch { search, job, what }: MissingSearch| {
        let job = job.map(|job| view! { <a href=url::of_job(job)>{format!("#{}", job.0)}</a> });
        view! {
            <tr>
                <th scope="row"><code>{search.to_string()}</code></th>
                <td class="missing_job">{job.map_or_else(|| words::NO_JOB.into_any(), IntoAny::into_any)}</td>
                <td>{what}</td>
            </tr>
        }
    };
    view! {
        <table class="table missing_searches">
            <caption>{words::MISSING}</caption>
            <thead>
                <tr>{words::MISSING_COLUMNS.map(|column| view! { <th scope="col">{column}</th> }).collect_view()}</tr>
            </thead>
            <tbody>{missing.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

/// A part of the equation: searches whose jobs are in this state, or which are in the spool and have no job yet.
type Part = Option<JobState>;

/// The parts in the order in which they are added up, with their counts.
fn parts(ledger: &Ledger) -> [(Part, u64); 8] {
    [
        (Some(JobState::Done), ledger.recorded),
        (Some(JobState::Scheduled), ledger.scheduled),
        (Some(JobState::Waiting), ledger.waiting),
        (Some(JobState::Running), ledger.running),
        (Some(JobState::Retrying), ledger.retrying),
        (Some(JobState::Dead), ledger.dead),
        (Some(JobState::Cancelled), ledger.cancelled),
        (None, ledger.spooled),
    ]
}

/// Where accepted searches are, as the visitors' ledger says it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    InTheLog,
    BeingWritten,
    /// Dead or cancelled: an administrator decides.
    Stopped,
    /// Accepted, and nowhere to be found.
    Lost,
}

impl Place {
    const ALL: [Self; 4] = [Self::InTheLog, Self::BeingWritten, Self::Stopped, Self::Lost];

    /// Those of the equation.
    fn shown(ledger: &Ledger) -> impl Iterator<Item = Self> + use<> {
        let has_stopped = Self::Stopped.count(ledger) > 0;
        Self::ALL.into_iter().filter(move |&place| place != Self::Stopped || has_stopped)
    }

    fn of(part: Part) -> Self {
        match part {
            Some(JobState::Done) => Self::InTheLog,
            Some(JobState::Dead | JobState::Cancelled) => Self::Stopped,
            _ => Self::BeingWritten,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::InTheLog => words::IN_THE_LOG,
            Self::BeingWritten => words::BEING_WRITTEN,
            Self::Stopped => words::STOPPED,
            Self::Lost => words::LOST,
        }
    }

    fn parts(self, ledger: &Ledger) -> impl Iterator<Item = (Part, u64)> + use<> {
        parts(ledger).into_iter().filter(move |&(part, _)| Self::of(part) == self)
    }

    fn count(self, ledger: &Ledger) -> u64 {
        match self {
            Self::Lost => ledger.drift().max(0).unsigned_abs(),
            _ => self.parts(ledger).map(|(_, count)| count).sum(),
        }
    }

    /// The state that gives the place its symbol and colour.
    fn state(self, ledger: &Ledger) -> JobState {
        match self {
            Self::InTheLog => JobState::Done,
            Self::BeingWritten => JobState::Running,
            Self::Stopped if ledger.dead > 0 => JobState::Dead,
            Self::Stopped => JobState::Cancelled,
            Self::Lost if ledger.drift() > 0 => JobState::Dead,
            Self::Lost => JobState::Done,
        }
    }
}

/// The state that gives a part its colour.
fn color(part: Part) -> &'static str {
    part.map_or(words::SPOOLED, JobState::as_str)
}

/// The page that shows the searches of a part.
fn address(part: Part) -> String {
    match part {
        Some(JobState::Done) => "/viewlog".to_owned(),
        Some(state) => url::with_query("/jobs", &[("state", Some(state.as_str()))]),
        // Further down on the same page.
        None => "#spool-title".to_owned(),
    }
}

/// The equation as a sentence, for screen readers.
fn sentence(ledger: &Ledger) -> String {
    let places = Place::ALL.into_iter().map(|place| (place.count(ledger), place.label()));
    let parts = places.filter(|&(count, _)| count > 0);
    let parts: Vec<String> = parts.map(|(count, label)| format!("{} {label}", format::number(count))).collect();
    let parts = if parts.is_empty() { words::NONE_ANYWHERE.to_owned() } else { parts.join(", ") };
    words::ledger(ledger.accepted, &parts)
}

fn verdict(ledger: &Ledger) -> String {
    match ledger.drift() {
        0 => words::accounted_for(ledger.accepted),
        drift => words::drifted(drift),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: Ledger = Ledger {
        accepted: 1_036,
        recorded: 1_000,
        scheduled: 1,
        waiting: 2,
        running: 3,
        retrying: 4,
        dead: 5,
        cancelled: 6,
        spooled: 15,
    };

    #[test]
    fn the_parts_add_up_to_what_was_accepted() {
        assert_eq!(LEDGER.drift(), 0);
        assert_eq!(parts(&LEDGER).into_iter().map(|(_, count)| count).sum::<u64>(), LEDGER.accepted);
    }

    #[test]
    fn each_part_is_in_one_place() {
        assert_eq!(Place::ALL.map(|place| place.count(&LEDGER)), [1_000, 25, 11, 0]);
        let missing = Ledger { accepted: LEDGER.accepted + 2, ..LEDGER };
        assert_eq!(Place::ALL.map(|place| place.count(&missing)).into_iter().sum::<u64>(), missing.accepted);
    }

    #[test]
    fn each_part_links_to_its_searches() {
        assert_eq!(address(Some(JobState::Done)), "/viewlog");
        assert_eq!(address(Some(JobState::Dead)), "/jobs?state=dead");
        assert_eq!(address(None), "#spool-title");
    }

    #[test]
    fn the_sentence_leaves_out_empty_places() {
        let quiet = Ledger { accepted: 1_016, recorded: 1_000, dead: 1, spooled: 15, ..Ledger::default() };
        assert_eq!(sentence(&quiet), "1,016 accepted: 1,000 in the log, 15 being written, 1 stopped");
        assert_eq!(sentence(&Ledger::default()), "0 accepted: none anywhere");
    }

    #[test]
    fn the_verdict_says_in_which_direction_the_ledger_drifts() {
        let drifted = |missing: u64| verdict(&Ledger { accepted: LEDGER.accepted + missing, ..LEDGER });
        assert_eq!(drifted(0), "All 1,036 searches accounted for");
        assert_eq!(drifted(1), "Drift 1: one accepted search is nowhere.");
        assert_eq!(drifted(1_204), "Drift 1,204: 1,204 accepted searches are nowhere.");
        let doubled = |twice: u64| verdict(&Ledger { recorded: LEDGER.recorded + twice, ..LEDGER });
        assert_eq!(doubled(1), "Drift \u{2212}1: one search is in two places.");
        assert_eq!(doubled(2), "Drift \u{2212}2: 2 searches are in two places.");
    }
}
