//! Decides whether a day may be published without a proof.

use super::PublishOptions;
use crate::digest::{DayProof, Exception, ExceptionKind, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::store::lake::Partition;

impl PublishOptions {
    /// Fails if the day must be proved and is not. `can_be_proved` tells whether its log type has digests at all.
    pub fn check_proof(
        &self,
        proof: Option<&DayProof>,
        can_be_proved: bool,
        partition: &Partition,
    ) -> Result<()> {
        if !self.require_proof || !can_be_proved {
            return Ok(());
        }
        let refusal = |kind, text: &str| {
            Error::new(kind, text).with("table", &partition.table).with("day", partition.day)
        };
        let unproved = "digests do not prove the day: day not published";
        let Some(proof) = proof else {
            return Err(refusal(ErrorKind::Unproved, unproved)
                .with("verdict", Verdict::Unproved.word())
                .hint("turn on log file validation for the trail, add the digests with --input, or omit --require-proof"));
        };
        let worst = proof.worst_exception();
        let error = match proof.verdict {
            Verdict::Proved => return Ok(()),
            Verdict::Incomplete => refusal(
                ErrorKind::Temporary,
                "digests do not reach the end of the day's window yet: day not published",
            )
            .hint("run the day again when CloudTrail has delivered the digests, usually within two hours"),
            _ => refusal(ErrorKind::Unproved, unproved).hint(next_step(worst)),
        };
        let error = error.with("verdict", proof.verdict.word());
        Err(match worst {
            Some(Exception { object, detail, .. }) => error.with("first", object).with("why", detail),
            None => error,
        })
    }
}

fn next_step(worst: Option<&Exception>) -> &'static str {
    match worst.map(|worst| worst.kind) {
        Some(ExceptionKind::Unchecked) => {
            "pass the public keys of the trail with --public-keys, or omit --require-proof"
        }
        Some(ExceptionKind::Unsigned) => {
            "copy the next digests into the folder, whatever their date, or read the trail from its bucket"
        }
        Some(ExceptionKind::WithoutDigests) => {
            "add the digests of this account and region with --input, or omit --require-proof"
        }
        Some(ExceptionKind::UnnamedFile) => {
            "find out who wrote this file: move it out of the input, or add the digests that name it with --input"
        }
        _ => "publish the day without --require-proof to see all exceptions with 'logmill certify'",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{FileLedger, FurtherChains, Stretch};

    fn proof(verdict: Verdict) -> DayProof {
        let kinds = [ExceptionKind::AlteredFile, ExceptionKind::NotYetCovered, ExceptionKind::UnnamedFile];
        let exception = |kind: ExceptionKind| Exception {
            kind,
            object: format!("the {}", kind.word()),
            detail: "why".to_owned(),
        };
        DayProof {
            verdict,
            window: Stretch { from: String::new(), to: String::new() },
            origin: None,
            files: FileLedger::default(),
            unnamed: 0,
            digests: crate::digest::DigestList::default(),
            keys: Vec::new(),
            chains: Vec::new(),
            further_chains: FurtherChains::default(),
            without_digests: Vec::new(),
            exceptions: kinds.map(exception).to_vec(),
            exceptions_not_listed: 0,
        }
    }

    #[test]
    fn only_a_proved_day_is_published_if_a_proof_is_required() {
        let partition = Partition { table: "cloudtrail".to_owned(), day: "2023-11-01".parse().unwrap() };
        let check = |require_proof, proof: Option<&DayProof>, can| {
            PublishOptions { require_proof, ..PublishOptions::default() }.check_proof(proof, can, &partition)
        };
        for verdict in Verdict::ALL {
            assert!(check(false, Some(&proof(verdict)), true).is_ok());
            let expected = match verdict {
                Verdict::Proved => None,
                Verdict::Incomplete => Some(ErrorKind::Temporary),
                _ => Some(ErrorKind::Unproved),
            };
            assert_eq!(check(true, Some(&proof(verdict)), true).err().map(|error| error.kind()), expected);
        }
        assert_eq!(check(true, None, true).unwrap_err().kind(), ErrorKind::Unproved);
        assert!(check(true, None, false).is_ok(), "access logs have no digests");
        let altered = check(true, Some(&proof(Verdict::Altered)), true).unwrap_err();
        assert!(altered.to_string().contains("the altered file"), "{altered}");
        let unnamed = check(true, Some(&proof(Verdict::Unnamed)), true).unwrap_err();
        assert!(unnamed.to_string().contains("the unnamed file"), "{unnamed}");
        assert!(unnamed.next_step().is_some_and(|hint| hint.starts_with("find out who wrote")), "{unnamed}");
    }
}
