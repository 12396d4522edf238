//! Whoever reads slowly costs no memory.

use tests::server_process::Installation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::place::Place;

const ROWS: u128 = 100_000;
/// What two exports may hold, each some blocks, with room for what a debug build and the allocator add. The rows are 40 MiB.
const MOST_KIB: u64 = 32 * 1024;

#[tokio::test]
async fn an_export_that_nobody_takes_holds_a_few_blocks() {
    let installation = Installation::new();
    let server = installation.start(&["--no-worker"]).await;
    let mut admin = server.client();
    admin.set_up(&server.setup_token().await, "ada", "correct horse battery staple").await;
    let place = Place::beside(installation).await;
    place.record_many(ROWS).await;
    // Once, so that what is made only for the first one is there.
    let whole = admin.get("/api/admin/log/export?upto=5000").await.expect("answered").body;
    assert_eq!(whole.lines().count(), 5_000);

    let before_kib = server.resident_kib();
    let address = server.url().trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("told so");
    let mut wire = socket.connect(address).await.expect("the server listens");
    let cookie = admin.cookie().expect("logged in").to_owned();
    let request =
        format!("GET /api/admin/log/export HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    wire.write_all(request.as_bytes()).await.expect("sent");
    // By now its end has had time to be read, were it not waited for.
    let meanwhile = admin.get("/api/admin/log/export").await.expect("answered").body;
    assert_eq!(meanwhile.lines().count() as u128, ROWS);
    let grown_kib = server.resident_kib().saturating_sub(before_kib);
    println!("{grown_kib} KiB more");
    assert!(grown_kib <= MOST_KIB, "{grown_kib} KiB more with an export that nobody takes");

    let mut rest = String::new();
    wire.read_to_string(&mut rest).await.expect("it is still sent, and whole");
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "it has its end");
}
