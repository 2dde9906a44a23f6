//! The words of a certificate, in English and Korean.

use super::details;
use crate::digest::{ExceptionKind, Verdict};

/// The language of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
}

/// A text in both languages.
pub(super) type Words = (&'static str, &'static str);

impl Language {
    /// Returns its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.of(("en", "ko"))
    }

    /// Returns the text in this language.
    pub(super) fn of(self, words: Words) -> &'static str {
        match self {
            Self::English => words.0,
            Self::Korean => words.1,
        }
    }

    /// Returns the name of a verdict.
    pub(super) fn verdict(self, verdict: Verdict) -> &'static str {
        let korean = match verdict {
            Verdict::Proved => "증명됨",
            Verdict::Unproved => "증명되지 않음",
            Verdict::Unnamed => "미기재 파일 있음",
            Verdict::Incomplete => "미완료",
            Verdict::Gap => "기록 중단 구간 있음",
            Verdict::Broken => "서명·연결 오류",
            Verdict::Missing => "누락",
            Verdict::Altered => "변조",
        };
        self.of((verdict.word(), korean))
    }

    /// Returns the detail of an exception. One of an unknown form, for example an error of S3, remains in English.
    pub(super) fn detail(self, detail: &str) -> String {
        let korean = if self == Self::Korean { details::in_korean(detail) } else { None };
        korean.unwrap_or_else(|| detail.to_owned())
    }

    /// Returns the name of a kind of exception.
    pub(super) fn exception(self, kind: ExceptionKind) -> &'static str {
        let korean = match kind {
            ExceptionKind::AlteredFile => "변조된 파일",
            ExceptionKind::MissingFile => "누락된 파일",
            ExceptionKind::MissingDigest => "누락된 다이제스트",
            ExceptionKind::BrokenDigest => "잘못된 다이제스트",
            ExceptionKind::BrokenLink => "잘못된 연결",
            ExceptionKind::Gap => "기록 중단",
            ExceptionKind::NotYetCovered => "아직 다이제스트 없음",
            ExceptionKind::NotYetSigned => "아직 서명 없음",
            ExceptionKind::Unsigned => "서명 없는 다이제스트",
            ExceptionKind::Unchecked => "서명 미확인",
            ExceptionKind::WithoutDigests => "다이제스트 없는 파일",
            ExceptionKind::UnnamedFile => "다이제스트에 없는 파일",
        };
        self.of((kind.word(), korean))
    }
}

pub(super) const TITLE: Words = ("Certificate of access logs", "접속기록 증명서");
pub(super) const SUMMARY: Words = ("Days", "날짜별 결과");
pub(super) const COVERAGE: Words = ("Accounts, regions and hours", "계정·리전·시간 범위");
pub(super) const EXCEPTIONS: Words = ("Exceptions", "예외");
pub(super) const NO_EXCEPTIONS: Words = ("No exceptions.", "예외가 없습니다.");
pub(super) const WITHOUT_DIGESTS: Words =
    ("No digests were found for these days:", "다음 날짜는 다이제스트가 없어 증명할 수 없습니다:");
pub(super) const ORIGIN: Words =
    ("Place for which CloudTrail signed the digests", "CloudTrail이 서명한 원래 위치");
pub(super) const LEDGER: Words = ("Rows of the files", "파일의 행");
pub(super) const NOT_LISTED: Words = ("further exceptions, counted only", "건은 개수만 집계했습니다");
pub(super) const FURTHER_CHAINS: Words =
    ("further digest chains, counted only", "개 다이제스트 체인은 개수만 집계했습니다");
pub(super) const FILES: Words = ("Published files", "게시된 파일");
pub(super) const KEYS: Words = ("Keys that signed the digests", "다이제스트 서명 키");
pub(super) const NO_KEYS: Words = ("No signature was checked.", "확인한 서명이 없습니다.");
pub(super) const FINGERPRINT: Words = ("Fingerprint", "지문(fingerprint)");
pub(super) const MEANING: Words =
    ("What this proves, and what it does not", "증명하는 것과 증명하지 않는 것");
pub(super) const NOT_PUBLISHED: Words = ("not published", "게시되지 않음");
pub(super) const CANNOT_BE_PROVED: Words = ("cannot be proved", "증명할 수 없음");
pub(super) const BY_METADATA: Words = ("own", "자체");
pub(super) const BY_SUCCESSOR: Words = ("next digest", "다음 다이제스트");
pub(super) const DATA: Words = ("This certificate as data", "증명서 데이터");
pub(super) const MANIFEST: Words = ("manifest", "매니페스트");

/// The facts at the top.
pub(super) const FACTS: [Words; 4] =
    [("Lake", "데이터 레이크"), ("Days", "날짜"), ("Issued at", "발급 시각"), ("logmill", "logmill")];

