//! Reads server-sent events.

use api::{ApiError, StreamEnd};

use crate::platform::fetch::{self, Lines};

/// How a stream ended.
pub enum End {
    /// The server said why.
    Said(StreamEnd),
    /// There is nothing to follow any more.
    Nothing,
    /// It broke off.
    Cut,
}

/// Reads the stream at `url` until it ends. `heard` is called for whatever arrives, `receive` for each event.
pub async fn read(url: String, heard: impl Fn(), receive: impl Fn(Event)) -> Result<End, ApiError> {
    let Some(body) = fetch::open(url).await? else { return Ok(End::Nothing) };
    let mut parser = EventParser::default();
    let mut end = End::Cut;
    while let Some(chunk) = body.next().await? {
        heard();
        for event in parser.push(&chunk) {
            match StreamEnd::parse(&event.data).filter(|_| event.name == StreamEnd::EVENT) {
                Some(said) => end = End::Said(said),
                None => receive(event),
            }
        }
    }
    Ok(end)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `message` if the server has not named it.
    pub name: String,
    pub data: String,
}

/// Assembles events from chunks. Ids and retry times are ignored: the address of a stream says where it resumes, and the
/// page decides when.
#[derive(Debug, Default)]
struct EventParser {
    lines: Lines,
    name: Option<String>,
    data: Option<String>,
}

impl EventParser {
    /// The events that `chunk` completes.
    fn push(&mut self, chunk: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for line in self.lines.push(chunk) {
            // The server sends no other text.
            let Ok(line) = String::from_utf8(line) else { continue };
            let line = line.strip_suffix('\r').unwrap_or(&line);
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                // A comment has an empty name too, but a value.
                "" if line.is_empty() => {
                    let name = self.name.take();
                    // Without data there is no event.
                    events.extend(
                        self.data.take().map(|data| Event { name: name.unwrap_or("message".to_owned()), data }),
                    );
                }
                "event" => self.name = Some(value.to_owned()),
                "data" => match &mut self.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => self.data = Some(value.to_owned()),
                },
                _ => {}
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(stream: &str, size: usize) -> Vec<(String, String)> {
        let mut parser = EventParser::default();
        let events = stream.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk)).collect::<Vec<_>>();
        events.into_iter().map(|Event { name, data }| (name, data)).collect()
    }

    #[test]
    fn events_do_not_depend_on_where_chunks_end() {
        let stream = "event: row\ndata: {\"a\":\"é: b\"}\nid: 7\n\n: a comment\n\ndata: one\r\ndata:two\r\n\r\nevent: empty\n\n\
                      data: unfinished\n";
        let expected = [("row", "{\"a\":\"é: b\"}"), ("message", "one\ntwo")];
        let expected = expected.map(|(name, data)| (name.to_owned(), data.to_owned()));
        for size in 1..=stream.len() {
            assert_eq!(parse(stream, size), expected, "chunks of {size}");
        }
    }
}
