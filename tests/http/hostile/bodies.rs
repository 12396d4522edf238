//! Any body posted to a server function is either read correctly or refused.

use api::JobState;
use bytes::Bytes;
use http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Number, Value, json};

use crate::request::{FORM, PropertyTest};
use crate::test_server::TestServer;

const JSON: &str = "application/json";

/// Every server function that takes JSON, with valid bodies.
fn functions() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    let nothing = || Just(json!({})).boxed();
    let credentials = (any::<String>(), any::<String>());
    let id = || prop_oneof![0..4_i64, any::<i64>()].prop_map(|id| json!({"id": id})).boxed();
    let state = select(JobState::ALL.map(JobState::as_str).to_vec());
    let kind = || prop_oneof![Just("log_request".to_owned()), any::<String>()];
    let named = || kind().prop_map(|kind| json!({"kind": kind})).boxed();
    let limit = (kind(), any::<Option<u32>>()).prop_map(|(kind, limit)| json!({"kind": kind, "limit": limit}));
    let list = (prop_oneof![state.prop_map(|state| format!("state:{state}")), any::<String>()], any::<Option<i64>>());
    vec![
        ("/api/session", nothing()),
        ("/api/login", credentials.prop_map(|(name, password)| json!({"name": name, "password": password})).boxed()),
        ("/api/logout", nothing()),
        (
            "/api/setup",
            any::<[String; 3]>().prop_map(|[a, b, c]| json!({"token": a, "name": b, "password": c})).boxed(),
        ),
        ("/api/setup/check", any::<String>().prop_map(|token| json!({"token": token})).boxed()),
        ("/api/admin/jobs/counts", nothing()),
        ("/api/admin/jobs/list", list.prop_map(|(q, id)| json!({"q": q, "before": id})).boxed()),
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
    let test = PropertyTest::on(TestServer::builder());
    test.runtime.block_on(test.server.search(&[("phrase", "so that there is a job")]));
    for (path, valid) in functions() {
        test.holds(150, &around(valid), async |test, body: Bytes| {
            let request = test.server.ask(Method::POST, path).header("content-type", JSON).body(body);
            // A logout would end the session, so it is sent without one.
            let request = if path == "/api/logout" { request } else { request.cookie(&test.admin) };
            request.send().await.assert_well_formed();
        });
    }
}

#[test]
fn strangers_are_refused_before_their_json_is_read() {
    let test = PropertyTest::on(TestServer::builder().without_worker());
    for (path, valid) in functions().into_iter().filter(|(path, _)| path.starts_with("/api/admin/")) {
        test.holds(20, &around(valid), async |test, body: Bytes| {
            let request = test.server.ask(Method::POST, path).header("content-type", JSON).body(body);
            request.send().await.refused(401, api::ErrorCode::SignedOut, None);
        });
    }
}

/// Forms with our fields and others, intact and damaged.
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
    let test = PropertyTest::on(TestServer::builder().without_worker());
    test.holds(400, &any_form(), async |test, body: Bytes| {
        test.server
            .ask(Method::POST, "/api/search")
            .header("content-type", FORM)
            .body(body)
            .send()
            .await
            .assert_well_formed();
    });
}

