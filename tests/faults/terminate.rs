//! SIGTERM, as sent by a deploy, and notifications to the service manager.

use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tempfile::TempDir;
use tests::eventually;
use tests::server_process::Installation;
use tests::workload::{Rounds, seeded_rng, usual_or_long};
use tokio::net::{TcpListener, UnixDatagram};
use tokio::time::{Instant, timeout};

use crate::client_log::ClientLog;
use crate::disk_faults::inside;
use crate::tables::Tables;
use crate::verdict::assert_complete;

/// Far above the grace time of these tests, and far below the delay of their jobs.
const END_TIMEOUT: Duration = Duration::from_secs(20);

/// Far above what a process without work takes to end, and below the 30 s that it waits for a database.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_exceed_the_grace_time_are_released_immediately() {
    const SEARCHES: i64 = 20;
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--log-delay", "1h", "--grace", "1s"]).await;
    for _ in 0..SEARCHES {
        assert!(client_log.search(&server.client()).await.is_some());
    }
    let mut tables = Tables::open(&installation.database()).await;
    eventually("all jobs run", async || (tables.jobs().await.get("running") == Some(&SEARCHES)).then_some(())).await;

    let asked = Instant::now();
    let ended = server.terminate(END_TIMEOUT).await;
    assert!(ended.success(), "{ended:?}");
    assert!(asked.elapsed() >= Duration::from_secs(1), "running jobs were not given their grace time");
    assert_eq!(tables.jobs().await, [("waiting".to_owned(), SEARCHES)].into(), "their worker is known to be stopped");
    assert_eq!(tables.number("select count(*) from attempt where outcome <> 'released'").await, 0);

    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_end_within_the_grace_time_are_done_before_the_server_ends() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&["--log-delay", "2s", "--grace", "15s"]).await;
    assert!(client_log.search(&server.client()).await.is_some());
    let mut tables = Tables::open(&installation.database()).await;
    eventually("the job runs", async || tables.jobs().await.contains_key("running").then_some(())).await;

    assert!(server.terminate(END_TIMEOUT).await.success());
    assert_eq!(tables.jobs().await, [("done".to_owned(), 1)].into());
    tables.assert_logged(&client_log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deploys_under_load_lose_nothing() {
    let mut random = seeded_rng("deploys");
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let installation = Installation::new();
        let client_log = ClientLog::default();
        let mut load = client_log.retrying_load(&installation.client(), 8);
        for _ in 0..usual_or_long(6, 100) {
            let server = installation.start(&["--log-delay", "20ms"]).await;
            load.answered_more(random.u64(1..400)).await;
            let ended = server.terminate(END_TIMEOUT).await;
            assert!(ended.success(), "{ended:?}");
        }
        let _server = installation.start(&[]).await;
        load.stop().await;
        assert!(client_log.repeated() > 0, "no client has noticed the deploys");
        assert_complete(&installation, &client_log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_in_progress_are_answered_before_the_end() {
    let installation = Installation::new();
    let client_log = ClientLog::default();
    let server = installation.start(&[]).await;
    let mut load = client_log.load(&server.client(), 8);
    load.answered(100).await;
    assert!(server.terminate(END_TIMEOUT).await.success());
    load.ended().await;

    let _server = installation.start(&[]).await;
    assert_complete(&installation, &client_log).await;
}

/// An installation whose database never answers, and the socket at which it would.
async fn with_silent_database() -> (Installation, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = silent.local_addr().expect("it is bound").port();
    (Installation::new().with_database(&format!("postgres://ada:secret@127.0.0.1:{port}/searches")), silent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_for_its_database_stops_when_asked() {
    for (command, code) in [("serve", 0), ("work", 0), ("migrate", 128 + 15), ("export", 128 + 15)] {
        let (installation, silent) = with_silent_database().await;
        let process = installation.launch(&[command]);
        let _connection = silent.accept().await.expect("it connects");
        // Far below the time that it would wait for the database.
        assert_eq!(process.terminate(STOP_TIMEOUT).await.code(), Some(code), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_process_of_a_container_stops_when_asked() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (installation, silent) = with_silent_database().await;
        // A process that was started with nohup heeds no SIGHUP, and the tests may have been.
        let contained = ["env", "--default-signal=HUP", "unshare"].into_iter();
        let contained = contained.chain(inside(&["--pid", "--fork", "--kill-child", "--map-root-user"]));
        let installation = installation.started_by(contained);
        let unshare = installation.launch(&["serve"]);
        let _connection = silent.accept().await.expect("it connects");
        let children = format!("/proc/{0}/task/{0}/children", unshare.pid());
        let children = std::fs::read_to_string(children).expect("unshare runs");
        let first = children.trim().parse().ok().and_then(Pid::from_raw).expect("unshare has one child");
        kill_process(first, signal).expect("it runs");
        assert_eq!(unshare.ended(STOP_TIMEOUT).await.code(), Some(0), "{signal:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_for_input_stops_when_asked() {
    let installation = Installation::new();
    let database = installation.database();
    let pipe = installation.folder().join("pipe").display().to_string();
    // Opened for writing too, so that its end never comes.
    let waits = ["sh", "-c", "mkfifo \"$0\" && exec \"$@\" <>\"$0\"", &pipe];
    let installation = installation.started_by(waits);
    let command = installation.launch(&["admin", "create", "ada", "--password-stdin"]);
    eventually("it has opened its database", async || database.exists().then_some(())).await;
    assert_eq!(command.terminate(STOP_TIMEOUT).await.code(), Some(128 + 15));
}

/// Far longer than any notification takes.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(30);

/// The socket of a service manager.
pub(crate) struct ServiceManager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl ServiceManager {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket can be made there");
        Self { socket, folder }
    }

    /// An installation whose processes report their state, and send a watchdog message twice in each interval.
    pub(crate) fn watches(&self, installation: Installation, watchdog: Duration) -> Installation {
        installation
            .with_variable("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .with_variable("WATCHDOG_USEC", watchdog.as_micros().to_string())
    }

    /// Waits for a message that contains `line`, and returns the message.
    pub(crate) async fn receives(&self, line: &str) -> String {
        let told = timeout(NOTIFY_TIMEOUT, async {
            loop {
                let news = self.next().await;
                if news.lines().any(|told| told == line) {
                    return news;
                }
            }
        });
        told.await.unwrap_or_else(|_| panic!("not told within {NOTIFY_TIMEOUT:?}: {line}"))
    }

    async fn next(&self) -> String {
        let mut news = [0; 4096];
        let length = self.socket.recv(&mut news).await.expect("it is bound");
        String::from_utf8_lossy(&news[..length]).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_notifies_its_manager_of_its_states() {
    let manager = ServiceManager::new();
    let installation = manager.watches(Installation::new(), Duration::from_millis(200));
    let server = installation.launch(&[]);
    let ready = manager.receives("READY=1").await;
    assert!(ready.contains(&format!("STATUS=serving {}", installation.url())), "{ready}");
    assert_eq!(installation.client().get("/readyz").await.expect("it listens by then").status, 200);
    for _ in 0..3 {
        manager.receives("WATCHDOG=1").await;
    }
    assert!(server.terminate(NOTIFY_TIMEOUT).await.success());
    let stopping = manager.receives("STOPPING=1").await;
    assert!(stopping.contains("STATUS=stopping"), "{stopping}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_process_sends_no_watchdog_message() {
    let manager = ServiceManager::new();
    let watchdog = Duration::from_millis(200);
    let installation = manager.watches(Installation::new(), watchdog);
    let server = installation.launch(&[]);
    manager.receives("WATCHDOG=1").await;
    server.freeze();
    // Earlier messages are still in the socket. After them there is silence for longer than systemd would wait.
    while let Ok(news) = timeout(watchdog * 3, manager.next()).await {
        assert!(news.contains("WATCHDOG=1"), "{news}");
    }
    server.thaw();
    manager.receives("WATCHDOG=1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_at_the_password_prompt_leaves_the_terminal_as_it_was() {
    let installation = Installation::new();
    drop(installation.start(&[]).await);
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("the system has terminals");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("our own terminal");
    let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("of ASCII");
    let terminal = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("our own terminal");
    let echoes = || tcgetattr(&terminal).expect("our own terminal").local_modes.contains(LocalModes::ECHO);
    assert!(echoes());
    // The terminal that the leader of a session opens becomes its own.
    let shell = format!("exec \"$@\" <{name}");
    let installation = installation.started_by(["setsid", "sh", "-c", &shell, "sh"]);
    let mut command = installation.launch(&["admin", "create", "ada"]);
    eventually("it asks for the password", async || {
        command.assert_running();
        (!echoes()).then_some(())
    })
    .await;
    assert_eq!(command.terminate(STOP_TIMEOUT).await.code(), Some(143));
    assert!(echoes(), "what is typed next is not shown");
}