/// The columns of [`SUMMARY`].
pub(super) const SUMMARY_HEADS: [Words; 11] = [
    ("Day (KST)", "날짜(KST)"),
    ("Table", "테이블"),
    ("Verdict", "판정"),
    ("Files named", "기재된 파일"),
    ("Right", "일치"),
    ("Altered", "변조"),
    ("Missing", "누락"),
    ("Unnamed", "미기재"),
    ("Hours", "시간"),
    ("Events", "이벤트"),
    ("Run", "실행"),
];

/// The columns of [`COVERAGE`].
pub(super) const COVERAGE_HEADS: [Words; 10] = [
    ("Day", "날짜"),
    ("Account", "계정"),
    ("Region", "리전"),
    ("Trail", "추적"),
    ("Verdict", "판정"),
    ("Hours", "시간"),
    ("Digests", "다이제스트"),
    ("Signature", "서명"),
    ("Files named", "기재된 파일"),
    ("Right", "일치"),
];

/// The columns of [`EXCEPTIONS`].
pub(super) const EXCEPTION_HEADS: [Words; 4] =
    [("Day", "날짜"), ("Exception", "예외"), ("Object", "대상"), ("Detail", "내용")];

/// The columns of [`LEDGER`].
pub(super) const LEDGER_HEADS: [Words; 8] = [
    ("Day", "날짜"),
    ("Table", "테이블"),
    ("Read", "읽음"),
    ("Written", "저장"),
    ("Other day", "다른 날짜"),
    ("Duplicate", "중복"),
    ("Quarantined", "격리"),
    ("Filtered", "필터 제외"),
];

/// The columns of [`FILES`].
pub(super) const FILE_HEADS: [Words; 4] =
    [("File", "파일"), ("Rows", "행"), ("Bytes", "바이트"), ("SHA-256", "SHA-256")];

/// The paragraphs of [`MEANING`].
pub(super) const PARAGRAPHS: [Words; 7] = [
    (
        "Every hour, CloudTrail signs a digest per account and region. It names each log file that CloudTrail delivered, with the SHA-256 of its text, and the digest before it.",
        "CloudTrail은 계정과 리전마다 매시간 다이제스트에 서명합니다. 다이제스트에는 전달한 모든 로그 파일과 그 내용의 SHA-256, 그리고 직전 다이제스트가 기재됩니다.",
    ),
    (
        "'proved' means: signed digests cover the day and its lateness without gaps, every log file that they name was read with the right hash, and no other file was read. The rows of these files are in the published files below, except those that the row ledger counts otherwise.",
        "'증명됨'은 서명된 다이제스트가 하루와 지연 허용 시간을 빈틈없이 포함하고, 기재된 모든 로그 파일을 해시가 일치함을 확인하고 읽었으며, 그 밖의 파일은 읽지 않았다는 뜻입니다. 이 파일들의 행은 '파일의 행' 표에서 따로 집계한 것을 제외하고 아래의 게시 파일에 들어 있습니다.",
    ),
    (
        "'unnamed' means: files were read that no digest names. No digest vouches for their rows. If a row has the event ID of another one, only one of the two is published.",
        "'미기재 파일 있음'은 다이제스트에 없는 파일도 읽었다는 뜻이며, 그 행은 다이제스트로 확인되지 않습니다. 이벤트 ID가 같은 행은 하나만 게시됩니다.",
    ),
    (
        "It does not prove that an account or region without digests had no activity, nor that a trail recorded every kind of event. The settings of the trail decide that.",
        "다이제스트가 없는 계정이나 리전에 활동이 없었다는 것, 추적이 모든 종류의 이벤트를 기록했다는 것은 증명하지 않습니다. 이는 추적 설정에 달려 있습니다.",
    ),
    (
        "S3 server access logs have no digests. AWS delivers them on a best-effort basis: that they are complete cannot be proved.",
        "S3 서버 액세스 로그에는 다이제스트가 없습니다. AWS가 최선 노력(best effort) 방식으로 전달하므로 완전성을 증명할 수 없습니다.",
    ),
    (
        "A digest with its own signature is proved by the metadata of its object in S3. In a copy without metadata, each digest is proved by the signature that the next digest carries.",
        "자체 서명은 S3 객체의 메타데이터로 확인합니다. 메타데이터가 없는 사본에서는 다음 다이제스트에 담긴 서명으로 확인합니다.",
    ),
    (
        "Anyone with the lake can check this certificate again with 'logmill certify --verify FILE'.",
        "데이터 레이크가 있으면 'logmill certify --verify 파일'로 이 증명서를 다시 확인할 수 있습니다.",
    ),
];
