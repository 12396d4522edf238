//! Everything is copied.

use api::{LogSeq, Role};
use fastrand::Rng;
use futures::TryStreamExt;
use store::{AttemptResult, LogSpan, NewAccount, SearchRecord};
use tests::builders::{
    START, account, account_of, claim, finished, log_entry, log_entry_of, log_job, log_query, no_attempt, search,
    search_record, signed,
};
use tests::corpus::corpus;
use tests::workload::cases;

use crate::contents::{assert_same, play};
use crate::endpoints::{Endpoint, copy_at_once, for_each_pair};

for_each_pair! {
    whatever_has_happened,
    every_hostile_string,
    accounts_keep_their_passwords,
    jobs_of_a_dead_process_are_not_lost,
    a_search_whose_cancelled_job_was_pruned_still_counts,
    rows_deleted_by_hand_stay_missing,
    more_rows_than_a_batch_holds,
    nothing_at_all,
}

async fn whatever_has_happened<From: Endpoint, To: Endpoint>() {
    for _ in 0..cases(5) {
        let seed = fastrand::u64(..);
        eprintln!("seed {seed}");
        let mut random = Rng::with_seed(seed);
        let (from, to) = (From::create().await, To::create().await);
        let store = from.store().await.unwrap();
        play(&*store, random.usize(0..400), &mut random).await;
        store.close().await;
        copy_at_once(&from, &to).await;
        assert_same(&*from.store().await.unwrap(), &*to.store().await.unwrap()).await;
    }
}

async fn every_hostile_string<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    let store = from.store().await.unwrap();
    for (number, hostile) in (0..).zip(corpus()) {
        let entry = log_entry_of(SearchRecord {
            letters: hostile.text.clone(),
            results: hostile.text.clone(),
            ip: hostile.text.clone(),
            browser_family: hostile.text.clone(),
            user_agent: hostile.text.clone(),
            ..search_record(search(number), &hostile.text)
        });
        store.record(entry, no_attempt()).await.unwrap();
    }
    assert!(corpus().iter().any(|hostile| hostile.text.contains('\0')));
    store.close().await;
    copy_at_once(&from, &to).await;
    let rows: Vec<_> =
        to.store().await.unwrap().log_rows(log_query(LogSpan::After(LogSeq(0)))).try_collect().await.unwrap();
    assert_eq!(rows.len(), corpus().len());
    for (row, hostile) in rows.iter().zip(corpus()) {
        let texts = [&row.phrase, &row.letters, &row.results, &row.ip, &row.browser_family, &row.user_agent];
        assert!(texts.iter().all(|text| **text == hostile.text), "{}", hostile.name);
    }
}

async fn accounts_keep_their_passwords<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    let store = from.store().await.unwrap();
    let mut accounts = Vec::new();
    for (name, role) in [("Ada", Role::Admin), ("bob", Role::Viewer), ("Zoë", Role::Operator)] {
        let new = NewAccount { role, ..account(name) };
        assert!(store.create_account(new.clone(), &signed()).await.unwrap());
        accounts.push(new);
    }
    store.close().await;
    copy_at_once(&from, &to).await;
    let copy = to.store().await.unwrap();
    for account in accounts {
        let copied = account_of(&*copy, &account.name).await.expect("copied");
        assert_eq!((copied.name, copied.role), (account.name, account.role));
        assert_eq!(copied.password_hash, account.password_hash);
    }
    assert!(!copy.create_account(account("ADA"), &signed()).await.unwrap(), "the name is taken");
    assert!(copy.create_account(account("eve"), &signed()).await.unwrap(), "its number is not");
}

async fn jobs_of_a_dead_process_are_not_lost<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    let store = from.store().await.unwrap();
    for number in 0..5 {
        store.accept(search(number), log_job(search(number))).await.unwrap();
    }
    let running = store.claim(claim("w", 4, START)).await.unwrap();
    // The worker never gets this cancellation.
    assert!(store.cancel_job(running[0].id, START, Some(&signed())).await.unwrap());
    store.close().await;
    copy_at_once(&from, &to).await;
    let copy = to.store().await.unwrap();
    assert_same(&*from.store().await.unwrap(), &*copy).await;
    let ledger = copy.ledger().await.unwrap();
    assert_eq!((ledger.accepted, ledger.waiting, ledger.running, ledger.cancelled), (5, 4, 0, 1));
    for job in copy.claim(claim("v", 9, START)).await.unwrap().into_iter().filter(|job| job.kind == "log_request") {
        let search = search(u128::try_from(job.id.0 - 1).unwrap());
        copy.record(log_entry(search, "at last"), finished(&job, "v", AttemptResult::Done, START)).await.unwrap();
    }
    let ledger = copy.ledger().await.unwrap();
    assert_eq!((ledger.accepted, ledger.recorded, ledger.drift()), (5, 4, 0));
}

async fn a_search_whose_cancelled_job_was_pruned_still_counts<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    let store = from.store().await.unwrap();
    store.accept(search(1), log_job(search(1))).await.unwrap();
    let job = store.position("log_request", &search(1).to_string()).await.unwrap().expect("it waits").job;
    assert!(store.cancel_job(job, START, Some(&signed())).await.unwrap());
    assert_eq!(store.prune_jobs(api::TimeMs(i64::MAX), 9).await.unwrap(), 1);
    store.close().await;
    copy_at_once(&from, &to).await;
    let ledger = to.store().await.unwrap().ledger().await.unwrap();
    assert_eq!((ledger.accepted, ledger.cancelled, ledger.drift()), (1, 1, 0));
}

async fn rows_deleted_by_hand_stay_missing<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    let store = from.store().await.unwrap();
    for number in 0..20 {
        store.accept(search(number), log_job(search(number))).await.unwrap();
    }
    for job in store.claim(claim("w", 10, START)).await.unwrap() {
        let search = search(u128::try_from(job.id.0 - 1).unwrap());
        store.record(log_entry(search, "life"), finished(&job, "w", AttemptResult::Done, START)).await.unwrap();
    }
    store.close().await;
    from.run("delete from log where id % 3 = 0; delete from job where state = 'waiting' and id % 2 = 0").await;
    copy_at_once(&from, &to).await;
    let copy = to.store().await.unwrap();
    assert_same(&*from.store().await.unwrap(), &*copy).await;
    assert_eq!((copy.ledger().await.unwrap().drift(), copy.missing_searches(99).await.unwrap().len()), (8, 8));
}

async fn more_rows_than_a_batch_holds<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    let store = from.store().await.unwrap();
    let written = (0..2_500).map(|number| {
        let store = store.clone();
        async move {
            store.record(log_entry(search(number), "one of many"), no_attempt()).await.unwrap();
            store.accept(search(10_000 + number), log_job(search(10_000 + number))).await.unwrap();
        }
    });
    futures::future::join_all(written).await;
    store.close().await;
    copy_at_once(&from, &to).await;
    assert_same(&*from.store().await.unwrap(), &*to.store().await.unwrap()).await;
}

async fn nothing_at_all<From: Endpoint, To: Endpoint>() {
    let (from, to) = (From::create().await, To::create().await);
    from.store().await.unwrap().close().await;
    copy_at_once(&from, &to).await;
    assert_same(&*from.store().await.unwrap(), &*to.store().await.unwrap()).await;
}
