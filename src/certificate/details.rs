//! The details of exceptions in Korean. A manifest stores them in English.
//!
//! Each detail is an English form, in which `{}` stands for a value, and the same form in Korean. A detail of another form, for
//! example an error of S3, remains in English.

/// The forms, in English and Korean. If two forms fit, the first one counts.
const FORMS: &[(&str, &str)] = &[
    ("its hash differs from the one in the digest", "해시가 다이제스트의 값과 다릅니다"),
    ("it cannot be unpacked as one gzip member", "온전한 gzip 파일 하나로 압축을 풀 수 없습니다"),
    ("a digest names it, but it cannot be read", "다이제스트에 기재되어 있으나 읽을 수 없습니다"),
    ("no digest names it yet", "아직 어떤 다이제스트에도 기재되어 있지 않습니다"),
    ("'{}' has the same name, but another text", "이름이 같은 '{}'의 내용이 다릅니다"),
    ("no digest names it", "어떤 다이제스트에도 기재되어 있지 않습니다"),
    (
        "no digest of this account and region, but {} log files",
        "이 계정과 리전의 다이제스트가 없으나 로그 파일이 {}개 있습니다",
    ),
    (
        "no hourly digest, but digests of late files",
        "매시간 다이제스트 없이 늦은 파일의 다이제스트만 있습니다",
    ),
    ("logging was off, {} to {}", "기록이 중단됨, {} ~ {}"),
    (
        "the chain ends before the window, no digest, {} to {}",
        "체인이 기간의 끝에 이르지 못함, 다이제스트 없음, {} ~ {}",
    ),
    ("no digest yet, {} to {}", "아직 다이제스트 없음, {} ~ {}"),
    ("no digest, {} to {}", "다이제스트 없음, {} ~ {}"),
    ("it links to '{}', not to the digest before it", "직전 다이제스트가 아니라 '{}'에 연결되어 있습니다"),
    ("it links to '{}'", "'{}'에 연결되어 있습니다"),
    ("'{}' links to it", "'{}'이(가) 이 다이제스트에 연결되어 있습니다"),
    ("the next digest names another hash for it", "다음 다이제스트에 기재된 해시와 다릅니다"),
    ("no later digest carries its signature", "이 다이제스트의 서명을 담은 다음 다이제스트가 없습니다"),
    ("no public keys were given", "공개 키가 주어지지 않았습니다"),
    ("no public key has the fingerprint '{}'", "지문이 '{}'인 공개 키가 없습니다"),
    ("the signature does not match", "서명이 일치하지 않습니다"),
    ("its metadata has no signature", "메타데이터에 서명이 없습니다"),
    ("its signature is not hexadecimal", "서명이 16진수가 아닙니다"),
    ("it is of account '{}'", "다른 계정 '{}'의 다이제스트입니다"),
    ("it was delivered as '{}'", "원래 '{}'(으)로 전달된 다이제스트입니다"),
    ("its time ends at '{}'", "기간의 끝이 '{}'입니다"),
    ("it was removed after it was listed", "목록에 나온 뒤 삭제되었습니다"),
    ("it is not gzip", "gzip이 아닙니다"),
    ("bytes follow its gzip member", "gzip 데이터 뒤에 다른 바이트가 있습니다"),
    ("it cannot be unpacked: {}", "압축을 풀 수 없습니다: {}"),
    ("more than {} bytes when unpacked", "압축을 풀면 {}바이트를 넘습니다"),
    ("not a digest: {}", "다이제스트가 아닙니다: {}"),
    ("cannot list the public keys of CloudTrail{}", "CloudTrail의 공개 키를 조회할 수 없습니다{}"),
    ("unknown signature algorithm '{}'", "알 수 없는 서명 알고리즘 '{}'"),
    ("unknown hash algorithm of a log file", "로그 파일의 해시 알고리즘을 알 수 없습니다"),
    ("impossible start or end time", "시작 또는 끝 시각이 불가능한 값입니다"),
    ("CloudTrail lists no public keys for these hours{}", "이 시간의 CloudTrail 공개 키가 없습니다{}"),
];

/// Returns a detail in Korean; `None` if its form is unknown.
pub(super) fn in_korean(detail: &str) -> Option<String> {
    FORMS.iter().find_map(|(english, korean)| Some(filled(korean, &values(detail, english)?)))
}

/// Returns the values in a text of a form; `None` if the text has another form.
fn values<'t>(text: &'t str, form: &str) -> Option<Vec<&'t str>> {
    let mut pieces = form.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut values = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        let value = if is_last { rest.strip_suffix(piece)? } else { rest.split_once(piece)?.0 };
        values.push(value);
        rest = if is_last { "" } else { &rest[value.len() + piece.len()..] };
    }
    rest.is_empty().then_some(values)
}

fn filled(form: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut pieces = form.split("{}");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text += values.next().unwrap_or(&"");
        text += piece;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_detail_have_the_same_values() {
        for (english, korean) in FORMS {
            assert_eq!(english.matches("{}").count(), korean.matches("{}").count(), "{english}");
            assert!(korean.chars().any(|letter| ('가'..='힣').contains(&letter)), "{korean}");
            let given: Vec<String> =
                (0..english.matches("{}").count()).map(|place| format!("v{place}")).collect();
            let given: Vec<&str> = given.iter().map(String::as_str).collect();
            let text = filled(english, &given);
            assert_eq!(in_korean(&text), Some(filled(korean, &given)), "{text}");
        }
    }

    #[test]
    fn the_values_of_a_detail_remain_whatever_they_are() {
        for (detail, expected) in [
            ("no digest, 2023-11-01 to 2023-11-02", Some("다이제스트 없음, 2023-11-01 ~ 2023-11-02")),
            (
                "it links to 'a', not to the digest before it",
                Some("직전 다이제스트가 아니라 'a'에 연결되어 있습니다"),
            ),
            ("it was delivered as 's3://b/{}'", Some("원래 's3://b/{}'(으)로 전달된 다이제스트입니다")),
            ("the signature does not match!", None),
            ("", None),
        ] {
            assert_eq!(in_korean(detail).as_deref(), expected, "{detail}");
        }
    }
}
