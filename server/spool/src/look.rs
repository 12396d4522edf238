//! Looks into a spool without touching it, beside the process that has it.

use std::io;
use std::path::Path;

use crate::image::{Image, Phase};
use crate::line::Line;
use crate::{folder, set_aside};

/// What a folder's spool holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Some may be in the database by now: the file is emptied when all are.
    pub records: u64,
    /// Places where lines are damaged or missing.
    pub gaps: u64,
    /// Lines in the file of what was set aside.
    pub set_aside: u64,
}

/// None where there is no spool yet.
pub fn look(folder: &Path) -> io::Result<Option<Look>> {
    let bytes = match std::fs::read(folder.join(folder::NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let set_aside = set_aside::count(&set_aside::set_aside_file(folder))?;
    if Phase::of(&bytes) == Phase::Emptying {
        return Ok(Some(Look { set_aside, ..Look::default() }));
    }
    let Image { lines, gaps, .. } = Image::read(&bytes);
    let records = lines.iter().filter(|line| matches!(line, Line::Record { .. })).count();
    Ok(Some(Look { records: records as u64, gaps: gaps.len() as u64, set_aside }))
}
