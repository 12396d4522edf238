//! The strict form codec of the public server functions.
//!
//! Common form decoders replace invalid UTF-8 and take the last value of a repeated field, so they would answer a
//! different request. This codec rejects both.

use bytes::Bytes;
use serde::Serialize;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use server_fn::{ContentType, Decodes, Encodes, Format, FormatType};

use crate::error::echo;
use crate::{ApiError, ErrorCode};

/// More fields than any form has. Limited, because each field is compared with all earlier ones.
const MAX_FIELDS: usize = 16;

/// `application/x-www-form-urlencoded`, with each field at most once.
pub struct Form;

impl ContentType for Form {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";
}

impl FormatType for Form {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for Form {
    type Error = serde_urlencoded::ser::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        serde_urlencoded::to_string(value).map(|form| unescape_non_ascii(&form))
    }
}

impl<T: DeserializeOwned> Decodes<T> for Form {
    type Error = FormError;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let rest = fields(&bytes)?.into_iter();
        T::deserialize(MapAccessDeserializer::new(Fields { rest, current: None }))
    }
}

/// Percent-encoding triples the size of non-ASCII text, so a phrase within its limit might not fit into a body.
fn unescape_non_ascii(form: &str) -> Bytes {
    let mut bytes = Vec::with_capacity(form.len());
    let mut rest = form.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let non_ascii = after.get(..2).filter(|_| byte == b'%').and_then(hex_byte).filter(|byte| !byte.is_ascii());
        bytes.push(non_ascii.unwrap_or(byte));
        rest = if non_ascii.is_some() { &after[2..] } else { after };
    }
    Bytes::from(bytes)
}

/// The error of an invalid form. Displays as the wire form of [`ApiError`], because server functions pass on a codec's
/// error only as text.
#[derive(Debug, PartialEq, Eq)]
pub struct FormError(ApiError);

impl std::fmt::Display for FormError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| std::fmt::Error)?)
    }
}

impl std::error::Error for FormError {}

impl de::Error for FormError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(ApiError::new(ErrorCode::Invalid, echo(&message.to_string())))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(ApiError::at(ErrorCode::Missing, field, format!("The field {field} is missing.")))
    }
}

fn fields(body: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for pair in body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let name = decode_text(halves.next().unwrap_or_default(), None)?;
        let value = decode_text(halves.next().unwrap_or_default(), Some(&name))?;
        if fields.iter().any(|(other, _)| *other == name) {
            let name = echo(&name);
            let message = format!("The field {name} is given more than once.");
            return Err(FormError(ApiError::at(ErrorCode::Repeated, &name, message)));
        }
        if fields.len() == MAX_FIELDS {
            let message = format!("The form has more than {MAX_FIELDS} fields.");
            return Err(FormError(ApiError::new(ErrorCode::Malformed, message)));
        }
        fields.push((name, value));
    }
    Ok(fields)
}

