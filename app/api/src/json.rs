//! JSON between client and server.
//!
//! The server uses serde_json. The client uses a reader and a writer that do not support floating-point numbers: these
//! types have none, and the conversion tables would be an eighth of the search bundle.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_fn::{ContentType, Decodes, Encodes, Format, FormatType};

/// Reads JSON that the server sent.
///
/// # Errors
///
/// If `text` is not the JSON of a `T`, or contains a number with a fraction.
pub fn from_json<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T, serde_json_wasm::de::Error> {
    serde_json_wasm::from_slice(text.as_ref())
}

/// The encoding of a function's arguments, which the client writes and the server reads.
pub struct Arguments;

impl ContentType for Arguments {
    const CONTENT_TYPE: &'static str = JSON;
}

impl FormatType for Arguments {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Arguments {
    type Error = serde_json_wasm::ser::Error;

    fn encode(arguments: &T) -> Result<Bytes, Self::Error> {
        serde_json_wasm::to_vec(arguments).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for Arguments {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json::from_slice(&bytes)
    }
}

/// The encoding of a function's result, which the server writes and the client reads.
pub struct Answer;

impl ContentType for Answer {
    const CONTENT_TYPE: &'static str = JSON;
}

impl FormatType for Answer {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Answer {
    type Error = serde_json::Error;

    fn encode(answer: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_vec(answer).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for Answer {
    type Error = serde_json_wasm::de::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        serde_json_wasm::from_slice(&bytes)
    }
}

const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{JobState, LabSpec, LogSeq, Receipt, ReceiptState, Recorded, SearchAnswer, SearchId, TimeMs};

    proptest! {
        #[test]
        fn the_client_reads_what_the_server_writes(
            (id, row, ahead) in any::<(u128, i64, u64)>(),
            (phrase, letters, results) in any::<(String, String, Vec<String>)>(),
        ) {
            let state = ReceiptState {
                state: JobState::Done,
                ahead,
                attempt: 1,
                row: Some(LogSeq(row)),
                spooled: false,
                paused: true,
                accepted_at: Some(TimeMs(row)),
                started_at: None,
                recorded_at: Some(TimeMs(row)),
            };
            let wire = serde_json::to_string(&state).expect("serializable");
            prop_assert_eq!(from_json::<ReceiptState>(&wire), Ok(state));

            let text = format!("{results:?}");
            let receipt = Receipt("receipt".to_owned());
            let (id, recorded) = (SearchId(id), Recorded::Accepted);
            let answer = SearchAnswer { id, phrase, letters, results, text, receipt, recorded, accepted_in_ms: Some(4) };
            let wire = Answer::encode(&answer).expect("serializable");
            prop_assert_eq!(Answer::decode(wire), Ok(answer));
        }

        #[test]
        fn the_server_reads_what_the_client_writes(name in any::<String>(), number in any::<Option<i64>>()) {
            let wire = Arguments::encode(&(&name, number)).expect("serializable");
            let read: (String, Option<i64>) = Arguments::decode(wire).expect("JSON");
            prop_assert_eq!(read, (name, number));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), json in "[\\[{\"a1:,.e\\\\u}\\]-]{0,24}") {
            let _ = from_json::<SearchAnswer>(&text);
            let _ = from_json::<Vec<LabSpec>>(&json);
        }
    }
}
