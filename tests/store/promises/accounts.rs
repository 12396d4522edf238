//! Accounts, sessions and setup links.

use std::time::Duration;

use api::{Role, TimeMs};
use store::{NewAccount, SetUpOutcome, StoreError, StoredAccount, StoredSession};
use tests::builders::{START, account, session, signed, token};

use crate::Database;

fn at(seconds: u64) -> TimeMs {
    START.after(Duration::from_secs(seconds))
}

fn stored(account: NewAccount) -> StoredAccount {
    StoredAccount { name: account.name, role: account.role, password_hash: account.password_hash }
}

pub(crate) async fn names_are_unique_without_regard_to_case(mut database: impl Database) {
    let store = database.store();
    assert!(!store.has_accounts().await.unwrap());
    assert_eq!(store.accounts().await.unwrap(), []);
    assert!(store.create_account(account("Ada"), &signed()).await.unwrap());
    let rival = NewAccount { role: Role::Viewer, ..account("aDA") };
    assert!(!store.create_account(rival, &signed()).await.unwrap());
    assert!(store.create_account(NewAccount { role: Role::Viewer, ..account("Bob'; --") }, &signed()).await.unwrap());
    drop(store);
    database.reopen().await;
    let store = database.store();
    assert!(store.has_accounts().await.unwrap());
    let mut accounts = store.accounts().await.unwrap();
    accounts.sort_by(|one, other| one.name.cmp(&other.name));
    let bob = StoredAccount { role: Role::Viewer, ..stored(account("Bob'; --")) };
    assert_eq!(accounts, [stored(account("Ada")), bob]);
}

pub(crate) async fn a_setup_link_makes_one_account_once(database: impl Database) {
    let store = database.store();
    store.add_setup_link(token(1), at(10), None).await.unwrap();
    assert!(store.setup_link_is_valid(token(1), START).await.unwrap());
    assert!(!store.setup_link_is_valid(token(2), START).await.unwrap());
    let wrong = store.use_setup_link(token(2), account("Eve"), START, &signed()).await.unwrap();
    assert_eq!(wrong, SetUpOutcome::LinkIsInvalid);
    let by = signed();
    let (first, second) = tokio::join!(
        store.use_setup_link(token(1), account("Ada"), START, &by),
        store.use_setup_link(token(1), account("Bob"), START, &by),
    );
    let created = [first.unwrap(), second.unwrap()].iter().filter(|&&o| o == SetUpOutcome::Created).count();
    assert_eq!(created, 1);
    assert!(!store.setup_link_is_valid(token(1), START).await.unwrap());
    assert_eq!(store.accounts().await.unwrap().len(), 1);
}

pub(crate) async fn a_setup_link_expires_and_is_replaced(database: impl Database) {
    let store = database.store();
    store.add_setup_link(token(1), at(10), None).await.unwrap();
    assert!(store.setup_link_is_valid(token(1), at(9)).await.unwrap());
    assert!(!store.setup_link_is_valid(token(1), at(10)).await.unwrap());
    let late = store.use_setup_link(token(1), account("Ada"), at(10), &signed()).await.unwrap();
    assert_eq!(late, SetUpOutcome::LinkIsInvalid);
    store.add_setup_link(token(2), at(20), None).await.unwrap();
    assert!(!store.setup_link_is_valid(token(1), START).await.unwrap());
    assert!(store.setup_link_is_valid(token(2), START).await.unwrap());
    assert!(!store.has_accounts().await.unwrap());
}

pub(crate) async fn creating_an_account_invalidates_the_link(database: impl Database) {
    let store = database.store();
    store.add_setup_link(token(7), START.after(Duration::from_secs(60)), None).await.unwrap();
    assert!(store.create_account(account("ada"), &signed()).await.unwrap());
    assert!(!store.setup_link_is_valid(token(7), START).await.unwrap());
}

pub(crate) async fn a_taken_name_leaves_the_link_valid(database: impl Database) {
    let store = database.store();
    store.create_account(account("Ada"), &signed()).await.unwrap();
    store.add_setup_link(token(1), at(10), None).await.unwrap();
    let taken = store.use_setup_link(token(1), account("ada"), START, &signed()).await.unwrap();
    assert_eq!(taken, SetUpOutcome::NameIsTaken);
    let other = store.use_setup_link(token(1), account("Bob"), START, &signed()).await.unwrap();
    assert_eq!(other, SetUpOutcome::Created);
}

pub(crate) async fn a_session_ends_by_idling_by_age_and_by_logout(database: impl Database) {
    let store = database.store();
    store.create_account(account("Ada"), &signed()).await.unwrap();
    // The typed name may differ in case. The session has the account's.
    store.add_session(session(1, "ADA")).await.unwrap();
    store.add_session(session(2, "Ada")).await.unwrap();
    let expected = (session(1, "Ada"), stored(account("Ada")));
    assert_eq!(store.session(token(1), at(59)).await.unwrap(), Some(expected));
    assert_eq!(store.session(token(1), at(60)).await.unwrap(), None);
    store.touch_session(token(1), at(9_999)).await.unwrap();
    let (touched, _) = store.session(token(1), at(60)).await.unwrap().expect("touched");
    assert_eq!(touched, StoredSession { idle_until: at(9_999), ..session(1, "Ada") });
    assert_eq!(store.session(token(1), at(3_600)).await.unwrap(), None);
    store.end_session(token(1)).await.unwrap();
    assert_eq!(store.session(token(1), START).await.unwrap(), None);
    assert!(store.session(token(2), START).await.unwrap().is_some());
    store.end_session(token(9)).await.unwrap();
    store.touch_session(token(9), at(1)).await.unwrap();
    assert_eq!(store.session(token(9), START).await.unwrap(), None);
}

pub(crate) async fn a_session_needs_an_account(database: impl Database) {
    let store = database.store();
    assert!(matches!(store.add_session(session(1, "nobody")).await, Err(StoreError::Sql(_))));
    assert_eq!(store.session(token(1), START).await.unwrap(), None);
}

pub(crate) async fn ended_sessions_and_links_are_pruned(database: impl Database) {
    let store = database.store();
    store.create_account(account("Ada"), &signed()).await.unwrap();
    store.add_session(session(1, "Ada")).await.unwrap();
    store.add_session(StoredSession { idle_until: at(9_999), ..session(2, "Ada") }).await.unwrap();
    store.add_session(StoredSession { idle_until: at(9_999), ends_at: at(9_999), ..session(3, "Ada") }).await.unwrap();
    store.add_setup_link(token(1), at(60), None).await.unwrap();
    assert_eq!(store.prune_sessions(at(59)).await.unwrap(), 0);
    assert_eq!(store.prune_sessions(at(60)).await.unwrap(), 2);
    assert_eq!(store.prune_sessions(at(3_600)).await.unwrap(), 1);
    assert!(store.session(token(3), START).await.unwrap().is_some());
}
