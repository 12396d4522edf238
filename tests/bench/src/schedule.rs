//! How long all of it will take, said before it begins.

use std::time::Duration;

use crate::scenarios::Scenario;
use crate::workshop::Workshop;

/// For instance `takes about 35 min in 5 rounds: searches 10 min, drain 25 min, visit under 1 min`. Of a machine of today, with what is made
/// once made already.
pub(crate) fn announced(scenarios: &[&Scenario], workshop: &Workshop) -> String {
    let each: Vec<_> = scenarios.iter().map(|scenario| (scenario.name, (scenario.lasts)(workshop))).collect();
    let all = each.iter().map(|(_, time)| *time).sum();
    let parts: Vec<_> = each.iter().map(|(name, time)| format!("{name} {}", minutes(*time))).collect();
    format!("takes about {} in {} rounds: {}", minutes(all), workshop.rounds, parts.join(", "))
}

/// So many seconds for each round.
pub(crate) fn rounds_of(workshop: &Workshop, seconds: u64) -> Duration {
    Duration::from_secs(u64::from(workshop.rounds) * seconds)
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        0..60 => "under 1 min".to_owned(),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_minutes() {
        let said = [0, 59, 60, 61, 600].map(|seconds| minutes(Duration::from_secs(seconds)));
        assert_eq!(said, ["under 1 min", "under 1 min", "1 min", "2 min", "10 min"]);
    }
}