/// Decodes percent-encoding and `+` for space. Rejects invalid UTF-8.
fn decode_text(encoded: &[u8], field: Option<&str>) -> Result<String, FormError> {
    let malformed = |message: &str| {
        let field = field.map(|name| echo(name).into_owned());
        FormError(ApiError { field, ..ApiError::new(ErrorCode::Malformed, message) })
    };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, after) =
                    rest.split_at_checked(2).ok_or_else(|| malformed("A percent sign wants two digits after it."))?;
                rest = after;
                hex_byte(digits).ok_or_else(|| malformed("A percent sign wants two hexadecimal digits after it."))?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed("The text is not UTF-8."))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |&byte: &u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match digits {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

/// Yields the fields in order, and adds the field's name to an error of its value.
struct Fields {
    rest: std::vec::IntoIter<(String, String)>,
    current: Option<(String, String)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = FormError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FormError> {
        self.current = self.rest.next();
        self.current.as_ref().map(|(name, _)| seed.deserialize(Text(name.clone()))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FormError> {
        let (name, value) = self.current.take().expect("a value is read after its key");
        seed.deserialize(Text(value)).map_err(|FormError(error)| FormError(ApiError { field: Some(name), ..error }))
    }
}

/// A field's value. An empty text is a value too: `letters=` means no letters, a missing field means the default.
struct Text(String);

impl<'de> IntoDeserializer<'de, FormError> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Text {
    type Error = FormError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FormError> {
        let text: StringDeserializer<FormError> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Question {
        phrase: String,
        letters: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<crate::SearchId>,
    }

    fn decode(body: &[u8]) -> Result<Question, ApiError> {
        Form::decode(Bytes::copy_from_slice(body)).map_err(|FormError(error)| error)
    }

    fn failure(body: &[u8]) -> (ErrorCode, Option<String>) {
        let error = decode(body).expect_err("refused");
        (error.code, error.field)
    }

    #[test]
    fn absent_and_empty_differ() {
        assert_eq!(decode(b"phrase=a").expect("read").letters, None);
        assert_eq!(decode(b"phrase=a&letters=").expect("read").letters, Some(String::new()));
        assert_eq!(decode(b"phrase=a&letters").expect("read").letters, Some(String::new()));
    }

    #[test]
    fn invalid_forms_are_refused_with_the_field() {
        let at = |field: &str| Some(field.to_owned());
        assert_eq!(failure(b"letters=a"), (ErrorCode::Missing, at("phrase")));
        assert_eq!(failure(b""), (ErrorCode::Missing, at("phrase")));
        assert_eq!(failure(b"phrase=a&phrase=a"), (ErrorCode::Repeated, at("phrase")));
        assert_eq!(failure(b"phrase=%ff"), (ErrorCode::Malformed, at("phrase")));
        assert_eq!(failure(b"phrase=\xff"), (ErrorCode::Malformed, at("phrase")));
        assert_eq!(failure(b"phrase=%ED%A0%80"), (ErrorCode::Malformed, at("phrase")));
        assert_eq!(failure(b"phrase=%4"), (ErrorCode::Malformed, at("phrase")));
        assert_eq!(failure(b"phrase=%zz"), (ErrorCode::Malformed, at("phrase")));
        assert_eq!(failure(b"%ff=a"), (ErrorCode::Malformed, None));
        assert_eq!(failure(b"phrase=a&id=no-ulid"), (ErrorCode::Invalid, at("id")));
    }

    #[test]
    fn the_number_of_fields_is_limited() {
        let body_of = |others: usize| {
            let others = (0..others).map(|number| format!("&other{number}=x"));
            format!("phrase=a{}", others.collect::<String>())
        };
        assert_eq!(decode(body_of(MAX_FIELDS - 1).as_bytes()).expect("read").phrase, "a");
        assert_eq!(failure(body_of(MAX_FIELDS).as_bytes()), (ErrorCode::Malformed, None));
    }

    #[test]
    fn a_long_name_is_echoed_in_part() {
        let name = "\u{1}".repeat(20_000);
        for body in [format!("{name}&{name}"), format!("{name}=%")] {
            let error = decode(body.as_bytes()).expect_err("refused");
            let field = error.field.clone().expect("the error names a field");
            assert!(field.ends_with('…') && name.starts_with(field.trim_end_matches('…')), "{field:?}");
            assert!(FormError(error).to_string().len() < 2_000, "small, although each character is escaped");
        }
    }

    #[test]
    fn an_error_survives_its_text_form() {
        let FormError(error) = Form::decode(Bytes::from_static(b"")).map(|_: Question| ()).expect_err("refused");
        let text = FormError(error.clone()).to_string();
        assert_eq!(serde_json::from_str::<ApiError>(&text).expect("wire form"), error);
    }

    #[test]
    fn every_search_within_the_limits_fits_into_a_body() {
        for character in ["a", "%", "\0", "\u{7f}", "é", "€", "😀"] {
            let phrase = character.repeat(crate::PHRASE_LIMIT);
            let letters = Some(character.repeat(crate::LETTERS_LIMIT));
            let encoded = Form::encode(&Question { phrase, letters, id: None }).expect("encodable");
            assert!(encoded.len() < 64 * 1024 - 100, "{} bytes of {character:?}", encoded.len());
            assert!(std::str::from_utf8(&encoded).is_ok(), "the client sends it as a text");
        }
    }

    proptest! {
        #[test]
        fn an_encoded_form_is_decoded(phrase in any::<String>(), letters in any::<Option<String>>()) {
            let question = Question { phrase, letters, id: None };
            let encoded = Form::encode(&question).expect("encodable");
            prop_assert_eq!(decode(&encoded).expect("read"), question);
        }

        #[test]
        fn never_panics(body in any::<Vec<u8>>()) {
            let _ = decode(&body);
        }
    }
}
