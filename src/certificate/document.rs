//! A certificate in words: titled sections of paragraphs and tables.

use std::collections::BTreeSet;

use super::words::{self, Language, Words};
use super::{Certificate, DayCertificate};
use crate::dataset;
use crate::digest::{ChainProof, DayProof};
use crate::kst::KstDay;
use crate::ledger::RowLedger;

/// A certificate in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The title.
    pub title: &'static str,
    /// The language.
    pub language: Language,
    /// The sections.
    pub sections: Vec<Section>,
}

/// A section: paragraphs, then a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// The title; empty for the facts at the top.
    pub title: &'static str,
    /// The paragraphs.
    pub paragraphs: Vec<String>,
    /// The names of the columns; none without a table.
    pub heads: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// The columns that a narrow screen can hide, the least important first.
    pub spare: Vec<&'static str>,
}

/// The columns that a narrow screen can hide, by the title of their section and their places, the least important first.
const SPARE: [(Words, &[usize]); 3] = [
    (words::SUMMARY, &[10, 7, 4, 3, 8, 9]),
    (words::COVERAGE, &[7, 6, 9, 8, 3, 5]),
    (words::LEDGER, &[7, 4, 5, 6]),
];

impl Document {
    /// Says what a certificate says.
    #[must_use]
    pub fn of(certificate: &Certificate, language: Language) -> Self {
        let writer = Writer { certificate, language };
        let sections = vec![
            writer.facts(),
            writer.summary(),
            writer.coverage(),
            writer.exceptions(),
            writer.ledger(),
            writer.keys(),
            writer.files(),
            writer.meaning(),
        ];
        Self { title: language.of(words::TITLE), language, sections }
    }
}

/// Whether digests can name the files of a day. A newer version may know its log type.
fn can_be_proved(day: &DayCertificate) -> bool {
    day.proof.is_some() || dataset::named(&day.dataset).is_some_and(dataset::Dataset::has_digests)
}

struct Writer<'a> {
    certificate: &'a Certificate,
    language: Language,
}

