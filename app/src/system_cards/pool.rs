//! The connections that read from the database, and whether they suffice.

use api::PoolState;

use super::{Card, Fact};
use crate::gauge::Gauge;
use crate::wording::{duration, number};

pub(super) fn card(pool: PoolState) -> Card {
    let longest = match pool.waits {
        0 => "–".to_owned(),
        // A wait of weeks would not fit; nobody waits that long.
        _ => duration(pool.longest_wait_ms.try_into().unwrap_or(i64::MAX)),
    };
    let facts = vec![
        Fact::new("In use", format!("{} of {}", pool.in_use, pool.max)).with(Gauge::of_pool(&pool)),
        Fact::new("Idle", number(pool.idle.into())),
        Fact::new("Waiting for one", number(pool.waiting.into())),
        Fact::new("Waits since the start", number(pool.waits)),
        Fact::new("Longest wait", longest),
    ];
    Card { id: "pool-title", title: "Database connections", facts, remarks: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_never_waited_has_no_longest_wait() {
        let longest = |waits| card(PoolState { waits, longest_wait_ms: 0, ..PoolState::default() }).facts.pop();
        assert_eq!(longest(0), Some(Fact::new("Longest wait", "–")));
        assert_eq!(longest(1), Some(Fact::new("Longest wait", "0 ms")));
    }
}
