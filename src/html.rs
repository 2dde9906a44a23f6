//! Makes untrusted text safe inside HTML.

/// Escapes markup, and shows the codes of characters that are invisible or change the text direction.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ if is_unseen(character) => {
                escaped.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Joins pieces of markup.
pub(crate) fn concat(pieces: impl Iterator<Item = String>) -> String {
    pieces.collect::<Vec<_>>().concat()
}

/// Whether a character is a control character, or changes the direction or the shape of the text after it.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_markup_is_escaped() {
        let cases = [
            ("plain/key 1.html", "plain/key 1.html"),
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            (r#"" onmouseover="x"#, "&quot; onmouseover=&quot;x"),
            ("a&amp;b", "a&amp;amp;b"),
            ("로그/한국어", "로그/한국어"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
            ("tab\there", "tab\\u{9}here"),
        ];
        for (text, escaped) in cases {
            assert_eq!(escape(text), escaped);
        }
    }
}