impl Writer<'_> {
    fn section(&self, title: Words, heads: &[Words], rows: Vec<Vec<String>>) -> Section {
        let heads: Vec<&str> = heads.iter().map(|head| self.language.of(*head)).collect();
        let places = SPARE.iter().find(|(of, _)| *of == title).map_or(&[][..], |(_, places)| places);
        let spare = places.iter().map(|place| heads[*place]).collect();
        Section { title: self.language.of(title), paragraphs: Vec::new(), heads, rows, spare }
    }

    fn facts(&self) -> Section {
        let Certificate { lake, issued_at, logmill, .. } = self.certificate;
        let values = [lake.clone(), self.days(), issued_at.clone(), logmill.clone()];
        let names = words::FACTS.map(|name| self.language.of(name));
        let paragraphs = names.iter().zip(values).map(|(name, value)| format!("{name}: {value}")).collect();
        Section { paragraphs, ..Section::default() }
    }

    fn days(&self) -> String {
        let days = || {
            let published = self.certificate.days.iter().map(|day| day.day);
            published.chain(self.certificate.not_published.iter().map(|day| day.day))
        };
        match (days().min(), days().max()) {
            (Some(first), Some(last)) if first != last => format!("{first} – {last} (KST)"),
            (Some(only), _) => format!("{only} (KST)"),
            _ => String::new(),
        }
    }

    fn summary(&self) -> Section {
        let mut rows: Vec<(KstDay, Vec<String>)> =
            self.certificate.days.iter().map(|day| (day.day, self.summary_row(day))).collect();
        rows.extend(self.certificate.not_published.iter().map(|missing| {
            let mut row = vec![missing.day.to_string(), missing.table.clone()];
            row.push(self.language.of(words::NOT_PUBLISHED).to_owned());
            row.resize(words::SUMMARY_HEADS.len(), "–".to_owned());
            (missing.day, row)
        }));
        rows.sort();
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        self.section(words::SUMMARY, &words::SUMMARY_HEADS, rows)
    }

    fn summary_row(&self, day: &DayCertificate) -> Vec<String> {
        let verdict = if can_be_proved(day) {
            self.language.verdict(day.verdict)
        } else {
            self.language.of(words::CANNOT_BE_PROVED)
        };
        let mut row = vec![day.day.to_string(), day.table.clone(), verdict.to_owned()];
        match &day.proof {
            None => row.extend(std::iter::repeat_n("–".to_owned(), 6)),
            Some(proof) => {
                let files = proof.files;
                let counts = [files.named, files.right, files.altered, files.missing, proof.unnamed];
                row.extend(counts.map(|count| count.to_string()));
                let (covered, wanted) = proof.minutes();
                row.push(format!("{} / {}", hours(covered), hours(wanted)));
            }
        }
        row.extend([day.rows.written.to_string(), day.run.clone()]);
        row
    }

    fn proofs(&self) -> impl Iterator<Item = (&DayCertificate, &DayProof)> {
        self.certificate.days.iter().filter_map(|day| Some((day, day.proof.as_ref()?)))
    }

    fn coverage(&self) -> Section {
        let rows = self.proofs().flat_map(|(day, proof)| {
            let row = |chain| self.chain_row(day, proof, chain);
            proof.chains.iter().map(row).collect::<Vec<_>>()
        });
        let mut section = self.section(words::COVERAGE, &words::COVERAGE_HEADS, rows.collect());
        let origins: BTreeSet<&str> =
            self.proofs().filter_map(|(_, proof)| proof.origin.as_deref()).collect();
        let name = self.language.of(words::ORIGIN);
        section.paragraphs.extend(origins.into_iter().map(|origin| format!("{name}: {origin}")));
        let further: u64 = self.proofs().map(|(_, proof)| proof.further_chains.chains).sum();
        if further > 0 {
            section.paragraphs.push(format!("{further} {}", self.language.of(words::FURTHER_CHAINS)));
        }
        section
    }

    fn chain_row(&self, day: &DayCertificate, proof: &DayProof, chain: &ChainProof) -> Vec<String> {
        let name = &chain.name;
        let trail = if name.backfill { format!("{} (backfill)", name.trail) } else { name.trail.clone() };
        let hours_covered = if name.backfill {
            "–".to_owned()
        } else {
            format!("{} / {}", hours(chain.covered_minutes), hours(proof.window.minutes()))
        };
        let signed = [
            (chain.signed_by_metadata, words::BY_METADATA),
            (chain.signed_by_successor, words::BY_SUCCESSOR),
        ];
        let signed = signed.iter().filter(|(count, _)| *count > 0);
        let signed: Vec<String> =
            signed.map(|(count, how)| format!("{}: {count}", self.language.of(*how))).collect();
        vec![
            day.day.to_string(),
            name.account.clone(),
            name.region.clone(),
            trail,
            self.language.verdict(chain.verdict).to_owned(),
            hours_covered,
            chain.digests.to_string(),
            if signed.is_empty() { "–".to_owned() } else { signed.join(", ") },
            chain.files.named.to_string(),
            chain.files.right.to_string(),
        ]
    }

    fn exceptions(&self) -> Section {
        let rows: Vec<Vec<String>> = self
            .proofs()
            .flat_map(|(day, proof)| {
                proof.exceptions.iter().map(|one| {
                    let kind = self.language.exception(one.kind).to_owned();
                    let detail = self.language.detail(&one.detail);
                    vec![day.day.to_string(), kind, one.object.clone(), detail]
                })
            })
            .collect();
        let not_listed: u64 = self.proofs().map(|(_, proof)| proof.exceptions_not_listed).sum();
        let mut section = self.section(words::EXCEPTIONS, &words::EXCEPTION_HEADS, rows);
        let unproved = self.certificate.days.iter().filter(|day| can_be_proved(day) && day.proof.is_none());
        let unproved: Vec<String> = unproved.map(|day| format!("{} {}", day.day, day.table)).collect();
        if !unproved.is_empty() {
            let text = self.language.of(words::WITHOUT_DIGESTS);
            section.paragraphs.push(format!("{text} {}", unproved.join(", ")));
        } else if section.rows.is_empty() {
            section.paragraphs.push(self.language.of(words::NO_EXCEPTIONS).to_owned());
        }
        if not_listed > 0 {
            section.paragraphs.push(format!("{not_listed} {}", self.language.of(words::NOT_LISTED)));
        }
        section
    }

    /// What became of the rows of the files, since not every row that was read is in the published files.
    fn ledger(&self) -> Section {
        let row = |day: &DayCertificate| {
            let RowLedger { read, written, other_day, duplicate, quarantined, filtered } = day.rows;
            let counts = [read, written, other_day, duplicate, quarantined, filtered];
            let about = [day.day.to_string(), day.table.clone()];
            about.into_iter().chain(counts.map(|count| count.to_string())).collect()
        };
        let rows = self.certificate.days.iter().map(row).collect();
        self.section(words::LEDGER, &words::LEDGER_HEADS, rows)
    }

    fn keys(&self) -> Section {
        let mut keys: Vec<&String> = self.proofs().flat_map(|(_, proof)| &proof.keys).collect();
        keys.sort();
        keys.dedup();
        let rows = keys.into_iter().map(|key| vec![key.clone()]).collect();
        let mut section = self.section(words::KEYS, &[words::FINGERPRINT], rows);
        if section.rows.is_empty() {
            section.paragraphs.push(self.language.of(words::NO_KEYS).to_owned());
        }
        section
    }

    fn files(&self) -> Section {
        let rows = self.certificate.days.iter().flat_map(|day| {
            let manifest = vec![
                day.manifest.clone(),
                self.language.of(words::MANIFEST).to_owned(),
                "–".to_owned(),
                day.manifest_sha256.clone(),
            ];
            let folder = day.manifest.rsplit_once('/').map_or("", |(folder, _)| folder);
            let part = day.parts.iter().map(move |part| {
                let path = format!("{folder}/{}", part.path);
                vec![path, part.rows.to_string(), part.bytes.to_string(), part.sha256.clone()]
            });
            std::iter::once(manifest).chain(part).collect::<Vec<_>>()
        });
        self.section(words::FILES, &words::FILE_HEADS, rows.collect())
    }

    fn meaning(&self) -> Section {
        let paragraphs = words::PARAGRAPHS.iter().map(|words| self.language.of(*words).to_owned()).collect();
        Section { title: self.language.of(words::MEANING), paragraphs, ..Section::default() }
    }
}

/// Formats minutes as hours, with a decimal only if needed.
fn hours(minutes: u64) -> String {
    if minutes.is_multiple_of(60) {
        (minutes / 60).to_string()
    } else {
        format!("{:.1}", minutes as f64 / 60.0)
    }
}
