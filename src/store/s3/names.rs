//! Names in answers of S3, which can contain characters that XML cannot.
//!
//! A listing requests names in URL encoding (`encoding-type` of `ListObjectsV2`). As plain text, a key with a control
//! character makes the whole answer unreadable, and a carriage return comes back as a line feed. A server that does not know
//! the parameter does not repeat it in its answer, and its names are used unchanged.

use aws_sdk_s3::types::EncodingType;
use percent_encoding::percent_decode_str;

/// Decodes a name from an answer with this encoding; S3 writes a space as `+`.
pub(super) fn decoded(name: String, encoding: Option<&EncodingType>) -> String {
    if encoding != Some(&EncodingType::Url) || !name.contains(['%', '+']) {
        return name;
    }
    percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_only_if_the_answer_is_encoded() {
        for (name, expected) in [
            ("a/b.json.gz", "a/b.json.gz"),
            ("a%1Bb%0D%0Ac", "a\u{1b}b\r\nc"),
            ("a+b%2Bc%2520", "a b+c%20"),
            ("%ED%95%9C", "\u{d55c}"),
            ("100%", "100%"),
        ] {
            assert_eq!(decoded(name.to_owned(), Some(&EncodingType::Url)), expected);
            assert_eq!(decoded(name.to_owned(), None), name);
        }
    }
}
