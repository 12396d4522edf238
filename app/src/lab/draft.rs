//! What is typed and chosen in the lab's forms, and the runs that it describes.

use api::{
    ApiError, DatabaseSpec, ErrorCode, FetchSpec, LabOrder, LabSpec, LabStyle, LabWork, REQUESTS_LIMIT, RequestSpec,
    WORKERS_LIMIT, WRITE_DELAY_LIMIT_MS,
};
use leptos::prelude::*;

use crate::lab::comparison;
use crate::lab::words::form as words;

/// A number as typed.
#[derive(Clone, Copy)]
pub struct NumberInput {
    /// The field's name in requests and errors.
    pub name: &'static str,
    pub text: RwSignal<String>,
}

impl NumberInput {
    fn new(name: &'static str, text: &str) -> Self {
        Self { name, text: RwSignal::new(text.to_owned()) }
    }

    fn whole(self) -> Result<u32, ApiError> {
        let error = |_| ApiError::at(ErrorCode::Invalid, self.name, words::WHOLE_NUMBER);
        self.text.with(|text| text.trim().parse()).map_err(error)
    }

    fn whole_or_none(self) -> Result<Option<u32>, ApiError> {
        if self.text.with(|text| text.trim().is_empty()) {
            return Ok(None);
        }
        let error = |_| ApiError::at(ErrorCode::Invalid, self.name, words::WHOLE_NUMBER_OR_NONE);
        self.text.with(|text| text.trim().parse()).map(Some).map_err(error)
    }
}

/// The form for a run with requests.
#[derive(Clone, Copy)]
pub struct FetchDraft {
    pub work: RwSignal<LabWork>,
    pub style: RwSignal<LabStyle>,
    pub order: RwSignal<LabOrder>,
    pub count: NumberInput,
    pub workers: NumberInput,
    pub latency_ms: NumberInput,
    pub jitter_ms: NumberInput,
    pub timeout_ms: NumberInput,
}

/// The form for a run with the database.
#[derive(Clone, Copy)]
pub struct DatabaseDraft {
    pub batches: NumberInput,
    pub tasks_per_batch: NumberInput,
    pub hold_ms: NumberInput,
    pub failing: NumberInput,
    pub panicking: NumberInput,
    pub aborted: NumberInput,
}

/// The form for the trap.
#[derive(Clone, Copy)]
pub struct RequestDraft {
    pub delay_ms: NumberInput,
}

pub const FIRST: FetchSpec = FetchSpec::FIRST;

/// As many requests as a run may have, on as many threads.
pub const MANY: FetchSpec = FetchSpec { count: REQUESTS_LIMIT, workers: WORKERS_LIMIT, latency_ms: 1_000, ..FIRST };

/// Suggested work.
pub const PRESETS: [FetchSpec; 4] = [
    FIRST,
    FetchSpec { workers: 4, ..FIRST },
    FetchSpec { work: LabWork::Flags, count: 20, workers: 20, latency_ms: 500, jitter_ms: 250, ..FIRST },
    MANY,
];

impl FetchDraft {
    pub fn new() -> Self {
        let draft = Self {
            work: RwSignal::new(FIRST.work),
            style: RwSignal::new(FIRST.style),
            order: RwSignal::new(FIRST.order),
            count: NumberInput::new("count", ""),
            workers: NumberInput::new("workers", ""),
            latency_ms: NumberInput::new("latency_ms", ""),
            jitter_ms: NumberInput::new("jitter_ms", ""),
            timeout_ms: NumberInput::new("timeout_ms", ""),
        };
        draft.fill(&FIRST);
        draft
    }

    pub fn fill(self, spec: &FetchSpec) {
        self.work.set(spec.work);
        self.style.set(spec.style);
        self.order.set(spec.order);
        self.count.text.set(spec.count.to_string());
        self.workers.text.set(spec.workers.to_string());
        self.latency_ms.text.set(spec.latency_ms.to_string());
        self.jitter_ms.text.set(spec.jitter_ms.to_string());
        self.timeout_ms.text.set(spec.timeout_ms.map(|ms| ms.to_string()).unwrap_or_default());
    }

    /// The run of the chosen style alone, or the error of a field. Tracked.
    pub fn spec(self) -> Result<LabSpec, ApiError> {
        let style = self.style.get();
        let workers = self.workers.whole();
        let spec = LabSpec::Fetch(FetchSpec {
            style,
            order: if style == LabStyle::Futures { self.order.get() } else { LabOrder::Input },
            // A field that the style ignores must not cause an error.
            workers: if style.has_workers() { workers? } else { 1 },
            ..self.work()?
        });
        spec.check().map(|()| spec)
    }

