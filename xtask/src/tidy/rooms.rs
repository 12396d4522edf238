//! The module graph of each crate: ARCHITECTURE.md, "Directions". A room is a module at the top of a crate.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::module_graph::{Arrow, ModuleGraph, ROOT};
use super::{Finding, Source};

/// A crate whose rooms are checked.
struct House {
    sources: &'static str,
    /// From the top down. A room may name the rooms of lower layers; those of the first layer, the composition, may
    /// name each other too. Empty if all rooms are equal and only cycles are wrong.
    layers: &'static [&'static [&'static str]],
}

const HOUSES: &[House] = &[
    House {
        sources: "server/src/",
        layers: &[
            // Commands are part of the composition.
            &["lib", "database", "cli", "router", "worker", "app_state"],
            &["search", "log", "jobs", "accounts", "audit", "system", "lab"],
            &["platform"],
        ],
    },
    House {
        sources: "app/src/",
        layers: &[&["lib"], &["search", "log", "jobs", "audit", "system", "lab", "account"], &["ui"], &["platform"]],
    },
    equals("server/lab/src/"),
    equals("server/queue/src/"),
    equals("server/spool/src/"),
    equals("server/store/src/"),
    equals("server/store/sqlite/src/"),
    equals("server/store/postgres/src/"),
];

const fn equals(sources: &'static str) -> House {
    House { sources, layers: &[] }
}

pub(super) fn findings(sources: &[Source]) -> Vec<Finding> {
    HOUSES.iter().flat_map(|house| house.findings(sources)).collect()
}

impl House {
    fn findings(&self, sources: &[Source]) -> Vec<Finding> {
        let graph = match ModuleGraph::read(self.sources, sources) {
            Ok(graph) => graph,
            Err(unreadable) => return unreadable,
        };
        let mut findings = Vec::new();
        if !self.layers.is_empty() {
            findings.extend(self.unplaced(&graph));
            let wrong = graph.arrows.iter().filter(|((from, to), _)| !self.allows(from, to));
            findings.extend(wrong.map(|((from, to), arrow)| arrow.finding(format!("{from} may not name {to}"))));
        }
        findings.extend(circles(&graph));
        findings
    }

    /// Rooms that no layer lists, and that would go unchecked.
    fn unplaced(&self, graph: &ModuleGraph) -> Vec<Finding> {
        let unplaced = graph.rooms.iter().filter(|room| self.layer(room).is_none());
        let rule = |room| format!("the room {room} is in none of the layers that xtask/src/tidy/rooms.rs lists");
        unplaced.map(|room| Finding { path: format!("{}{room}", self.sources), line: 0, rule: rule(room) }).collect()
    }

    fn layer(&self, room: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.contains(&room))
    }

    fn allows(&self, from: &str, to: &str) -> bool {
        // A room without a layer is reported once, not for each of its arrows.
        let (Some(above), Some(below)) = (self.layer(from), self.layer(to)) else { return true };
        above < below || above == 0 && below == 0
    }
}

/// The shortest cycle through each room, with the line of each arrow. The crate's root is not a room: it may define
/// what its modules share.
fn circles(graph: &ModuleGraph) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for room in &graph.rooms {
        let Some(circle) = shortest_circle(graph, room) else { continue };
        if !seen.insert(circle.iter().copied().collect::<BTreeSet<_>>()) {
            continue;
        }
        let next = circle.iter().cycle().skip(1);
        let arrows: Vec<&Arrow> =
            circle.iter().zip(next).map(|(from, to)| &graph.arrows[&((*from).to_owned(), (*to).to_owned())]).collect();
        let steps = circle.iter().zip(&arrows).map(|(from, arrow)| format!("{from} ({}:{})", arrow.path, arrow.line));
        let steps: Vec<_> = steps.chain([room.clone()]).collect();
        let Arrow { path, line, .. } = arrows[0];
        let rule = format!("a circle of rooms: {}", steps.join(" -> "));
        findings.push(Finding { path: path.clone(), line: *line, rule });
    }
    findings
}

