//! Days and dates of the Gregorian calendar.

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of days since 1 January 1970. Years are counted from March, so that a leap day comes last.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + days_before_month((month + 9) % 12) + day - 1 - DAYS_TO_1970
}

/// The inverse of [`day_of`].
pub(crate) fn date_of(day: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let day = day + DAYS_TO_1970;
    let (cycle, day) = (day.div_euclid(DAYS_IN_400_YEARS), day.rem_euclid(DAYS_IN_400_YEARS));
    // Subtracts the leap days so far: one in 4 years, but not in 100, but in 400.
    let year = (day - day / 1_460 + day / 36_524 - day / (DAYS_IN_400_YEARS - 1)) / 365;
    let in_year = day - (year * 365 + year / 4 - year / 100);
    let month_from_march = (5 * in_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year + cycle * 400 + i64::from(month <= 2), month, in_year - days_before_month(month_from_march) + 1)
}

/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;

/// Days since 1 March. Five months in a row have 153 days.
fn days_before_month(month_from_march: i64) -> i64 {
    (153 * month_from_march + 2) / 5
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_day_has_one_date(day in -719_528..2_932_897_i64) {
            let (year, month, of_month) = date_of(day);
            prop_assert_eq!(day_of(year, month, of_month), day);
            prop_assert!((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&of_month));
        }
    }
}
