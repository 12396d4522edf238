//! Stored values are read back unchanged, and foreign values are rejected.

use api::{ApiError, ErrorCode, JobId, LogRow, LogSeq, Receipt, SearchId, TimeMs};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use queue::{JobError, decode, encode};
use server::search::log_request::LogRequest;
use store::SearchRecord;
use tests::workload::cases;

use super::bodies::around;
use crate::request::PropertyTest;
use crate::test_server::TestServer;

prop_compose! {
    fn log_request()(
        id in any::<u128>(),
        [phrase, letters, results, ip, browser_family, user_agent] in any::<[String; 6]>(),
        searched_at in any::<i64>(),
    ) -> LogRequest {
        let (id, searched_at) = (SearchId(id), TimeMs(searched_at));
        LogRequest(SearchRecord { id, phrase, letters, results, ip, browser_family, user_agent, searched_at })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(256), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_jobs_payload(request in log_request()) {
        let payload = encode(&request);
        prop_assert!(!payload.contains(|c: char| c < ' '), "no database and no terminal stumbles over it: {payload}");
        prop_assert_eq!(decode::<LogRequest>(&payload).expect("its own payload"), request);
    }

    #[test]
    fn a_damaged_payload_is_dead_or_read_as_it_stands(
        body in around(log_request().prop_map(|request| {
            serde_json::from_str(&encode(&request)).expect("payloads are JSON")
        })),
    ) {
        let Ok(payload) = std::str::from_utf8(&body) else { return Ok(()) };
        match decode::<LogRequest>(payload) {
            Ok(request) => prop_assert_eq!(decode::<LogRequest>(&encode(&request)).expect("its own payload"), request),
            Err(JobError::Dead(why)) => prop_assert!(why.starts_with("the payload cannot be read: "), "{why}"),
            Err(other) => prop_assert!(false, "reading it again will not help: {other:?}"),
        }
    }

    #[test]
    fn a_row_of_the_log(
        numbers in any::<[i64; 4]>(),
        id in any::<u128>(),
        [phrase, letters, results, ip, browser_family, user_agent] in any::<[String; 6]>(),
    ) {
        let [seq, job_id, searched_at, recorded_at] = numbers;
        let row = LogRow {
            seq: LogSeq(seq), search_id: SearchId(id), job_id: JobId(job_id), phrase, letters, results, ip,
            browser_family, user_agent, searched_at: TimeMs(searched_at), recorded_at: TimeMs(recorded_at),
        };
        let json = serde_json::to_string(&row).expect("a row has a JSON form");
        prop_assert_eq!(serde_json::from_str::<LogRow>(&json).expect("its own JSON"), row);
    }

    #[test]
    fn an_error(message in any::<String>(), field in any::<Option<String>>()) {
        let error = ApiError { field, ..ApiError::new(ErrorCode::Invalid, message) };
        let json = serde_json::to_string(&error).expect("an error has a JSON form");
        prop_assert_eq!(serde_json::from_str::<ApiError>(&json).expect("its own JSON"), error);
    }

    #[test]
    fn a_searchs_id(id in any::<u128>()) {
        let text = SearchId(id).to_string();
        prop_assert_eq!(text.len(), 26);
        prop_assert_eq!(text.parse(), Ok(SearchId(id)));
        prop_assert_eq!(text.to_lowercase().parse(), Ok(SearchId(id)));
    }

    #[test]
    fn a_parsed_id_prints_as_the_same_id(text in prop_oneof![any::<String>(), "[0-9A-Za-z]{25,27}"]) {
        if let Ok(id) = text.parse::<SearchId>() {
            prop_assert_eq!(text.len(), 26);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}

#[test]
fn only_a_receipt_leads_to_its_search() {
    let test = PropertyTest::on(TestServer::builder().without_worker());
    test.holds(300, &any::<u128>(), async |test, id| {
        let receipts = &test.server.state.search.receipts;
        assert_eq!(receipts.search(&receipts.of(SearchId(id))), Some(SearchId(id)));
    });

    let answer = test.runtime.block_on(test.server.search(&[("phrase", "a")]));
    let Receipt(receipt) = answer.receipt;
    let path = |receipt: &str| format!("/api/receipts/{}", utf8_percent_encode(receipt, NON_ALPHANUMERIC));
    assert_eq!(test.runtime.block_on(test.server.get(&path(&receipt)).send()).status, 200);
    let damaged = (any::<Index>(), select(b"0123456789abcdefA-+ \0/.".to_vec())).prop_map({
        let receipt = receipt.clone();
        move |(at, byte)| {
            let mut bytes = receipt.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            String::from_utf8(bytes).expect("ASCII")
        }
    });
    let other = prop_oneof![damaged, any::<String>(), "[0-9a-fA-F]{31,33}"];
    let other = other.prop_filter("not the receipt", move |text| *text != receipt && !text.is_empty());
    test.holds(400, &other, async |test, other| {
        for path in [path(&other), path(&other) + "/events"] {
            test.server.get(&path).send().await.refused(404, ErrorCode::NotFound, None);
        }
    });
}
