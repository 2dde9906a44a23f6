//! The public keys of CloudTrail's digests, by `cloudtrail:ListPublicKeys`.
//!
//! The crate of the SDK adds 15 seconds of CPU to a cold build, a twentieth of the Glue crate, and brings endpoints, retries and
//! signatures that a call of our own would have to repeat.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::Region;
use aws_sdk_cloudtrail::config::retry::RetryConfig;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::PublicKey;

use super::Aws;
use super::failure::{Asked, failure};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{UtcInstant, UtcWindow};
use crate::store::ListedKey;

/// Attempts of a request. Fewer than those of S3, because a day can do without keys.
const ATTEMPTS: u32 = 3;
/// Maximum pages of an answer. AWS has a few keys a year.
const MOST_PAGES: usize = 100;
const LONGEST_REGION: usize = 32;
const NEXT_STEP: &str = "allow cloudtrail:ListPublicKeys in the policy of the role, or save the keys once and pass them with --public-keys";

impl Aws {
    /// Lists the keys with which CloudTrail signed digests in a region during some time. `role_arn` is a role to assume.
    pub fn public_keys(
        &self,
        role_arn: Option<&str>,
        region: &str,
        hours: UtcWindow,
    ) -> Result<Vec<ListedKey>> {
        if !is_region(region) {
            return Err(Error::new(ErrorKind::Unusable, "the name of a digest has no AWS region")
                .with("region", region)
                .hint("remove the digest, or pass the keys with --public-keys"));
        }
        let config = self.config(role_arn)?;
        let settings = aws_sdk_cloudtrail::config::Builder::from(&config)
            .region(Region::new(region.to_owned()))
            .retry_config(RetryConfig::standard().with_max_attempts(self.attempts_up_to(ATTEMPTS)));
        let client = Client::from_conf(settings.build());
        let keys = self.wait(list(&client, region, hours))?;
        if keys.is_empty() {
            return Err(Error::new(ErrorKind::Unusable, "CloudTrail lists no public keys for these hours")
                .with("region", region)
                .with("from", hours.start)
                .with("to", hours.end)
                .hint("check that the digests are from AWS, or pass their keys with --public-keys"));
        }
        Ok(keys)
    }
}

/// Whether a text has the form of a region. It becomes a part of a host name, and comes from the name of an object.
fn is_region(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= LONGEST_REGION && text.contains('-') && text.split('-').all(is_part)
}

async fn list(client: &Client, region: &str, hours: UtcWindow) -> Result<Vec<ListedKey>> {
    let (mut keys, mut next) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let request = client.list_public_keys().start_time(time(hours.start)).end_time(time(hours.end));
        let asked = Asked {
            failing: "cannot list the public keys of CloudTrail",
            target: region,
            permission: "cloudtrail:ListPublicKeys",
        };
        let page = request.set_next_token(next).send().await.map_err(|error| failure(asked, &error))?;
        keys.extend(page.public_key_list().iter().filter_map(listed));
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(keys);
        }
    }
    Err(Error::new(ErrorKind::Unusable, "the list of CloudTrail's public keys does not end")
        .with("at", region)
        .hint(NEXT_STEP))
}

fn listed(key: &PublicKey) -> Option<ListedKey> {
    let (fingerprint, value) = (key.fingerprint()?.to_owned(), key.value()?);
    Some(ListedKey { fingerprint, pkcs1: value.as_ref().to_vec() })
}

fn time(at: UtcInstant) -> DateTime {
    DateTime::from_millis(at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_of_a_region_becomes_a_part_of_a_host_name() {
        for (text, expected) in [
            ("ap-northeast-2", true),
            ("us-gov-west-1", true),
            ("eusc-de-east-1", true),
            ("", false),
            ("localhost", false),
            ("us-east-1.example.com", false),
            ("us-east-1/", false),
            ("us-east-1@host", false),
            ("-us-east-1", false),
            ("US-EAST-1", false),
            ("us-east-1-and-a-very-long-name-behind", false),
        ] {
            assert_eq!(is_region(text), expected, "{text}");
        }
    }
}
