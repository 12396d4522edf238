//! Many connections, slow ones and malformed ones: other visitors do not notice.

mod hostile;
mod limits;

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tests::server_process::ServerProcess;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// Far longer than any step here, so that a busy machine does not fail a test.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct RawConnection(TcpStream);

impl RawConnection {
    pub(crate) async fn connect(server: &ServerProcess) -> Self {
        let address = server.url().trim_start_matches("http://");
        Self(TcpStream::connect(address).await.expect("the server listens"))
    }

    /// Connects with a receive buffer that is soon full.
    pub(crate) async fn connect_with_small_buffer(server: &ServerProcess) -> Self {
        let address = server.url().trim_start_matches("http://").parse().expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.set_recv_buffer_size(4096).expect("the socket accepts the option");
        Self(socket.connect(address).await.expect("the server listens"))
    }

    /// Sends all of it, unless the server has closed the connection.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Sends a request; the connection stays open.
    pub(crate) async fn get(&mut self, path: &str) -> bool {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
    }

    /// Reads until what was read contains `end`.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let read = self.read(|read| read.windows(end.len()).any(|window| window == end.as_bytes())).await;
        assert!(read.contains(end), "the connection ended before {end:?}: {read}");
        read
    }

    /// Sends while it reads, until the server closes the connection.
    pub(crate) async fn exchange(mut self, bytes: String) -> String {
        let (mut reading, mut writing) = self.0.split();
        let mut read = String::new();
        let exchange =
            async { tokio::try_join!(writing.write_all(bytes.as_bytes()), reading.read_to_string(&mut read)) };
        let in_time = timeout(TIMEOUT, exchange).await.expect("the server closes it in time");
        in_time.expect("the server reads everything and closes the connection");
        read
    }

    /// Sends a byte each second until the server closes the connection, and returns its response.
    pub(crate) async fn drip(mut self) -> String {
        let (mut reading, mut writing) = self.0.split();
        let mut read = Vec::new();
        let drips = async {
            while writing.write_all(b"x").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
            std::future::pending().await
        };
        tokio::select! {
            ended = timeout(TIMEOUT, reading.read_to_end(&mut read)) => drop(ended.expect("the server ends it")),
            () = drips => {}
        }
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Reads until the server closes or resets the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        self.read(|_| false).await
    }

    async fn read(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> String {
        let mut read = Vec::new();
        let reading =
            async { while !is_enough(&read) && self.0.read_buf(&mut read).await.is_ok_and(|count| count > 0) {} };
        let in_time = timeout(TIMEOUT, reading).await;
        assert!(in_time.is_ok(), "nothing more within {TIMEOUT:?} after: {}", String::from_utf8_lossy(&read));
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Resets the connection, as a dying process does.
    pub(crate) fn reset(self) {
        self.0.set_zero_linger().expect("the socket accepts the option");
    }

    /// Whether the connection is open and nothing has arrived so far.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// Files besides the connections, here or in the server.
const RESERVE: u64 = 1_000;

/// Raises this process's limit as far as possible, and returns how many of `wanted` connections fit.
pub(crate) fn connections_that_fit(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).expect("a process may raise its own limit to the hard one");
    let Some(files) = limit.maximum else { return wanted };
    // The server has the same limit, and gives three quarters of its connections to event streams.
    let room = usize::try_from(files.saturating_sub(RESERVE) / 4 * 3).expect("fewer files than addresses");
    if room < wanted {
        eprintln!("the hard limit on open files is {files}: {room} connections instead of {wanted}");
    }
    room.min(wanted)
}
