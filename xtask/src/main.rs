//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod ci;
mod client;
mod faults;
mod fingerprint;
mod generated;
mod minify;
mod pack;
mod precompress;
mod preload;
mod run;
mod sqlx;
mod steps;
mod test;
mod throwaway_postgres;
mod tidy;
mod tools;
mod workspace;

use std::env;
use std::process::ExitCode;

use anyhow::bail;

use crate::workspace::Workspace;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  run [-- SERVER ARGUMENTS]  build all for a quick start, tools included, and serve http://127.0.0.1:3000
  dist                       build target/release/search4letters as it is shipped
  client                     build the client into dist/ as it is shipped
  test [FILTER]              run all tests, in a real browser too
  faults [--long [TIME]] [FILTER]
                             run only the tests with faults; --long for 4 hours, or for TIME (90s, 20m, 2h)
  bench [--only NAME,NAME] [--rounds N] [--seconds N] [--long] [--write-docs]
                             measure the release binary and its peers; bench --help explains
  bench --against REV        compare the processor time of REV's server with that of the working tree's
  ci                         run all that a change must pass
  tidy                       check the rules of the layout
  sqlx                       regenerate the offline data of the checked SQL
  vectors                    regenerate Python's answers for the search tests
  screenshots                take pictures of every page, for the README and for a review
";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "help".to_owned());
    match dispatch(&command, arguments.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask {command} failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, arguments: Vec<String>) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    if !arguments.is_empty() && !matches!(command, "run" | "test" | "faults" | "bench") {
        bail!("{command} takes no arguments, but was given {}", arguments.join(" "));
    }
    match command {
        "run" => run::run(&workspace, &arguments),
        "dist" => run::dist(&workspace),
        "client" => client::client(&workspace),
        "test" => test::test(&workspace, &arguments),
        "faults" => faults::faults(&workspace, &arguments),
        "bench" => bench::bench(&workspace, &arguments),
        "ci" => ci::ci(&workspace),
        "tidy" => tidy::tidy(&workspace),
        "sqlx" => sqlx::write(&workspace),
        "vectors" => generated::vectors(&workspace),
        "screenshots" => generated::screenshots(&workspace),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!("there is no such command; these are:\n\n{HELP}"),
    }
}
