//! Runs against servers that answer, fail, hang or are absent.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use api::{FetchSpec, ItemErrorKind, ItemState, LabEvent, LabFact, LabOrder, LabTrace, LabWork};

use super::*;
use crate::{CountryCode, Events, Target, flag};

fn spec(style: LabStyle, count: u32) -> FetchSpec {
    FetchSpec { style, count, workers: 4, latency_ms: 0, order: LabOrder::Completion, ..FetchSpec::FIRST }
}

fn flags(style: LabStyle, order: LabOrder) -> FetchSpec {
    FetchSpec { work: LabWork::Flags, order, ..spec(style, 2) }
}

fn codes(codes: &[&str]) -> Vec<CountryCode> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

/// All events of a run, and its summary.
fn run(plan: FetchPlan) -> (LabSummary, Vec<LabEvent>) {
    let (sink, events) = EventSink::begin();
    let summary = fetch(plan, &sink, &CancellationToken::new()).unwrap();
    drop(sink);
    (summary, all(events))
}

fn all(mut events: Events) -> Vec<LabEvent> {
    std::iter::from_fn(|| events.blocking_recv()).collect()
}

fn trace(events: &[LabEvent]) -> LabTrace {
    let mut trace = LabTrace::default();
    events.iter().cloned().for_each(|event| trace.apply(event));
    trace
}

#[test]
fn every_style_delivers_every_answer() {
    let server = Server::start(|path| {
        assert_eq!(path, "/lab/second?latency_ms=0&jitter_ms=0");
        Reply::ok("{\"second\":7}")
    });
    for style in LabStyle::ALL {
        let (summary, events) = run(FetchPlan::new(server.target(), spec(style, 9)));
        assert_eq!((summary.done, summary.failed, summary.cancelled), (9, 0, 0), "{style:?}");
        let trace = trace(&events);
        assert!(trace.items.iter().all(|item| item.state == ItemState::Done && item.text == "7"), "{style:?}");
        assert_eq!(trace.delivered.iter().collect::<HashSet<_>>().len(), 9, "{style:?}");
        let called_back = trace.items.iter().filter(|item| item.called_back_us.is_some()).count();
        assert_eq!(called_back, if style == LabStyle::Futures { 9 } else { 0 }, "{style:?}");
        assert!(matches!(&events[0].what, LabFact::Began { labels } if labels[8] == "9"));
        assert_eq!(events.last().map(|event| &event.what), Some(&LabFact::Ended));
        assert!(summary.elapsed_us > 0 && summary.work_us > 0, "{summary:?}");
        assert!(summary.elapsed_us <= trace.latest_us, "{summary:?}");
    }
}

