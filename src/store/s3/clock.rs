//! The clock of S3, as the `Date` of its answers shows it.
//!
//! Times from S3 are compared with this clock alone: the clock of a machine may be wrong by hours.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

use crate::kst::UtcInstant;

/// Means that no answer has arrived yet.
const UNKNOWN: i64 = i64::MIN;

/// Notes the time of every answer that a client receives.
#[derive(Debug, Clone)]
pub(super) struct ServiceClock {
    answered_at: Arc<AtomicI64>,
}

impl ServiceClock {
    pub(super) fn new() -> Self {
        Self { answered_at: Arc::new(AtomicI64::new(UNKNOWN)) }
    }

    /// Notes the time of an answer.
    pub(super) fn note(&self, at: UtcInstant) {
        self.answered_at.store(at.0, Ordering::Relaxed);
    }

    /// The time of the service's last answer: its current time is this or a little later. `None` before its first answer,
    /// and for a service that does not date its answers.
    pub(super) fn answered_at(&self) -> Option<UtcInstant> {
        let at = self.answered_at.load(Ordering::Relaxed);
        (at != UNKNOWN).then_some(UtcInstant(at))
    }
}

impl Intercept for ServiceClock {
    fn name(&self) -> &'static str {
        "ServiceClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = date_of(context.response()) {
            self.note(date);
        }
        Ok(())
    }
}

/// The time of an answer, if it has a date.
pub(super) fn date_of(answer: &HttpResponse) -> Option<UtcInstant> {
    let date = answer.headers().get("date")?;
    let time = DateTime::from_str(date, DateTimeFormat::HttpDate).ok()?;
    time.to_millis().ok().map(UtcInstant)
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::primitives::SdkBody;

    use super::*;

    #[test]
    fn only_the_date_of_an_answer_gives_its_time() {
        for (date, expected) in [
            (Some("Wed, 01 Nov 2023 00:00:00 GMT"), Some(1_698_796_800_000)),
            (Some("tomorrow"), None),
            (None, None),
        ] {
            let mut answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
            if let Some(date) = date {
                answer.headers_mut().insert("date", date);
            }
            assert_eq!(date_of(&answer), expected.map(UtcInstant), "{date:?}");
        }
    }
}