    /// What all styles have in common.
    fn work(self) -> Result<FetchSpec, ApiError> {
        Ok(FetchSpec {
            work: self.work.get(),
            count: self.count.whole()?,
            latency_ms: self.latency_ms.whole()?,
            jitter_ms: self.jitter_ms.whole()?,
            timeout_ms: self.timeout_ms.whole_or_none()?,
            ..FIRST
        })
    }

    /// The same work in each style that can run, or the error of a field. Tracked.
    pub fn compared(self) -> Result<Vec<FetchSpec>, ApiError> {
        comparison::specs(&FetchSpec { workers: self.workers.whole()?, ..self.work()? })
    }

    /// Whether the fields that all styles have in common are those of `spec`. Tracked.
    pub fn describes(self, spec: &FetchSpec) -> bool {
        let described = || Ok::<_, ApiError>(FetchSpec { workers: self.workers.whole()?, ..self.work()? });
        described().is_ok_and(|described| comparison::in_style(&described, spec.style) == *spec)
    }

    /// The work as far as it can be read, for a picture of what it will be. Tracked.
    pub fn sketch(self) -> FetchSpec {
        let spec = || Ok::<_, ApiError>(FetchSpec { workers: self.workers.whole()?, ..self.work()? });
        spec().unwrap_or(FIRST)
    }
}

impl DatabaseDraft {
    pub fn new() -> Self {
        Self {
            batches: NumberInput::new("batches", "10"),
            tasks_per_batch: NumberInput::new("tasks_per_batch", "100"),
            hold_ms: NumberInput::new("hold_ms", "20"),
            failing: NumberInput::new("failing", "5"),
            panicking: NumberInput::new("panicking", "5"),
            aborted: NumberInput::new("aborted", "5"),
        }
    }

    /// The run that the form describes, or the error of a field. Tracked.
    pub fn spec(self) -> Result<LabSpec, ApiError> {
        let spec = LabSpec::Database(DatabaseSpec {
            batches: self.batches.whole()?,
            tasks_per_batch: self.tasks_per_batch.whole()?,
            hold_ms: self.hold_ms.whole()?,
            failing: self.failing.whole()?,
            panicking: self.panicking.whole()?,
            aborted: self.aborted.whole()?,
        });
        spec.check().map(|()| spec)
    }
}

impl RequestDraft {
    pub fn new() -> Self {
        Self { delay_ms: NumberInput::new("delay_ms", &WRITE_DELAY_LIMIT_MS.to_string()) }
    }

    /// The run that the form describes, or the error of its field. Tracked.
    pub fn spec(self) -> Result<LabSpec, ApiError> {
        let spec = LabSpec::Request(RequestSpec { delay_ms: self.delay_ms.whole()? });
        spec.check().map(|()| spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_runs_are_valid() {
        for spec in PRESETS {
            assert_eq!(LabSpec::Fetch(spec.clone()).check(), Ok(()), "{spec:?}");
        }
        Owner::new().with(|| {
            assert_eq!(FetchDraft::new().spec(), Ok(LabSpec::Fetch(FIRST)));
            assert!(DatabaseDraft::new().spec().is_ok());
            assert!(RequestDraft::new().spec().is_ok());
            for (spec, styles) in PRESETS.iter().zip([4, 4, 4, 3]) {
                let draft = FetchDraft::new();
                draft.fill(spec);
                assert_eq!(draft.compared().map(|specs| specs.len()), Ok(styles), "{spec:?}");
            }
        });
    }

    #[test]
    fn a_hidden_field_causes_no_error() {
        Owner::new().with(|| {
            let draft = FetchDraft::new();
            draft.workers.text.set("many".to_owned());
            assert_eq!(draft.sketch(), FIRST);
            assert_eq!(draft.spec().map_err(|error| error.field), Err(Some("workers".to_owned())));
            draft.style.set(LabStyle::Async);
            assert!(draft.spec().is_ok());
        });
    }

    #[test]
    fn numbers_are_whole() {
        Owner::new().with(|| {
            let input = |text| NumberInput::new("count", text);
            assert_eq!((input(" 12 ").whole(), input(" ").whole_or_none()), (Ok(12), Ok(None)));
            for text in ["", "1.5", "-1", "ten", "1,000"] {
                let field = input(text).whole().map_err(|error| error.field);
                assert_eq!(field, Err(Some("count".to_owned())), "{text:?}");
            }
            assert!(input("soon").whole_or_none().is_err());
        });
    }
}
