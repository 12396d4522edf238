//! Country codes and flags.

use std::fmt;
use std::str::FromStr;

use api::COUNTRIES;

/// Two upper-case letters. The country need not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountryCode([u8; 2]);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a country's code has two letters, for instance BR")]
pub struct NoCountryCode;

impl CountryCode {
    /// The countries that have a flag here.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        COUNTRIES.iter().map(|code| code.parse().expect("country codes have two letters"))
    }

    /// The lower-case code, as in file names.
    pub fn lowercase(self) -> String {
        self.to_string().to_ascii_lowercase()
    }
}

impl FromStr for CountryCode {
    type Err = NoCountryCode;

    fn from_str(text: &str) -> Result<Self, NoCountryCode> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| NoCountryCode)?;
        if letters.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(letters.map(|l| l.to_ascii_uppercase())))
        } else {
            Err(NoCountryCode)
        }
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// The flag of one of [`COUNTRIES`], as an SVG document. `code` is in lower case.
pub fn flag(code: &str) -> Option<&'static str> {
    Some(match code {
        "bd" => include_str!("../flags/bd.svg"),
        "br" => include_str!("../flags/br.svg"),
        "cd" => include_str!("../flags/cd.svg"),
        "cn" => include_str!("../flags/cn.svg"),
        "de" => include_str!("../flags/de.svg"),
        "eg" => include_str!("../flags/eg.svg"),
        "et" => include_str!("../flags/et.svg"),
        "fr" => include_str!("../flags/fr.svg"),
        "id" => include_str!("../flags/id.svg"),
        "in" => include_str!("../flags/in.svg"),
        "ir" => include_str!("../flags/ir.svg"),
        "jp" => include_str!("../flags/jp.svg"),
        "mx" => include_str!("../flags/mx.svg"),
        "ng" => include_str!("../flags/ng.svg"),
        "ph" => include_str!("../flags/ph.svg"),
        "pk" => include_str!("../flags/pk.svg"),
        "ru" => include_str!("../flags/ru.svg"),
        "tr" => include_str!("../flags/tr.svg"),
        "us" => include_str!("../flags/us.svg"),
        "vn" => include_str!("../flags/vn.svg"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_country_has_its_own_flag() {
        let flags: Vec<_> = CountryCode::all().map(|code| flag(&code.lowercase()).expect("it has a flag")).collect();
        for (index, flag) in flags.iter().enumerate() {
            assert!(flag.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "), "{flag}");
            assert!(flag.len() < 3_000 && !flags[..index].contains(flag), "{flag}");
        }
        assert_eq!((flag("BR"), flag("xx"), flag("")), (None, None, None));
    }

    #[test]
    fn flags_contain_only_shapes() {
        for code in CountryCode::all() {
            let flag = flag(&code.lowercase()).expect("it has a flag").replace("http://www.w3.org/2000/svg", "");
            for word in ["script", "foreignObject", "http", "data:", "url(", " on", "<style", "<!", "<?"] {
                assert!(!flag.contains(word), "{code}: {word}");
            }
            // All references are within the file.
            assert_eq!(flag.matches("href=").count(), flag.matches("href=\"#").count(), "{code}");
        }
    }
}
