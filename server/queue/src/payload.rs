//! The versioned envelope of a job's input.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::JobError;

/// The input of one kind of job.
pub trait Payload: Serialize + DeserializeOwned {
    /// The kind, as stored in the database.
    const KIND: &'static str;
    /// Increase it with every change that would make old workers misread new payloads.
    const VERSION: u32;
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    v: u32,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// The payload as JSON text with its version. JSON escapes NUL, so the text contains none.
pub fn encode<T: Payload>(payload: &T) -> String {
    serde_json::to_string(&Envelope { v: T::VERSION, body: payload })
        .expect("payloads are plain structs with text keys, which always have a JSON form")
}

/// Reads what [`encode`] wrote. An unreadable payload makes its job dead, because every attempt would fail.
pub fn decode<T: Payload>(payload: &str) -> Result<T, JobError> {
    let corrupt = |why: String| JobError::Dead(format!("the payload cannot be read: {why}"));
    let Version { v } = serde_json::from_str(payload).map_err(|error| corrupt(error.to_string()))?;
    if v != T::VERSION {
        return Err(corrupt(format!("its version is {v}, this worker reads version {}", T::VERSION)));
    }
    serde_json::from_str(payload).map_err(|error| corrupt(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Greeting {
        name: String,
    }

    impl Payload for Greeting {
        const KIND: &'static str = "greet";
        const VERSION: u32 = 2;
    }

    #[test]
    fn an_encoded_payload_is_decoded() {
        let greeting = Greeting { name: "NUL \0 and \u{10ffff}".to_owned() };
        let text = encode(&greeting);
        assert!(text.starts_with(r#"{"v":2,"#) && !text.contains('\0'), "{text}");
        assert_eq!(decode::<Greeting>(&text).expect("readable"), greeting);
    }

    #[test]
    fn a_corrupt_payload_is_dead_with_a_reason() {
        for (text, reason) in [
            ("", "EOF"),
            ("{}", "missing field `v`"),
            (r#"{"v":1,"name":"x"}"#, "its version is 1, this worker reads version 2"),
            (r#"{"v":2}"#, "missing field `name`"),
        ] {
            let Err(JobError::Dead(why)) = decode::<Greeting>(text) else { panic!("{text} was read") };
            assert!(why.contains(reason), "{why}");
        }
    }
}