/// Bodies that are known to break JSON parsers or the code behind them.
const BROKEN: &[&[u8]] = &[
    b"",
    b" ",
    b"null",
    b"[]",
    b"\"\"",
    b"0",
    b"{",
    b"}",
    b"{}{}",
    b"{,}",
    b"{\"id\":1,}",
    b"{'id':1}",
    b"{id:1}",
    b"{\"id\":1} trailing",
    b"{\"id\":01}",
    b"{\"id\":+1}",
    b"{\"id\":.5}",
    b"{\"id\":1.0}",
    b"{\"id\":1e0}",
    b"{\"id\":1e999999999}",
    b"{\"id\":-1e-999999999}",
    b"{\"id\":NaN}",
    b"{\"id\":Infinity}",
    b"{\"id\":0x10}",
    b"{\"id\":9223372036854775807}",
    b"{\"id\":9223372036854775808}",
    b"{\"id\":-9223372036854775808}",
    b"{\"id\":-9223372036854775809}",
    b"{\"id\":1,\"id\":2}",
    b"{\"id\":1,\"\\u0069d\":2}",
    b"{\"id\":\"1\"}",
    b"{\"id\":[1]}",
    b"{\"id\":{\"0\":1}}",
    b"{\"filter\":{\"state\":\"nothing\"},\"before\":null}",
    b"{\"filter\":{\"state\":\"done\",\"state\":\"dead\"}}",
    b"{\"filter\":[\"done\"]}",
    b"{\"filter\":null}",
    b"{\"kind\":\"\\u0000\",\"limit\":1}",
    b"{\"kind\":\"log_request\",\"limit\":-1}",
    b"{\"kind\":\"log_request\",\"limit\":4294967296}",
    b"{\"kind\":\"log_request\",\"limit\":true}",
    b"{\"name\":\"\\ud800\",\"password\":\"\\udfff\"}",
    b"{\"name\":\"\\ud800\\ud800\",\"password\":\"\"}",
    b"{\"name\":\"\\udc00\\ud800\",\"password\":\"\"}",
    b"{\"name\":\"\\u0000\",\"password\":\"\\u0000\"}",
    b"{\"name\":\"\0\",\"password\":\"\"}",
    b"{\"name\":\"\n\",\"password\":\"\"}",
    b"{\"name\":\"\\x00\",\"password\":\"\"}",
    b"{\"name\":\"\\u12\",\"password\":\"\"}",
    b"{\"name\":\"\xff\",\"password\":\"\"}",
    b"{\"name\":\"\xc0\xaf\",\"password\":\"\"}",
    b"{\"name\":\"\xed\xa0\x80\",\"password\":\"\"}",
    b"{\"name\":\"\xf4\x90\x80\x80\",\"password\":\"\"}",
    b"{\"\xff\":1}",
    b"{\"name\":null,\"password\":null}",
    b"{\"name\":\"ada\",\"password\":\"x\",\"__proto__\":{\"role\":\"admin\"}}",
    b"{\"token\":{\"$ne\":null},\"name\":{\"$gt\":\"\"},\"password\":true}",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b"// comment\n{}",
    b"{}\0",
    b"/*{}*/",
];

/// `valid` as it is, damaged, or replaced.
pub(super) fn around(valid: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Bytes> {
    let valid = valid.prop_map(|value| value.to_string().into_bytes()).boxed();
    let truncated = (valid.clone(), any::<Index>()).prop_map(|(mut body, at)| {
        body.truncate(at.index(body.len()));
        body
    });
    let flipped = (valid.clone(), vec((any::<Index>(), 0..8_u8), 1..4)).prop_map(|(mut body, flips)| {
        for (at, bit) in flips {
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
        }
        body
    });
    let twice = valid.clone().prop_map(|body| {
        let members = &body[1..body.len() - 1];
        [b"{", members, b",", members, b"}"].concat()
    });
    let large = select(vec![
        b"[".repeat(60_000),
        b"{\"a\":".repeat(12_000),
        [b"{\"id\":", &b"9".repeat(60_000)[..], b"}"].concat(),
        [b"{\"id\":1e", &b"9".repeat(60_000)[..], b"}"].concat(),
        [b"{\"name\":\"", &b"\\u0000".repeat(10_000)[..], b"\",\"password\":\"\"}"].concat(),
        [b"{\"", &b"\\u0001".repeat(10_000)[..], b"\":1}"].concat(),
        [b"{\"filter\":{\"state\":\"", &b"x".repeat(60_000)[..], b"\"}}"].concat(),
        [b"{\"x\":", &b"[".repeat(127)[..], &b"]".repeat(127)[..], b"}"].concat(),
        [&b" ".repeat(136 * 1024 - 2)[..], b"{}"].concat(),
        [&b" ".repeat(136 * 1024 - 1)[..], b"{}"].concat(),
    ]);
    prop_oneof![
        2 => valid,
        3 => truncated,
        4 => flipped,
        2 => twice,
        3 => any_value().prop_map(|value| value.to_string().into_bytes()),
        3 => select(BROKEN).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..200),
        1 => large,
    ]
    .prop_map(Bytes::from)
}

/// Any JSON. Its keys include the fields of our functions.
fn any_value() -> impl Strategy<Value = Value> {
    let number = any::<f64>().prop_filter_map("JSON has no other", Number::from_f64).prop_map(Value::Number);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number,
        any::<String>().prop_map(Value::from),
    ];
    let key = select(vec!["name", "password", "token", "id", "q", "before", "state", "kind", "limit", "x", ""]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let members = vec((key.clone(), inner.clone()), 0..4);
        let object = members.prop_map(|members| {
            Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
        });
        prop_oneof![vec(inner, 0..4).prop_map(Value::from), object]
    })
}