#[test]
fn each_style_has_its_number_of_concurrent_requests() {
    for (style, count, together) in [
        (LabStyle::Sequential, 3, 1),
        (LabStyle::Threads, 12, 4),
        (LabStyle::Futures, 12, 4),
        (LabStyle::Async, 100, 100),
    ] {
        let (waiting, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let (barrier, highest) = (Barrier::new(together), Arc::clone(&most));
        let server = Server::start(move |_| {
            highest.fetch_max(waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // No response before all requests have arrived: with fewer concurrent requests, the run would never end.
            barrier.wait();
            waiting.fetch_sub(1, Ordering::SeqCst);
            Reply::ok("{\"second\":1}")
        });
        let (summary, _) = run(FetchPlan::new(server.target(), spec(style, count)));
        assert_eq!(summary.done, count, "{style:?}");
        assert_eq!(most.load(Ordering::SeqCst), together, "{style:?}");
    }
}

#[test]
fn a_failure_is_recorded_and_stops_no_other_request() {
    let server = Server::start(|path| match path.split(['/', '?']).nth(3).unwrap() {
        "aa.svg" => Reply::status(404),
        "bb.svg" => Reply::status(503),
        "cc.svg" => Reply::Hang,
        "dd.svg" => Reply::Close,
        "ee.svg" => Reply::ok("x".repeat(64 * 1024 + 1)),
        "ff.svg" => Reply::Redirect("/lab/flags/br.svg"),
        "br.svg" => Reply::ok(flag("br").unwrap()),
        other => panic!("unexpected request: {other}"),
    });
    let expected = [
        Some(ItemErrorKind::NotFound),
        Some(ItemErrorKind::Status),
        Some(ItemErrorKind::Timeout),
        Some(ItemErrorKind::Broken),
        Some(ItemErrorKind::Broken),
        Some(ItemErrorKind::Status),
        None,
    ];
    for style in LabStyle::ALL {
        let spec = FetchSpec { count: 7, timeout_ms: Some(500), ..flags(style, LabOrder::Input) };
        let (bodies, saved) = mpsc::channel();
        let codes = codes(&["AA", "BB", "CC", "DD", "EE", "FF", "BR"]);
        let plan = FetchPlan::of_countries(server.target(), spec, &codes).with_bodies(bodies);
        let (summary, events) = run(plan);
        let kinds: Vec<_> = trace(&events).items.iter().map(|item| item.error.as_ref().map(|e| e.kind)).collect();
        assert_eq!(kinds, expected, "{style:?}: {events:?}");
        assert_eq!((summary.done, summary.failed), (1, 6));
        let saved: Vec<_> = saved.into_iter().map(|body| (body.item, body.country, body.bytes)).collect();
        assert_eq!(saved, [(6, Some(codes[6]), flag("br").unwrap().into())]);
    }
}

#[test]
fn a_response_that_is_not_a_number_is_a_failure() {
    let server = Server::start(|_| Reply::ok("{\"second\":\"seven\"}"));
    let (summary, events) = run(FetchPlan::new(server.target(), spec(LabStyle::Async, 1)));
    assert_eq!(summary.failed, 1);
    assert_eq!(trace(&events).items[0].error.as_ref().map(|error| error.kind), Some(ItemErrorKind::Broken));
}

#[test]
fn futures_are_delivered_in_the_chosen_order() {
    for (order, expected) in [(LabOrder::Input, [0, 1]), (LabOrder::Completion, [1, 0])] {
        let (second_is_done, first_may_go) = mpsc::channel();
        let first_may_go = std::sync::Mutex::new(first_may_go);
        let server = Server::start(move |path| {
            if path.contains("/br.svg") {
                first_may_go.lock().unwrap().recv().unwrap();
            }
            Reply::ok("")
        });
        let plan = FetchPlan::of_countries(server.target(), flags(LabStyle::Futures, order), &codes(&["BR", "DE"]));
        let (sink, mut events) = EventSink::begin();
        let running = thread::spawn(move || fetch(plan, &sink, &CancellationToken::new()).unwrap());
        let mut seen = Vec::new();
        while let Some(event) = events.blocking_recv() {
            let is_second = match order {
                LabOrder::Input => matches!(event.what, LabFact::Done { item: 1, .. }),
                LabOrder::Completion => matches!(event.what, LabFact::Delivered { item: 1 }),
            };
            if is_second {
                second_is_done.send(()).unwrap();
            }
            seen.push(event);
        }
        running.join().unwrap();
        assert_eq!(trace(&seen).delivered, expected, "{order:?}");
    }
}

#[test]
fn pending_requests_are_cancelled_while_the_rest_runs() {
    for style in [LabStyle::Threads, LabStyle::Futures] {
        let (release, may_go) = mpsc::channel::<()>();
        let may_go = std::sync::Mutex::new(may_go);
        let server = Server::start(move |_| {
            let _ = may_go.lock().unwrap().recv();
            Reply::ok("{\"second\":1}")
        });
        let plan = FetchPlan::new(server.target(), FetchSpec { workers: 1, ..spec(style, 3) });
        let (sink, mut events) = EventSink::begin();
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let running = thread::spawn(move || fetch(plan, &sink, &stopping).unwrap());
        let (mut seen, mut cancelled) = (Vec::new(), HashSet::new());
        while cancelled.len() < 2 {
            let event = events.blocking_recv().unwrap();
            seen.push(event.clone());
            match event.what {
                LabFact::Started { item } => {
                    assert_eq!(item, 0);
                    stop.cancel();
                }
                LabFact::Cancelled { item } => assert!(cancelled.insert(item)),
                LabFact::Began { .. } | LabFact::CalledBack { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        drop(release);
        let summary = running.join().unwrap();
        assert_eq!((summary.done, summary.cancelled), (1, 2), "{style:?}");
        seen.extend(all(events));
        assert_eq!(trace(&seen).delivered, [0]);
    }
}

#[test]
fn a_run_that_is_stopped_before_it_begins_sends_nothing() {
    let server = Server::start(|path| panic!("unexpected request: {path}"));
    let stop = CancellationToken::new();
    stop.cancel();
    for style in LabStyle::ALL {
        let (sink, events) = EventSink::begin();
        let summary = fetch(FetchPlan::new(server.target(), spec(style, 5)), &sink, &stop).unwrap();
        drop(sink);
        assert_eq!((summary.cancelled, summary.elapsed_us), (5, 0), "{style:?}");
        assert!(all(events).iter().all(|event| !matches!(event.what, LabFact::Started { .. })), "{style:?}");
    }
}

/// A server that replies as a test specifies, on its own port.
struct Server {
    address: SocketAddr,
}

/// What the server does with a request.
enum Reply {
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
    fn ok(body: impl Into<String>) -> Self {
        Self::Answer { status: 200, body: body.into() }
    }

    fn status(status: u16) -> Self {
        Self::Answer { status, body: "no".to_owned() }
    }
}

impl Server {
    /// `reply` gets path and query, on one thread per connection. The server's threads end with the test process.
    fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
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

    fn target(&self) -> Target {
        Target::at(self.address)
    }
}

/// Answers one request after the other, until either side closes the connection.
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

/// The path and query of the next request. `None` at the end of the connection.
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
