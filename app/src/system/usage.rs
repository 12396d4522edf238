//! How full something is, and whether an operator should look into it.

use api::{DiskState, PoolState, SpoolState, WorkerState};
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub used: u64,
    pub capacity: u64,
    pub level: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Calm,
    Warning,
    Error,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Usage {
    pub fn of_spool(spool: &SpoolState) -> Self {
        let (used, capacity) = (spool.used_bytes, spool.capacity_bytes);
        let level = match spool.used_percent() {
            SpoolState::FULL_PERCENT.. => Level::Error,
            SpoolState::FILLING_PERCENT.. => Level::Warning,
            _ => Level::Calm,
        };
        Self { used, capacity, level }
    }

    /// Warns when the health does: a page with two rules would contradict itself.
    pub fn of_disk(disk: &DiskState) -> Self {
        let (used, capacity) = (disk.total_bytes.saturating_sub(disk.free_bytes), disk.total_bytes);
        let level = if disk.is_nearly_full() { Level::Warning } else { Level::Calm };
        Self { used, capacity, level }
    }

    /// Never warns: all slots may be busy in normal operation.
    pub fn of_worker(worker: &WorkerState) -> Self {
        Self { used: worker.busy.into(), capacity: worker.slots.into(), level: Level::Calm }
    }

    pub fn of_pool(pool: &PoolState) -> Self {
        let level = if pool.waiting > 0 { Level::Warning } else { Level::Calm };
        Self { used: pool.in_use.into(), capacity: pool.max.into(), level }
    }

    /// From 0 to 100; at least 1 if anything is used, so that a little is visible.
    pub fn percent(self) -> u64 {
        percent(self.used, self.capacity).clamp(u64::from(self.used > 0), 100)
    }
}

/// `part` in percent of `whole`, rounded down. No disk is large enough for this to saturate.
pub fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100) / whole.max(1)
}

/// The usage as a bar; `text` is for screen readers.
#[component]
pub fn UsageBar(label: &'static str, text: String, usage: Usage) -> impl IntoView {
    let percent = usage.percent();
    view! {
        <div
            class="usage_bar"
            role="meter"
            data-level=usage.level.as_str()
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=percent.to_string()
            aria-valuetext=text
        >
            <div class="usage_bar_used" style:width=format!("{percent}%")></div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn little_is_visible_and_too_much_stays_within_the_bar() {
        let percent = |used, capacity| Usage { used, capacity, level: Level::Calm }.percent();
        assert_eq!([percent(0, 8), percent(1, 1_024), percent(2, 8), percent(9, 8)], [0, 1, 25, 100]);
        assert_eq!([percent(0, 0), percent(3, 0)], [0, 100]);
    }

    #[test]
    fn a_disk_warns_with_the_health() {
        let level = |free_bytes, total_bytes| {
            Usage::of_disk(&DiskState { folder: String::new(), free_bytes, total_bytes, database_bytes: 0 }).level
        };
        assert_eq!(level(6 * GIB, 100 * GIB), Level::Calm);
        assert_eq!(level(GIB / 2, 100 * GIB), Level::Warning);
        assert_eq!(level(GIB / 4, 2 * GIB), Level::Calm);
        assert_eq!(level(GIB / 8, 2 * GIB), Level::Warning, "a small disk");
    }

    #[test]
    fn a_spool_warns_before_it_is_full() {
        let level = |used_bytes| {
            Usage::of_spool(&SpoolState { used_bytes, capacity_bytes: 100, ..SpoolState::default() }).level
        };
        assert_eq!([level(0), level(74)], [Level::Calm; 2]);
        assert_eq!([level(75), level(94)], [Level::Warning; 2]);
        assert_eq!([level(95), level(100)], [Level::Error; 2]);
    }
}
