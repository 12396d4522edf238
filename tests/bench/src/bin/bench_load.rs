//! The load generator as a process of its own, so that its processor time is nobody else's. Reads what to do as JSON
//! from its only argument, and prints what came of it as JSON.

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
