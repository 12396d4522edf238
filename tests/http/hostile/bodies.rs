//! Whatever is posted to a server function: it is read as what it says, or refused.

use api::JobState;
use bytes::Bytes;
use http::Method;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::json::around;
use crate::for_any::Trial;
use crate::request::FORM;
use crate::site::Site;

const JSON: &str = "application/json";

/// Every server function that takes JSON, with bodies that it should understand.
fn functions() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let nothing = || Just(json!({})).boxed();
    let credentials = (any::<String>(), any::<String>());
    let id = || prop_oneof![0..4_i64, any::<i64>()].prop_map(|id| json!({"id": id})).boxed();
    let state = select(JobState::ALL.map(JobState::as_str).to_vec());
    let kind = || prop_oneof![Just("log_request".to_owned()), any::<String>()];
    let named = || kind().prop_map(|kind| json!({"kind": kind})).boxed();
    let limit = (kind(), any::<Option<u32>>()).prop_map(|(kind, limit)| json!({"kind": kind, "limit": limit}));
    let list = (proptest::option::of(state), any::<Option<i64>>());
    vec![
        ("/api/session", nothing()),
        ("/api/login", credentials.prop_map(|(name, password)| json!({"name": name, "password": password})).boxed()),
        ("/api/logout", nothing()),
        (
            "/api/setup",
            any::<[String; 3]>().prop_map(|[a, b, c]| json!({"token": a, "name": b, "password": c})).boxed(),
        ),
        ("/api/admin/jobs/counts", nothing()),
        ("/api/admin/jobs/list", list.prop_map(|(s, id)| json!({"filter": {"state": s}, "before": id})).boxed()),
        ("/api/admin/jobs/show", id()),
        ("/api/admin/jobs/retry", id()),
        ("/api/admin/jobs/cancel", id()),
        ("/api/admin/jobs/kinds", nothing()),
        ("/api/admin/jobs/pause", named()),
        ("/api/admin/jobs/resume", named()),
        ("/api/admin/jobs/limit", limit.boxed()),
    ]
}

#[test]
fn every_function_answers_any_json() {
    let trial = Trial::on(Site::plan());
    trial.runtime.block_on(trial.site.search(&[("phrase", "so that there is a job")]));
    for (path, valid) in functions() {
        trial.holds(150, &around(valid), async |trial, body: Bytes| {
            let ask = trial.site.ask(Method::POST, path).header("content-type", JSON).body(body);
            // Whoever logs out has logged out: that one is a stranger here.
            let ask = if path == "/api/logout" { ask } else { ask.cookie(&trial.admin) };
            ask.send().await.is_fit();
        });
    }
}

#[test]
fn strangers_are_refused_before_their_json_is_read() {
    let trial = Trial::on(Site::plan().without_worker());
    for (path, valid) in functions().into_iter().filter(|(path, _)| path.starts_with("/api/admin/")) {
        trial.holds(20, &around(valid), async |trial, body: Bytes| {
            let ask = trial.site.ask(Method::POST, path).header("content-type", JSON).body(body);
            ask.send().await.refused(401, api::ErrorCode::SignedOut, None);
        });
    }
}

/// Forms: of our fields and others, whole and damaged.
fn any_form() -> impl Strategy<Value = Bytes> {
    let name = select(vec!["phrase", "letters", "id", "x", "%70hrase", "phrase%00", ""]);
    let value = prop_oneof![
        "[a-zA-Z0-9%+=;]{0,30}".prop_map(String::into_bytes),
        any::<String>().prop_map(|text| tests::corpus::minimally_encoded(&text).into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..30),
        select(vec![b"a".repeat(10_001), b"%00".repeat(10_000), b"01ARZ3NDEKTSV4RRFFQ69G5FAV".to_vec()]),
    ];
    proptest::collection::vec((name, value), 0..5).prop_map(|fields| {
        let fields = fields.iter().map(|(name, value)| [name.as_bytes(), b"=", value].concat());
        Bytes::from(fields.collect::<Vec<_>>().join(&b'&'))
    })
}

#[test]
fn a_search_answers_any_form() {
    let trial = Trial::on(Site::plan().without_worker());
    trial.holds(400, &any_form(), async |trial, body: Bytes| {
        trial.site.ask(Method::POST, "/api/search").header("content-type", FORM).body(body).send().await.is_fit();
    });
}
