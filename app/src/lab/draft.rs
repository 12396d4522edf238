//! What is typed and chosen in the lab's forms, and the runs that it describes.

use api::{
    ApiError, DatabaseSpec, ErrorCode, FetchSpec, LabOrder, LabSpec, LabStyle, LabWork, RequestSpec,
    WRITE_DELAY_LIMIT_MS,
};
use leptos::prelude::*;

/// The form for a run with requests.
#[derive(Clone, Copy)]
pub struct FetchDraft {
    pub work: RwSignal<LabWork>,
    pub style: RwSignal<LabStyle>,
    pub order: RwSignal<LabOrder>,
    pub count: RwSignal<String>,
    pub workers: RwSignal<String>,
    pub latency_ms: RwSignal<String>,
    pub jitter_ms: RwSignal<String>,
    pub timeout_ms: RwSignal<String>,
}

/// The form for a run with the database.
#[derive(Clone, Copy)]
pub struct DatabaseDraft {
    pub batches: RwSignal<String>,
    pub tasks_per_batch: RwSignal<String>,
    pub hold_ms: RwSignal<String>,
    pub failing: RwSignal<String>,
    pub panicking: RwSignal<String>,
    pub aborted: RwSignal<String>,
}

/// The form for the trap.
#[derive(Clone, Copy)]
pub struct RequestDraft {
    pub delay_ms: RwSignal<String>,
}

/// Ten requests of two seconds on ten threads.
const FIRST: FetchSpec = FetchSpec {
    work: LabWork::Second,
    style: LabStyle::Threads,
    count: 10,
    workers: 10,
    latency_ms: 2_000,
    jitter_ms: 0,
    order: LabOrder::Input,
    timeout_ms: None,
};

/// Suggested runs, with their names.
pub const PRESETS: [(&str, FetchSpec); 5] = [
    ("10 × 2 s in sequence", FetchSpec { style: LabStyle::Sequential, ..FIRST }),
    ("10 on 10 threads", FIRST),
    ("100 async", FetchSpec { style: LabStyle::Async, count: 100, ..FIRST }),
    ("20 flags", FetchSpec { work: LabWork::Flags, count: 20, workers: 20, latency_ms: 500, jitter_ms: 250, ..FIRST }),
    ("1,000 async", FetchSpec { style: LabStyle::Async, count: 1_000, ..FIRST }),
];

/// The styles that a comparison runs, one after the other.
pub const COMPARED: [LabStyle; 3] = [LabStyle::Sequential, LabStyle::Threads, LabStyle::Async];

impl FetchDraft {
    #[must_use]
    pub fn new() -> Self {
        let text = || RwSignal::new(String::new());
        let draft = Self {
            work: RwSignal::new(FIRST.work),
            style: RwSignal::new(FIRST.style),
            order: RwSignal::new(FIRST.order),
            count: text(),
            workers: text(),
            latency_ms: text(),
            jitter_ms: text(),
            timeout_ms: text(),
        };
        draft.fill(&FIRST);
        draft
    }

    pub fn fill(self, spec: &FetchSpec) {
        self.work.set(spec.work);
        self.style.set(spec.style);
        self.order.set(spec.order);
        self.count.set(spec.count.to_string());
        self.workers.set(spec.workers.to_string());
        self.latency_ms.set(spec.latency_ms.to_string());
        self.jitter_ms.set(spec.jitter_ms.to_string());
        self.timeout_ms.set(spec.timeout_ms.map(|ms| ms.to_string()).unwrap_or_default());
    }

    /// The run that the form describes, or the error of a field. Tracked.
    pub fn spec(self) -> Result<LabSpec, ApiError> {
        let style = self.style.get();
        let workers = self.workers.with(|text| whole("workers", text));
        let spec = LabSpec::Fetch(FetchSpec {
            work: self.work.get(),
            style,
            order: if style == LabStyle::Futures { self.order.get() } else { LabOrder::Input },
            count: self.count.with(|text| whole("count", text))?,
            // A hidden field must not cause an error.
            workers: if style.has_workers() { workers? } else { 1 },
            latency_ms: self.latency_ms.with(|text| whole("latency_ms", text))?,
            jitter_ms: self.jitter_ms.with(|text| whole("jitter_ms", text))?,
            timeout_ms: self.timeout_ms.with(|text| whole_or_none("timeout_ms", text))?,
        });
        spec.check().map(|()| spec)
    }

