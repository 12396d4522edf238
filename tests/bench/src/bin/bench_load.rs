//! The load generator as its own process, so that its processor time is counted separately. Its only argument is a
//! `Load` as JSON. Prints a `Report` as JSON.

use anyhow::Context;
use bench::load::{self, BEGIN, Load};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let asked = std::env::args().nth(1).context("say what to do, as JSON")?;
    let load: Load = serde_json::from_str(&asked).context("that is no load")?;
    let report = load::run(load, || println!("{BEGIN}")).await?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
