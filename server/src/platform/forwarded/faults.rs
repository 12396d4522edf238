//! What is wrong with the headers that reach us. Each fault is counted, logged once, and shown while it lasts.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::TimeMs;
use prometheus_client::metrics::counter::Counter;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// A trusted proxy names its client with this text, which is no address.
    UnreadableClient(String),
    /// This trusted proxy names no client.
    UnnamedClient(IpAddr),
    /// Forwarding headers come from this internal address, which is not trusted: most likely a proxy was forgotten.
    ForgottenProxy(IpAddr),
}

impl ProxyFault {
    /// What is wrong, and the fix.
    pub fn sentence(&self) -> String {
        match self {
            Self::UnreadableClient(_) => {
                "A proxy names its clients in a way that cannot be read, so their searches are logged without an \
                 address: have it send X-Forwarded-For or Forwarded with the client's IP address."
                    .to_owned()
            }
            Self::UnnamedClient(proxy) => format!(
                "The trusted proxy {proxy} does not name its clients, so their searches are logged without an address: \
                 have it send X-Forwarded-For or Forwarded with the client's IP address. If there is no proxy at \
                 {proxy}, do not trust it with --trusted-proxy."
            ),
            Self::ForgottenProxy(peer) => {
                let bits = if peer.is_ipv4() { 32 } else { 128 };
                format!(
                    "{peer} sends X-Forwarded-For or a similar header, which is ignored, so everybody behind it has its \
                     address: if it is your proxy, start the server with --trusted-proxy {peer}/{bits} \
                     (SEARCH4LETTERS_TRUSTED_PROXY)."
                )
            }
        }
    }

    fn kind(&self) -> usize {
        match self {
            Self::UnreadableClient(_) => 0,
            Self::UnnamedClient(_) => 1,
            Self::ForgottenProxy(_) => 2,
        }
    }
}

/// The last fault of each kind, and when it came by the steady clock.
type LastFaults = [Option<(ProxyFault, TimeMs)>; 3];

#[derive(Clone, Debug, Default)]
pub struct ProxyFaults {
    /// Requests whose client's address could not be read.
    pub unreadable_clients: Counter,
    /// Requests to the API through a trusted proxy that named no client.
    pub unnamed_clients: Counter,
    /// Requests with forwarding headers from an internal address that is not trusted.
    pub forgotten_proxies: Counter,
    /// Requests that were refused as those of another site's page.
    pub foreign_requests: Counter,
    last: Arc<Mutex<LastFaults>>,
    logged: Arc<Mutex<HashSet<String>>>,
}

/// The most faults that are logged: strangers can make any number.
const MOST_LOGGED: usize = 20;
/// A mended proxy is no longer reported after this time.
const REPORTED_FOR: Duration = Duration::from_secs(15 * 60);

impl ProxyFaults {
    pub(super) fn report(&self, fault: &ProxyFault, now: TimeMs) {
        let (counter, subject) = match fault {
            ProxyFault::UnreadableClient(_) => (&self.unreadable_clients, "unreadable client".to_owned()),
            ProxyFault::UnnamedClient(proxy) => (&self.unnamed_clients, format!("unnamed client of {proxy}")),
            ProxyFault::ForgottenProxy(peer) => (&self.forgotten_proxies, format!("forgotten proxy {peer}")),
        };
        counter.inc();
        self.last.lock().unwrap_or_else(PoisonError::into_inner)[fault.kind()] = Some((fault.clone(), now));
        if self.is_new(&subject) {
            tracing::warn!(?fault, "{}", fault.sentence());
        }
    }

    /// The faults that last, with the last example of each kind.
    pub fn current(&self, now: TimeMs) -> Vec<ProxyFault> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = last.iter().flatten().filter(|(_, at)| at.after(REPORTED_FOR) > now);
        lasting.map(|(fault, _)| fault.clone()).collect()
    }

    /// Whether this fault is to be logged.
    pub fn is_new(&self, fault: &str) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.len() < MOST_LOGGED && logged.insert(fault.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_logged_once_and_not_without_end() {
        let faults = ProxyFaults::default();
        assert!(faults.is_new("one") && !faults.is_new("one"));
        let logged = (0..100).filter(|number| faults.is_new(&number.to_string())).count();
        assert_eq!(logged, MOST_LOGGED - 1);
    }

    #[test]
    fn a_fault_is_shown_until_its_proxy_was_mended_for_a_while() {
        let (faults, start) = (ProxyFaults::default(), TimeMs(1_000));
        let unnamed = ProxyFault::UnnamedClient(IpAddr::from([10, 0, 0, 1]));
        let forgotten = |last| ProxyFault::ForgottenProxy(IpAddr::from([10, 0, 0, last]));
        faults.report(&unnamed, start);
        faults.report(&forgotten(2), start.after(REPORTED_FOR / 2));
        faults.report(&forgotten(3), start.after(REPORTED_FOR / 2));
        assert_eq!(faults.current(start.after(REPORTED_FOR / 2)), [unnamed, forgotten(3)]);
        assert_eq!(faults.current(start.after(REPORTED_FOR)), [forgotten(3)]);
        assert_eq!(faults.current(start.after(REPORTED_FOR * 2)), []);
    }

    #[test]
    fn a_forgotten_proxy_is_named_as_the_flag_takes_it() {
        for (peer, flag) in
            [("127.0.0.1", "--trusted-proxy 127.0.0.1/32 "), ("fd00::7", "--trusted-proxy fd00::7/128 ")]
        {
            let fault = ProxyFault::ForgottenProxy(peer.parse().expect("an address"));
            assert!(fault.sentence().contains(flag), "{}", fault.sentence());
        }
    }
}
