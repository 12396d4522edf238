//! Addresses longer than the HTTP library reads.
//!
//! It refuses an address of 64 KiB, but the address of a search may hold 10,000 characters of 12 bytes each. Only the
//! entry page reads the query of its address; the server needs the path. So a query that is too long is cut.

/// The longest first line of a head that is passed on, in bytes. Below the library's limit of 65,534 for the address.
const MOST: usize = 60 * 1024;
/// The longest beginning that decides whether the address is the entry page's: `HEAD /entry?`.
const BEGINNING: usize = 12;

/// Follows one head.
#[derive(Debug, Default)]
pub struct LongAddress {
    beginning: Vec<u8>,
    /// How many bytes of the first line have been passed on.
    length: usize,
    spaces: usize,
    is_in_query: bool,
    /// The address is complete, or is none that may be cut.
    is_over: bool,
}

impl LongAddress {
    /// Passes everything on.
    pub fn unchanged() -> Self {
        Self { is_over: true, ..Self::default() }
    }

    /// Removes the bytes that are too much from `received`, and returns how many are left at its beginning.
    pub fn shorten(&mut self, received: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..received.len() {
            if self.is_over {
                received.copy_within(at.., kept);
                return kept + received.len() - at;
            }
            let byte = received[at];
            if self.passes(byte) {
                received[kept] = byte;
                kept += 1;
            }
        }
        kept
    }

    fn passes(&mut self, byte: u8) -> bool {
        if self.beginning.len() < BEGINNING {
            self.beginning.push(byte);
        } else if !self.is_entry_page() {
            self.is_over = true;
        }
        match byte {
            b' ' => self.spaces += 1,
            b'?' => self.is_in_query |= self.spaces == 1,
            _ => {}
        }
        if self.spaces == 2 || byte == b'\n' {
            self.is_over = true;
        }
        let passes = self.is_over || !self.is_in_query || self.length < MOST;
        self.length += usize::from(passes);
        passes
    }

    /// Other addresses may be read by the server, and must be whole.
    fn is_entry_page(&self) -> bool {
        let path = self.beginning.strip_prefix(b"GET ").or_else(|| self.beginning.strip_prefix(b"HEAD "));
        path.is_some_and(|path| path.starts_with(b"/?") || path.starts_with(b"/entry?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of `text` if it arrives in parts of this size.
    fn left(text: &str, part: usize) -> String {
        let mut address = LongAddress::default();
        let mut left = Vec::new();
        for part in text.as_bytes().chunks(part) {
            let mut part = part.to_vec();
            let kept = address.shorten(&mut part);
            left.extend_from_slice(&part[..kept]);
        }
        String::from_utf8(left).expect("ASCII")
    }

    const REST: &str = " HTTP/1.1\r\nhost: x\r\n\r\n?body of any length";

    #[test]
    fn only_the_end_of_a_long_query_is_cut() {
        let query = "%E6%97%A5".repeat(10_000);
        for begin in ["GET /?phrase=", "HEAD /?phrase=", "GET /entry?phrase=", "HEAD /entry?phrase="] {
            let whole = format!("{begin}{query}&letters=a{REST}");
            for part in [1, 7, 1_000, 64 * 1024, 200_000] {
                let left = left(&whole, part);
                assert_eq!(left.len(), MOST + REST.len(), "{begin} in parts of {part}");
                assert!(left.starts_with(begin) && left.ends_with(REST), "{begin} in parts of {part}");
            }
        }
    }

    #[test]
    fn everything_else_is_unchanged() {
        let long = "x".repeat(100_000);
        for whole in [
            format!("GET /?phrase=hello{REST}"),
            format!("GET /api/admin/log/rows?q={long}{REST}"),
            format!("HEAD /api/x?{long}{REST}"),
            format!("GET /results?phrase={long}{REST}"),
            format!("POST /?{long}{REST}"),
            format!("GET /{long}{REST}"),
            format!("GET / HTTP/1.1\r\nreferer: /?{long}\r\n\r\n"),
            format!("GET\r\n /?{long}"),
            format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n?{long}"),
            format!("?{long}"),
        ] {
            for part in [1, 1_000, 200_000] {
                assert!(left(&whole, part) == whole, "{whole:.30} in parts of {part}");
            }
        }
        let mut bytes = format!("GET /?{long}").into_bytes();
        assert_eq!(LongAddress::unchanged().shorten(&mut bytes), bytes.len());
    }
}
