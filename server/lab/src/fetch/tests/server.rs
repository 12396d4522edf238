//! A server that does what a test says, on a port of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::Target;

pub struct Server {
    address: SocketAddr,
}

/// What it does with a request.
pub enum Reply {
    Answer {
        status: u16,
        body: String,
    },
    Redirect(&'static str),
    /// Closes the connection.
    Close,
    /// Does nothing until the client gives up.
    Hang,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::Answer { status: 200, body: body.into() }
    }

    pub fn status(status: u16) -> Self {
        Self::Answer { status, body: "no".to_owned() }
    }
}

impl Server {
    /// `reply` is given path and query, on a thread of the connection's own. The server's threads end with the tests.
    pub fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, reply) = (connection.unwrap(), Arc::clone(&reply));
                thread::spawn(move || serve(connection, &*reply));
            }
        });
        Self { address }
    }

    pub fn target(&self) -> Target {
        Target::at(self.address)
    }

    /// An address of this machine at which no server is: one of loopback's many others.
    pub fn target_of_nobody(&self) -> Target {
        Target::at(SocketAddr::from(([127, 0, 0, 99], self.address.port())))
    }
}

/// One request after the other, until the client goes or is left.
fn serve(connection: TcpStream, reply: &(impl Fn(&str) -> Reply + ?Sized)) {
    let mut lines = BufReader::new(connection.try_clone().unwrap());
    let mut writer = connection;
    while let Some(path) = read_head(&mut lines) {
        let answer = match reply(&path) {
            Reply::Answer { status, body } => {
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            Reply::Redirect(to) => format!("HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"),
            Reply::Close => return,
            Reply::Hang => {
                let _ = lines.read(&mut [0]);
                return;
            }
        };
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The path and query of the next request. None: the client has gone.
fn read_head(lines: &mut impl BufRead) -> Option<String> {
    let mut path = None;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim_end().is_empty() {
            return path;
        }
        path = path.or_else(|| line.split(' ').nth(1).map(ToOwned::to_owned));
    }
}
