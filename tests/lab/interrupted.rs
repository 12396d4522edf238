//! Ctrl-C.

use rustix::process::{Pid, Signal, kill_process};

use crate::command::Lab;

#[tokio::test]
async fn what_has_not_begun_is_cancelled_and_what_there_is_is_printed() {
    let line = ["flags", "--style", "sequential", "--count", "100", "--latency", "100ms", "--jitter", "0s"];
    let mut running = Lab::new().start(&line);
    running.first_output().await;
    let pid = Pid::from_raw(running.pid().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let ended = running.end().await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(130), ""), "{ended:?}");
    let lines: Vec<_> = ended.out.lines().collect();
    let figure = |line: &str, rest: &str| line.split_once(rest).expect(rest).0.parse::<u32>().unwrap();
    let (done, cancelled) = (figure(lines[1], " flag"), figure(lines[2], " cancelled"));
    assert_eq!(done + cancelled, 100, "{ended:?}");
    assert!(done > 0 && cancelled > 0, "{ended:?}");
}
