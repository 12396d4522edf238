//! Filters in flags.

use api::{FilterError, FilterList, TimeZone, Utc};

use super::super::time_zone::{NamedZone, NoZone};

/// Why a filter in a flag is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoFilter {
    #[error("invalid value for '--filter <FILTER>': {error}\n  {text}\n  {}", marks(error))]
    Wrong { text: String, error: FilterError },
    #[error("invalid value for '--filter <FILTER>': {0}")]
    NoZone(#[from] NoZone),
}

/// Carets below the wrong characters.
fn marks(error: &FilterError) -> String {
    " ".repeat(error.at.start) + &"^".repeat(error.at.len().max(1))
}

/// Reads a filter of `list` with `parse`. Returns it with the zone of its times, if it has times without an offset.
pub(super) fn read_filter<F>(
    text: &str,
    list: FilterList,
    wanted: Option<&NamedZone>,
    parse: impl FnOnce(&str, &dyn TimeZone) -> Result<F, FilterError>,
) -> Result<(F, Option<NamedZone>), NoFilter> {
    let zone = NamedZone::of_filter(text, list, wanted)?;
    let filter = match &zone {
        Some(zone) => parse(text, zone),
        None => parse(text, &Utc),
    };
    filter.map(|filter| (filter, zone)).map_err(|error| NoFilter::Wrong { text: text.to_owned(), error })
}
