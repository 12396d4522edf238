//! Pages of rows.

/// Keeps the first `limit` of `rows`. One more was read, to know whether another page follows: then the id of the last row
/// is returned too.
pub(crate) fn cut<T, Id>(mut rows: Vec<T>, limit: u32, id: impl Fn(&T) -> Id) -> (Vec<T>, Option<Id>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = rows.len() <= limit;
    rows.truncate(limit);
    let next = if is_last { None } else { rows.last().map(id) };
    (rows, next)
}