    /// The same work in each compared style, or why one of them cannot run. Tracked.
    pub fn compared(self) -> Result<Vec<LabSpec>, ApiError> {
        let LabSpec::Fetch(spec) = self.spec()? else { return Ok(vec![]) };
        let workers = self.workers.with(|text| whole("workers", text)).unwrap_or(FIRST.workers);
        let spec = FetchSpec { workers, order: LabOrder::Input, ..spec };
        let specs = COMPARED.map(|style| LabSpec::Fetch(FetchSpec { style, ..spec.clone() }));
        specs.iter().try_for_each(LabSpec::check)?;
        Ok(specs.to_vec())
    }
}

impl DatabaseDraft {
    #[must_use]
    pub fn new() -> Self {
        let text = |value: u32| RwSignal::new(value.to_string());
        Self {
            batches: text(10),
            tasks_per_batch: text(100),
            hold_ms: text(20),
            failing: text(5),
            panicking: text(5),
            aborted: text(5),
        }
    }

    /// The run that the form describes, or the error of a field. Tracked.
    pub fn spec(self) -> Result<LabSpec, ApiError> {
        let spec = LabSpec::Database(DatabaseSpec {
            batches: self.batches.with(|text| whole("batches", text))?,
            tasks_per_batch: self.tasks_per_batch.with(|text| whole("tasks_per_batch", text))?,
            hold_ms: self.hold_ms.with(|text| whole("hold_ms", text))?,
            failing: self.failing.with(|text| whole("failing", text))?,
            panicking: self.panicking.with(|text| whole("panicking", text))?,
            aborted: self.aborted.with(|text| whole("aborted", text))?,
        });
        spec.check().map(|()| spec)
    }
}

impl RequestDraft {
    #[must_use]
    pub fn new() -> Self {
        Self { delay_ms: RwSignal::new(WRITE_DELAY_LIMIT_MS.to_string()) }
    }

    /// The run that the form describes, or the error of its field. Tracked.
    pub fn spec(self) -> Result<LabSpec, ApiError> {
        let spec = LabSpec::Request(RequestSpec { delay_ms: self.delay_ms.with(|text| whole("delay_ms", text))? });
        spec.check().map(|()| spec)
    }
}

fn whole(field: &str, text: &str) -> Result<u32, ApiError> {
    let fault = |_| ApiError::at(ErrorCode::Invalid, field, "A whole number.");
    text.trim().parse().map_err(fault)
}

fn whole_or_none(field: &str, text: &str) -> Result<Option<u32>, ApiError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let fault = |_| ApiError::at(ErrorCode::Invalid, field, "A whole number, or nothing for no limit.");
    text.trim().parse().map(Some).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_runs_are_valid() {
        for (name, spec) in PRESETS {
            assert_eq!(LabSpec::Fetch(spec).check(), Ok(()), "{name}");
        }
        Owner::new().with(|| {
            assert_eq!(FetchDraft::new().spec(), Ok(LabSpec::Fetch(FIRST)));
            assert!(DatabaseDraft::new().spec().is_ok());
            assert!(RequestDraft::new().spec().is_ok());
            assert_eq!(FetchDraft::new().compared().map(|specs| specs.len()), Ok(3));
        });
    }

    #[test]
    fn a_hidden_field_causes_no_error() {
        Owner::new().with(|| {
            let draft = FetchDraft::new();
            draft.workers.set("many".to_owned());
            assert_eq!(draft.spec().map_err(|error| error.field), Err(Some("workers".to_owned())));
            draft.style.set(LabStyle::Async);
            assert!(draft.spec().is_ok());
        });
    }

    #[test]
    fn work_that_takes_too_long_in_sequence_is_not_compared() {
        Owner::new().with(|| {
            let draft = FetchDraft::new();
            draft.fill(&PRESETS[4].1);
            assert!(draft.spec().is_ok());
            assert_eq!(draft.compared().map_err(|error| error.code), Err(ErrorCode::Invalid));
        });
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!((whole("count", " 12 "), whole_or_none("count", " ")), (Ok(12), Ok(None)));
        for text in ["", "1.5", "-1", "ten", "1,000"] {
            assert_eq!(whole("count", text).map_err(|error| error.field), Err(Some("count".to_owned())), "{text:?}");
        }
        assert!(whole_or_none("timeout_ms", "soon").is_err());
    }
}
