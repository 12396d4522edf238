//! The flags of `lab flags`, `lab second` and `lab compare`.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use api::{FetchSpec, LabOrder, LabSpec, LabStyle, LabWork};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use lab::CountryCode;

use super::{check, duration, whole_ms};

/// The default limit on threads.
const WORKERS: &str = "20";
/// The default count of numbers.
const NUMBERS: usize = 10;
/// The width of pictures if the width of the terminal is unknown.
const COLUMNS: &str = "80";

#[derive(Clone, Debug, Args)]
pub struct LabFlags {
    /// The countries, by their codes; all twenty unless some are named
    #[arg(value_name = "CC")]
    pub codes: Vec<CountryCode>,
    /// Store the flags in this folder, each as CC.svg
    #[arg(long, value_name = "FOLDER")]
    pub save: Option<PathBuf>,
    #[command(flatten)]
    pub method: LabMethod,
    #[command(flatten)]
    pub requests: LabRequests,
}

#[derive(Clone, Debug, Args)]
pub struct LabSecond {
    #[command(flatten)]
    pub method: LabMethod,
    #[command(flatten)]
    pub requests: LabRequests,
}

#[derive(Clone, Debug, Args)]
pub struct LabCompare {
    /// What to ask for
    #[arg(default_value = "flags", value_name = "WORK", value_parser = one_of(LabWork::ALL, LabWork::as_str))]
    pub work: LabWork,
    /// Also with futures, which are as quick as threads
    #[arg(long)]
    pub futures: bool,
    /// How wide the pictures are
    #[arg(long, env = "COLUMNS", default_value = COLUMNS, hide_env_values = true, value_name = "N", value_parser = columns)]
    pub columns: usize,
    #[command(flatten)]
    pub requests: LabRequests,
}

/// What a comparison varies by itself.
#[derive(Clone, Debug, Args)]
pub struct LabMethod {
    /// Which requests wait for which
    #[arg(long, default_value = "threads", value_parser = one_of(LabStyle::ALL, LabStyle::as_str))]
    pub style: LabStyle,
    /// In which order results are taken; means something for futures only
    #[arg(long, default_value = "completion", value_parser = one_of(LabOrder::ALL, LabOrder::as_str))]
    pub order: LabOrder,
}

#[derive(Clone, Debug, Args)]
pub struct LabRequests {
    /// How many threads there are at most, in the styles that have threads
    // The server's flag of this name is global. With the same id, this one replaces it.
    #[arg(id = "workers", long = "workers", default_value = WORKERS, value_name = "N")]
    pub workers: NonZeroUsize,
    /// How many requests [default: one for each country, or 10 numbers]
    #[arg(long, value_name = "N")]
    pub count: Option<u32>,
    /// How long the server waits with each answer [default: 250ms for flags, 2s for numbers]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub latency: Option<Duration>,
    /// By how much its wait differs from this, either way [default: 100ms for flags, 0s for numbers]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub jitter: Option<Duration>,
    /// How long each answer is waited for; then it counts as failed
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Print all that happened as one JSON document
    #[arg(long)]
    pub json: bool,
    /// A server on this machine whose lab to ask, http://HOST:PORT; without it, one of the command's own
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Ask a server that is not on this machine. Only with its owner's consent
    #[arg(long, requires = "base_url")]
    pub allow_remote: bool,
}

impl LabFlags {
    pub fn spec(&self) -> anyhow::Result<FetchSpec> {
        self.requests.spec(LabWork::Flags, &self.method, self.countries().len())
    }

    /// The named countries, or all.
    pub fn countries(&self) -> Vec<CountryCode> {
        if self.codes.is_empty() { CountryCode::all().collect() } else { self.codes.clone() }
    }
}

impl LabSecond {
    pub fn spec(&self) -> anyhow::Result<FetchSpec> {
        self.requests.spec(LabWork::Second, &self.method, NUMBERS)
    }
}

impl LabCompare {
    /// One for each style; the others are compared with the first.
    pub fn specs(&self) -> anyhow::Result<Vec<FetchSpec>> {
        let count = match self.work {
            LabWork::Flags => CountryCode::all().len(),
            LabWork::Second => NUMBERS,
        };
        let styles = LabStyle::ALL.into_iter().filter(|style| self.futures || *style != LabStyle::Futures);
        let methods = styles.map(|style| LabMethod { style, order: LabOrder::Completion });
        methods.map(|method| self.requests.spec(self.work, &method, count)).collect()
    }
}

impl LabRequests {
    /// Fails if a value is out of bounds.
    fn spec(&self, work: LabWork, method: &LabMethod, default_count: usize) -> anyhow::Result<FetchSpec> {
        let (latency_ms, jitter_ms) = match work {
            LabWork::Flags => (250, 100),
            LabWork::Second => (2_000, 0),
        };
        let latency_ms = self.latency.map_or(latency_ms, whole_ms);
        let spec = FetchSpec {
            work,
            style: method.style,
            count: self.count.unwrap_or(u32::try_from(default_count).unwrap_or(u32::MAX)),
            workers: u32::try_from(self.workers.get()).unwrap_or(u32::MAX),
            latency_ms,
            jitter_ms: self.jitter.map_or(latency_ms.min(jitter_ms), whole_ms),
            order: method.order,
            timeout_ms: self.timeout.map(whole_ms),
        };
        // The limit on a run's duration is for servers, where other runs wait. A concurrent run always stays below it,
        // so only the other bounds are checked.
        check(&LabSpec::Fetch(FetchSpec { style: LabStyle::Async, ..spec.clone() }))?;
        Ok(spec)
    }

    /// A server's `--workers` can come from the environment, and clap then sets this flag of the same name too. The
    /// lab's flag comes only from the command line or its default.
    pub(super) fn forget_environment(&mut self, matches: &ArgMatches) {
        if matches.value_source("workers") == Some(ValueSource::EnvVariable) {
            self.workers = WORKERS.parse().expect("a number");
        }
    }
}

fn one_of<T, const N: usize>(all: [T; N], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(word))
        .map(move |text| all.into_iter().find(|value| word(*value) == text).expect("one of the possible values"))
}

/// Shells and containers set COLUMNS to all sorts of values, so no value is an error.
fn columns(text: &str) -> Result<usize, Infallible> {
    let usual: usize = COLUMNS.parse().expect("a number");
    Ok(text.parse().ok().filter(|columns| *columns > 0).unwrap_or(usual).clamp(40, 300))
}
