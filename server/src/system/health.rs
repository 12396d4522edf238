//! The health status and the reason for it: the worst input decides.

use std::time::Duration;

use api::{Health, HealthStatus, Ledger, Probe, SpoolState, StoreFault, TimeMs};

/// A probe that ended longer ago proves nothing.
const PROBE_HOLDS: Duration = Duration::from_secs(60);
/// A probe has the highest priority, so it waits for a free worker at most.
const PROBE_PATIENCE: Duration = Duration::from_secs(15);

pub struct HealthInputs {
    pub fault: Option<StoreFault>,
    pub spool: SpoolState,
    /// `None` if the database does not answer.
    pub ledger: Option<Ledger>,
    /// The paused kinds of jobs.
    pub paused: Vec<String>,
    pub runners: Runners,
    /// The last completed probe.
    pub probe: Option<Probe>,
    /// How long the pending probe has been running or waiting.
    pub probe_waits: Option<Duration>,
    pub now: TimeMs,
}

/// Whether any worker runs jobs from this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runners {
    Some,
    /// Only this process could, and does not.
    NotThisProcess,
    /// No process does.
    Nobody,
}

pub fn health(inputs: &HealthInputs) -> Health {
    let (light, sentence) = status(inputs);
    Health { light, sentence, probe: inputs.probe }
}

fn status(inputs: &HealthInputs) -> (HealthStatus, String) {
    let HealthInputs { fault, spool, ledger, paused, runners, probe, probe_waits, now } = inputs;
    let drift = ledger.as_ref().map_or(0, Ledger::drift);
    let dead = ledger.map_or(0, |ledger| ledger.dead);
    let is_probed = probe.is_some_and(|probe| probe.ended_at.after(PROBE_HOLDS) >= *now);
    match (fault, &spool.fault) {
        (Some(fault), Some(reason)) => {
            let name = fault.kind.as_str();
            let sentence = format!("Searches are answered and not recorded. {name}; and the spool: {reason}.");
            return (HealthStatus::Failing, sentence);
        }
        (Some(fault), None) => {
            let sentence = format!(
                "{}: the database does not answer. Searches are answered and kept in the spool, {} by now.",
                fault.kind.as_str(),
                spool.records
            );
            return (HealthStatus::Degraded, sentence);
        }
        (None, Some(reason)) => {
            let sentence = format!("The spool cannot help out if the database stops answering: {reason}.");
            return (HealthStatus::Degraded, sentence);
        }
        (None, None) => {}
    }
    if drift > 0 {
        return (
            HealthStatus::Failing,
            format!("{} are neither in the log nor on their way.", searches(drift.unsigned_abs())),
        );
    }
    if drift < 0 {
        let many = searches(drift.unsigned_abs());
        return (HealthStatus::Degraded, format!("{many} are in the log or the queue, and were never accepted."));
    }
    if spool.quarantined > 0 {
        return (
            HealthStatus::Degraded,
            "Records were set aside: look into the file, deal with it, and move it away.".to_owned(),
        );
    }
    if dead > 0 {
        let sentence = format!("{} could not be written: see why among the dead jobs, and retry them.", searches(dead));
        return (HealthStatus::Degraded, sentence);
    }
    if spool.records > 0 {
        return (
            HealthStatus::Degraded,
            format!("{} are on their way from the spool to the database.", searches(spool.records)),
        );
    }
    if !paused.is_empty() {
        let kinds = paused.join(", ");
        return (
            HealthStatus::Degraded,
            format!("Paused: {kinds}. These jobs wait until somebody resumes them among the jobs."),
        );
    }
    let nobody = match runners {
        Runners::Some => None,
        Runners::NotThisProcess => Some("This process runs no jobs: it was started with --no-worker."),
        Runners::Nobody => Some("No worker is there to run jobs: start one with search4letters work."),
    };
    if let Some(sentence) = nobody {
        return (HealthStatus::Degraded, sentence.to_owned());
    }
    if let Some(waits) = probe_waits.filter(|waits| *waits > PROBE_PATIENCE) {
        let seconds = waits.as_secs();
        return (
            HealthStatus::Failing,
            format!("A probe was handed in {seconds} s ago and no worker has come round to it."),
        );
    }
    if is_probed {
        return (HealthStatus::Healthy, "Everything works: searches are answered, kept and written.".to_owned());
    }
    (HealthStatus::Checking, "The first probe is on its way.".to_owned())
}

