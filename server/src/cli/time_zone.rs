//! The time zone of the times that a command reads.

use std::sync::Arc;

use api::{FilterList, TimeMs, TimeZone, Utc, with_absolute_times};
use jiff::Timestamp;
use jiff::tz;

/// Why there is no zone.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum NoZone {
    #[error("this is no time zone that this machine knows: write one like Europe/Berlin or UTC")]
    Unknown,
    #[error("TZ names no time zone that this machine knows: give --time-zone, or the times with an offset")]
    UnknownTz,
}

/// A zone of the machine's database of time zones.
#[derive(Clone, Debug)]
pub struct NamedZone {
    zone: tz::TimeZone,
    pub name: Arc<str>,
}

impl NamedZone {
    /// The zone of `TZ`, or of the system.
    fn of_machine() -> Result<Self, NoZone> {
        match tz::TimeZone::try_system() {
            Ok(zone) => {
                let name = zone.iana_name().unwrap_or("the machine's time zone").into();
                Ok(Self { zone, name })
            }
            Err(_) if std::env::var_os("TZ").is_some_and(|name| !name.is_empty()) => Err(NoZone::UnknownTz),
            // As for all programs on a system without a setting.
            Err(_) => Ok(Self { zone: tz::TimeZone::UTC, name: "UTC".into() }),
        }
    }

    /// The zone in which the filter's times are to be read. `None` if it has no time without an offset.
    pub fn of_filter(text: &str, list: FilterList, wanted: Option<&Self>) -> Result<Option<Self>, NoZone> {
        if with_absolute_times(text, list, &Utc) == text {
            return Ok(None);
        }
        wanted.map_or_else(Self::of_machine, |zone| Ok(zone.clone())).map(Some)
    }
}

impl std::str::FromStr for NamedZone {
    type Err = NoZone;

    fn from_str(name: &str) -> Result<Self, NoZone> {
        let zone = tz::TimeZone::get(name).map_err(|_| NoZone::Unknown)?;
        Ok(Self { zone, name: name.into() })
    }
}

impl TimeZone for NamedZone {
    fn offset_ms(&self, at: TimeMs) -> i64 {
        // Beyond the years that can be written, any offset will do.
        let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
        i64::from(self.zone.to_offset(at).seconds()) * 1_000
    }
}