/// The rooms on the shortest cycle through `start`.
fn shortest_circle<'a>(graph: &'a ModuleGraph, start: &'a str) -> Option<Vec<&'a str>> {
    let mut reached_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(room) = queue.pop_front() {
        for (_, to) in graph.arrows.keys().filter(|(from, to)| from == room && to != ROOT) {
            if to == start {
                let back = std::iter::successors(Some(room), |room| reached_from.get(room).copied());
                let mut circle: Vec<_> = back.collect();
                circle.reverse();
                return Some(circle);
            }
            if !reached_from.contains_key(to.as_str()) {
                reached_from.insert(to, room);
                queue.push_back(to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: House = House {
        sources: "src/",
        layers: &[&["lib", "main_loop", "app_state"], &["search", "log", "accounts"], &["platform"]],
    };

    fn rules(house: &House, files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(&format!("src/{path}.rs"), text)).collect();
        house.findings(&sources).into_iter().map(|finding| finding.to_string()).collect()
    }

    const EMPTY: [(&str, &str); 3] = [("search", ""), ("accounts", ""), ("platform", "")];

    fn with(path: &'static str, text: &'static str) -> Vec<String> {
        rules(&HOUSE, &[&EMPTY[..], &[("lib", "struct AppState;"), ("log", ""), (path, text)]].concat())
    }

    #[test]
    fn arrows_that_point_down_pass() {
        let app_state = "use crate::{log::Feed, search, platform::{error, sse::{self, Permit}}};";
        let files = [
            ("lib", "mod app_state; pub use app_state::AppState; pub use crate::platform::Error;"),
            ("app_state", app_state),
            ("main_loop", "use crate::AppState;"),
            ("log", "use crate::platform::sse; use super::Error;"),
        ];
        assert_eq!(rules(&HOUSE, &[&EMPTY[..], &files].concat()), Vec::<String>::new());
    }

    #[test]
    fn each_kind_of_wrong_arrow_is_found() {
        assert_eq!(with("platform/sse", "use crate::log::Feed;"), ["src/platform/sse.rs:1: platform may not name log"]);
        assert_eq!(with("search/http", "\nuse super::super::log;"), ["src/search/http.rs:2: search may not name log"]);
        assert_eq!(
            with("accounts/x", "fn f() { crate::log::g() }"),
            ["src/accounts/x.rs:1: accounts may not name log"]
        );
        assert_eq!(with("log/http", "use crate::AppState;"), ["src/log/http.rs:1: log may not name lib"]);
        assert_eq!(with("app_state", "use crate::log;"), Vec::<String>::new());
        assert_eq!(
            with("other", ""),
            ["src/other:0: the room other is in none of the layers that xtask/src/tidy/rooms.rs lists"]
        );
    }

    #[test]
    fn a_cycle_of_rooms_is_found() {
        let circle = [
            ("lib", "pub use b::B; mod a; mod b; mod c;"),
            ("a", "use crate::B;"),
            ("b/inner", "\nuse crate::c::C;"),
            ("c", "use super::a;"),
        ];
        let found = "src/a.rs:1: a circle of rooms: a (src/a.rs:1) -> b (src/b/inner.rs:2) -> c (src/c.rs:1) -> a";
        assert_eq!(rules(&equals("src/"), &circle), [found]);
        assert_eq!(rules(&equals("src/"), &circle[..3]), Vec::<String>::new());
    }

    #[test]
    fn every_way_to_write_an_arrow_is_found() {
        for text in [
            "use crate::platform::{self}; use crate::{\n    platform,\n    log::{\n        Feed,\n    },\n};",
            "mod inner { use super::super::super::log::Feed; }",
            "fn f(feed: crate::log::Feed) {}",
            "fn f() { view! { <crate::log::Feed on:click=|_| () /> } }",
            "macro_rules! m { () => { $crate::log::g() } }",
            "use crate as this; fn f() -> Vec<<crate::log::Feed as Iterator>::Item> { vec![] }",
            "#[cfg(not(test))] use crate::log::Feed;",
        ] {
            let found = with("search/x", text);
            assert!(found.iter().any(|rule| rule.ends_with("search may not name log")), "{text}: {found:?}");
        }
    }

    #[test]
    fn tests_comments_and_texts_name_nothing() {
        let text = r#"
            //! Like crate::log::Feed.
            /* crate::log */
            #[cfg(test)] use crate::log::{Feed, Other};
            #[cfg(test)] mod tests { use crate::log; }
            #[cfg(test)] mod simulated;
            const TEXT: &str = "crate::log::Feed";
            use store::log::Feed;
            fn f(log: Log) { self::log(log); Self::log() }
        "#;
        let files = [("lib", ""), ("log", ""), ("search", text), ("search/simulated", "use crate::log::Feed;")];
        assert_eq!(rules(&HOUSE, &files), Vec::<String>::new());
    }
}