fn searches(count: u64) -> String {
    if count == 1 { "1 search".to_owned() } else { format!("{count} searches") }
}

#[cfg(test)]
mod tests {
    use api::FaultKind;

    use super::*;

    const NOW: TimeMs = TimeMs(1_000_000);

    fn status_of(change: impl FnOnce(&mut HealthInputs)) -> HealthStatus {
        let probe = Some(Probe { ended_at: NOW, took_ms: 3 });
        let spool = SpoolState::default();
        let mut inputs = HealthInputs {
            fault: None,
            spool,
            ledger: None,
            paused: Vec::new(),
            runners: Runners::Some,
            probe,
            probe_waits: None,
            now: NOW,
        };
        change(&mut inputs);
        health(&inputs).light
    }

    #[test]
    fn healthy_only_after_a_recent_probe() {
        assert_eq!(status_of(|_| ()), HealthStatus::Healthy);
        assert_eq!(status_of(|inputs| inputs.probe = None), HealthStatus::Checking);
        assert_eq!(status_of(|inputs| inputs.now = NOW.after(PROBE_HOLDS)), HealthStatus::Healthy);
        assert_eq!(status_of(|inputs| inputs.now = NOW.after(PROBE_HOLDS * 2)), HealthStatus::Checking);
        assert_eq!(status_of(|inputs| inputs.probe_waits = Some(PROBE_PATIENCE)), HealthStatus::Healthy);
        assert_eq!(status_of(|inputs| inputs.probe_waits = Some(PROBE_PATIENCE * 2)), HealthStatus::Failing);
    }

    #[test]
    fn a_probe_does_not_hide_a_fault() {
        let fault = StoreFault { kind: FaultKind::SqlError, detail: String::new(), since: NOW };
        let spools = [
            SpoolState { fault: Some("full".to_owned()), ..SpoolState::default() },
            SpoolState { records: 1, ..SpoolState::default() },
            SpoolState { quarantined: 1, ..SpoolState::default() },
        ];
        assert_eq!(status_of(|inputs| inputs.fault = Some(fault.clone())), HealthStatus::Degraded);
        assert_eq!(
            status_of(|inputs| (inputs.fault, inputs.spool) = (Some(fault.clone()), spools[0].clone())),
            HealthStatus::Failing
        );
        for spool in spools {
            assert_eq!(status_of(|inputs| inputs.spool = spool), HealthStatus::Degraded);
        }
        for runners in [Runners::NotThisProcess, Runners::Nobody] {
            assert_eq!(status_of(|inputs| inputs.runners = runners), HealthStatus::Degraded);
        }
        // A paused probe does not mean that workers hang.
        let paused = |inputs: &mut HealthInputs| {
            (inputs.paused, inputs.probe_waits) = (vec!["probe".to_owned()], Some(PROBE_PATIENCE * 2));
        };
        assert_eq!(status_of(paused), HealthStatus::Degraded);
        for (ledger, light) in [
            (Ledger { accepted: 1, recorded: 1, ..Ledger::default() }, HealthStatus::Healthy),
            (Ledger { accepted: 1, ..Ledger::default() }, HealthStatus::Failing),
            (Ledger { recorded: 1, ..Ledger::default() }, HealthStatus::Degraded),
            (Ledger { accepted: 1, dead: 1, ..Ledger::default() }, HealthStatus::Degraded),
        ] {
            assert_eq!(status_of(|inputs| inputs.ledger = Some(ledger)), light, "{ledger:?}");
        }
    }
}
