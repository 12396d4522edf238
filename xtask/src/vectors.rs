//! `cargo xtask vectors`: what Python itself says of the search.

use anyhow::Context;
use xshell::cmd;

use crate::place::Place;

pub(crate) fn write(place: &Place) -> anyhow::Result<()> {
    let shell = place.shell()?;
    cmd!(shell, "python3 tests/vectors/generate.py").run().context("the vectors need python3 3.11")
}
