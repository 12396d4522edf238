//! `lab sandbox`: a server that may be killed, and that lives no longer than whoever has started it.

use std::fs;
use std::io::{ErrorKind, Read, Write, stdin, stdout};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::cli::CommandError;
use crate::cli::serve::{Serving, serve_routes};
use crate::lab::command_line::LabSandbox;
use crate::lab::sandbox::{MARKER, routes, shared_folder};
use crate::router::router;

/// Other sandboxes write into the folder until they hear of the end too, a moment later.
const REMOVALS: u32 = 200;
const BETWEEN_REMOVALS: Duration = Duration::from_millis(5);

/// Before anything is touched: sees that the folder is a sandbox's, and from then on ends the process, and removes the
/// folder of the whole run, when standard input ends.
pub fn begin_sandbox(sandbox: &LabSandbox) -> Result<(), CommandError> {
    let own = sandbox.folder.display();
    let Some(folder) = shared_folder(&sandbox.folder).map(Path::to_owned) else {
        let why = format!("{own} is no folder for a sandbox: there is no {MARKER} beside it. Use `lab request`");
        return Err(CommandError(why));
    };
    // A thread that does nothing else: it hears the end even where all others hang.
    thread::spawn(move || {
        // Nothing is ever written to it. However reading ends, nobody is there any more.
        while let Ok(1..) = stdin().lock().read(&mut [0; 64]) {}
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => thread::park_timeout(BETWEEN_REMOVALS),
                _ => break,
            }
        }
        std::process::exit(0);
    });
    Ok(())
}

/// Serves as any other server, and a few routes more. Says first where it can be asked: one line on standard output.
pub async fn sandbox(serving: Serving, sandbox: &LabSandbox) -> Result<(), CommandError> {
    let said = serving.listener.local_addr().and_then(|address| {
        writeln!(stdout(), "{address}")?;
        stdout().flush()
    });
    said.map_err(|error| CommandError(format!("whoever has started this cannot be told its address: {error}")))?;
    serve_routes(serving, |env| router(env.clone()).merge(routes(env, sandbox.delay)), || {}).await
}
