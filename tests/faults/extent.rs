//! How much is tried: a taste of everything in each run of the tests, all of it with `cargo xtask faults --long`.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// What is tried in a usual run, or in a long one.
pub(crate) fn by_extent<T>(usual: T, long: T) -> T {
    if is_long() { long } else { usual }
}

fn is_long() -> bool {
    env::var("SEARCH4LETTERS_FAULTS").is_ok_and(|extent| extent == "long")
}

/// How often a test that makes random choices is gone through: once, or until the time of a long run is over.
pub(crate) struct Rounds {
    begun: u32,
    until: Instant,
}

impl Rounds {
    pub(crate) fn begin() -> Self {
        // One time for all tests: they are over together.
        static UNTIL: OnceLock<Instant> = OnceLock::new();
        let until = UNTIL.get_or_init(|| {
            let seconds = env::var("SEARCH4LETTERS_FAULTS_SECONDS").ok().filter(|_| is_long());
            let seconds = seconds.map_or(0, |text| text.parse().expect("xtask writes a number"));
            Instant::now() + Duration::from_secs(seconds)
        });
        Self { begun: 0, until: *until }
    }

    /// Whether there is another.
    pub(crate) fn another(&mut self) -> bool {
        self.begun += 1;
        let is_wanted = self.begun == 1 || Instant::now() < self.until;
        if is_wanted {
            println!("round {}", self.begun);
        }
        is_wanted
    }
}
