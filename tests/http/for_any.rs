//! Properties that hold whatever is asked, tried on one site.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use tests::workload::cases;
use tokio::runtime::{Builder, Runtime};

use crate::request::Answer;
use crate::site::{Plan, Site};

/// The largest answer to any one request that does not ask for rows: a phrase and letters at their limits,
/// each character written as six, and the results twice.
const LARGEST_ANSWER: usize = 128 * 1024;

/// A site, somebody who may do all that can be done there, and the runtime that it lives in: proptest's own
/// code is not async.
pub struct Trial {
    pub runtime: Runtime,
    pub site: Site,
    pub admin: String,
}

impl Trial {
    pub fn on(plan: Plan) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let (site, admin) = runtime.block_on(async {
            let site = plan.start().await;
            let admin = site.admin().await;
            (site, admin)
        });
        Self { runtime, site, admin }
    }

    /// Panics with the smallest input found for which `check` panics.
    pub fn holds<S: Strategy>(&self, usual_cases: u32, inputs: &S, check: impl AsyncFn(&Self, S::Value)) {
        let config = Config { cases: cases(usual_cases), failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(inputs, |input| {
            self.runtime.block_on(check(self, input));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}

impl Answer {
    /// Makes sure that this answers whatever was asked under `/api/`: granted, or refused in the promised form
    /// and with a status that blames the request.
    #[track_caller]
    pub fn is_fit(&self) {
        assert!(self.body.len() <= LARGEST_ANSWER, "{} bytes", self.body.len());
        if self.status.is_success() {
            return;
        }
        let error = self.refusal();
        assert!(self.status.is_client_error(), "{} {error}", self.status);
        assert!(error.message.chars().count() < 400, "a sentence: {error}");
    }
}
