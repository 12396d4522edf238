//! Random sequences of the queue's verbs, against a queue simple enough to be seen to be right.

mod verbs;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};
use tests::workload::cases;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::database::Database;
use crate::promises::modelled::verbs::{Run, verb};

pub(crate) async fn any_sequence_of_verbs_does_what_the_model_does<D: Database>(_first: D) {
    // A case costs a database of its own; a failing one is shrunk, and shown with its verbs.
    let config = Config { cases: cases(D::CASES), failure_persistence: None, ..Config::default() };
    let outcome = block_in_place(|| {
        TestRunner::new(config).run(&vec(verb(), 1..60), |verbs| {
            Handle::current().block_on(async {
                let mut run = Run::on(D::create().await);
                for verb in verbs {
                    run.step(&verb).await;
                }
            });
            Ok(())
        })
    });
    outcome.unwrap();
}
