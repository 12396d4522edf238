//! A defect in the server ends one answer, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{ErrorCode, SearchAnswer};
use server::platform::random::Random;

use crate::site::Site;

#[tokio::test]
async fn a_panic_becomes_an_answer_that_tells_nothing_of_the_inside() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let random = Random::from_source({
        let (is_broken, system) = (is_broken.clone(), Random::system());
        move |bytes| {
            assert!(!is_broken.load(Ordering::SeqCst), "no more randomness in /dev/secret");
            bytes.fill_with(|| system.bytes::<1>()[0]);
        }
    });
    let site = Site::plan().random(random).start().await;
    is_broken.store(true, Ordering::SeqCst);
    let answer = site.searching(&[("phrase", "an id is needed")]).send().await;
    let message = answer.refused(500, ErrorCode::Internal, None);
    assert!(!message.contains("secret"), "{message}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    is_broken.store(false, Ordering::SeqCst);
    let _: SearchAnswer = site.searching(&[("phrase", "again")]).send().await.ok();
}
