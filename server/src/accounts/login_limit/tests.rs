//! Tests of the limits on guessing passwords.

use async_trait::async_trait;

use super::*;

struct StillClock(Mutex<TimeMs>);

#[async_trait]
impl Clock for StillClock {
    fn wall(&self) -> TimeMs {
        self.steady()
    }

    fn steady(&self) -> TimeMs {
        *self.0.lock().expect("not poisoned")
    }

    async fn sleep_until(&self, _: TimeMs) {
        std::future::pending().await
    }
}

fn limit() -> (LoginLimit, Arc<StillClock>) {
    let clock = Arc::new(StillClock(Mutex::new(TimeMs(1_000_000))));
    (LoginLimit::new(clock.clone()), clock)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

#[test]
fn a_sixth_guess_has_to_wait() {
    let (limit, clock) = limit();
    for _ in 0..PER_ACCOUNT_AND_ADDRESS {
        limit.attempt("ada", address(1)).expect("allowed");
    }
    let refused = limit.attempt("ADA", address(1)).expect_err("refused");
    assert_eq!(refused.code, ErrorCode::TooMany);
    limit.attempt("ada", address(2)).expect("another address is not limited");
    *clock.0.lock().expect("not poisoned") = TimeMs(1_000_000).after(WINDOW);
    limit.attempt("ada", address(1)).expect("allowed again");
}

#[test]
fn success_resets_the_count() {
    let (limit, _) = limit();
    for _ in 0..3 * PER_ADDRESS {
        limit.succeeded(limit.attempt("ada", address(1)).expect("allowed"));
    }
}

#[test]
fn many_addresses_stop_at_the_accounts_limit_but_do_not_lock_out_the_owner() {
    let (limit, _) = limit();
    limit.succeeded(limit.attempt("ada", address(200)).expect("allowed"));
    let allowed = (0..100).filter(|&last| limit.attempt("ada", address(last)).is_ok()).count();
    assert_eq!(allowed, PER_ACCOUNT);
    limit.attempt("ada", address(200)).expect("the owner's own address");
}

#[test]
fn the_owners_login_does_not_reset_an_attackers_count() {
    let (limit, _) = limit();
    limit.succeeded(limit.attempt("ada", address(200)).expect("allowed"));
    let mut allowed = 0;
    for last in 0..100 {
        allowed += usize::from(limit.attempt("ada", address(last)).is_ok());
        limit.succeeded(limit.attempt("ada", address(200)).expect("the owner's own address"));
    }
    assert_eq!(allowed, PER_ACCOUNT);
}

#[test]
fn an_attempt_that_is_taken_back_does_not_count() {
    let (limit, _) = limit();
    for _ in 0..2 * PER_ACCOUNT {
        limit.take_back(&limit.attempt("ada", address(1)).expect("allowed"));
    }
    let state = limit.state();
    assert_eq!((state.by_account_and_address.keys().len(), state.by_account.keys().len()), (0, 0));
    assert_eq!((state.by_address.keys().len(), state.known.len()), (0, 0));
}

#[test]
fn filling_the_memory_neither_disables_a_limit_nor_locks_out_the_owner() {
    let (limit, clock) = limit();
    limit.succeeded(limit.attempt("ada", address(200)).expect("allowed"));
    let guesser = address(1);
    for _ in 0..PER_ACCOUNT_AND_ADDRESS {
        limit.attempt("ada", guesser).expect("allowed");
    }
    for number in 0..2 * u32::try_from(MOST_KEYS).expect("a small number") {
        // Each attempt has another name and address. Refused once there is no room.
        let _ = limit.attempt(&format!("name{number}"), IpAddr::from((0xc000_0000 + number).to_be_bytes()));
    }
    {
        let state = limit.state();
        assert_eq!((state.by_account.keys().len(), state.by_address.keys().len()), (MOST_KEYS, MOST_KEYS));
    }
    limit.attempt("ada", guesser).expect_err("these failures are not forgotten");
    limit.attempt("grace", address(2)).expect_err("there is no room for another");
    limit.succeeded(limit.attempt("ada", address(200)).expect("the owner's own address"));
    *clock.0.lock().expect("not poisoned") = TimeMs(1_000_000).after(WINDOW);
    limit.attempt("grace", address(2)).expect("there is room again");
}

#[test]
fn names_are_cut_to_the_longest_that_an_account_can_have() {
    let (limit, _) = limit();
    let endless = "Ä".repeat(60_000);
    for _ in 0..PER_ACCOUNT_AND_ADDRESS {
        limit.attempt(&endless, address(1)).expect("allowed");
    }
    assert!(limit.attempt(&endless, address(1)).is_err(), "a cut name is counted too");
    limit.attempt(&"b".repeat(60_000), address(1)).expect("another name");
    let state = limit.state();
    let names = state.by_account_and_address.keys().map(|(name, _)| name).chain(state.by_account.keys());
    assert_eq!(names.map(|name| name.chars().count()).collect::<Vec<_>>(), [name::LONGEST; 4]);
}

#[test]
fn one_address_cannot_try_every_name() {
    let (limit, _) = limit();
    let allowed = (0..100).filter(|n| limit.attempt(&format!("name{n}"), address(1)).is_ok()).count();
    assert_eq!(allowed, PER_ADDRESS);
}

#[test]
fn strangers_whose_address_is_not_known_hinder_nobody() {
    let (limit, _) = limit();
    for number in 0..1_000 {
        limit.attempt(&format!("nobody{number}"), None).expect("allowed");
    }
    limit.attempt("ada", None).expect("another account is not limited");
    let allowed = (0..100).filter(|_| limit.attempt("grace", None).is_ok()).count();
    assert_eq!(allowed, PER_ACCOUNT, "guesses are still limited");
    limit.attempt("grace", address(1)).expect_err("by account");
    limit.attempt("ada", address(1)).expect("another account");
}
