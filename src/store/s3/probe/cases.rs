//! The promises of a bucket, each with its requests.

use super::{Seen, Sent, TriedBucket, get, is_refused, upload};
use crate::error::{ErrorKind, Result};
use crate::store::promise::{CLOCKS_DIFFER_MS, Case, Need, Promise};
use crate::store::s3::request::Request;

const CONDITIONS: &str =
    "upgrade the store to a version with conditional requests, or let one machine write at a time";

/// The promises of a bucket.
pub(in crate::store) const BUCKETS: [Case<TriedBucket>; 13] = [
    Case {
        promise: Promise {
            name: "conditional put",
            need: Need::Required,
            purpose: "If-None-Match lets one run publish a new day or take its lock",
            broken: "two runs on two machines can publish the same day, and the second replaces the first unseen",
            next: CONDITIONS,
        },
        is_small: true,
        check: conditional_put,
    },
    Case {
        promise: Promise {
            name: "conditional replace",
            need: Need::Required,
            purpose: "If-Match lets a run replace only the manifest that it has read",
            broken: "a paused run can replace the day of a newer run, whose files are then removed",
            next: CONDITIONS,
        },
        is_small: true,
        check: conditional_replace,
    },
    Case {
        promise: Promise {
            name: "conditional removal",
            need: Need::Useful,
            purpose: "If-Match lets a run remove only its own lock",
            broken: "a run that ends removes the lock of the run that took it over, which then stops",
            next: "run the day again once both have stopped; the manifest still decides which run publishes",
        },
        is_small: true,
        check: conditional_removal,
    },
    Case {
        promise: Promise {
            name: "hidden uploads",
            need: Need::Required,
            purpose: "an upload in parts is invisible until it is completed",
            broken: "readers by path see files of unfinished days",
            next: "use a store with multipart uploads that completes them in one step",
        },
        is_small: true,
        check: hidden_uploads,
    },
    Case {
        promise: Promise {
            name: "aborted uploads",
            need: Need::Required,
            purpose: "an aborted upload can no longer be completed",
            broken: "files of runs that gave up appear later",
            next: "use a store that forgets aborted uploads",
        },
        is_small: true,
        check: aborted_uploads,
    },
    Case {
        promise: Promise {
            name: "list of uploads",
            need: Need::Required,
            purpose: "every commit looks for uploads that killed runs left",
            broken: "no day can be published",
            next: "use a store with ListMultipartUploads",
        },
        is_small: true,
        check: list_of_uploads,
    },
    Case {
        promise: Promise {
            name: "ETags",
            need: Need::Required,
            purpose: "put, head, get and list give a version of an object one ETag, and another version another one",
            broken: "conditions fail by mistake, and days that did not change look stale",
            next: "use a store whose ETags identify the content",
        },
        is_small: true,
        check: etags,
    },
    Case {
        promise: Promise {
            name: "pinned reads",
            need: Need::Useful,
            purpose: "If-Match keeps a file in one version while it is read in parts",
            broken: "an object that is replaced while it is read can give rows of both versions",
            next: "do not replace raw objects while a run reads them",
        },
        is_small: true,
        check: pinned_reads,
    },
    Case {
        promise: Promise {
            name: "order of listings",
            need: Need::Required,
            purpose: "listings are sorted, begin after a key, end at a folder, and continue page by page",
            broken: "raw objects and days are missed",
            next: "use a store with all parameters of ListObjectsV2",
        },
        is_small: true,
        check: order_of_listings,
    },
    Case {
        promise: Promise {
            name: "encoded names",
            need: Need::Useful,
            purpose: "listings encode keys that XML cannot hold",
            broken: "a key with a control character makes its folder unreadable",
            next: "rename such raw objects, or pass inputs without them",
        },
        is_small: true,
        check: encoded_names,
    },
    Case {
        promise: Promise {
            name: "checksums",
            need: Need::Useful,
            purpose: "the store refuses an upload whose checksum is wrong",
            broken: "bytes that are damaged on their way are stored; 'logmill verify' finds them later",
            next: "use https, and run 'logmill verify' after a day is published",
        },
        is_small: true,
        check: checksums,
    },
    Case {
        promise: Promise {
            name: "metadata",
            need: Need::Useful,
            purpose: "copies of CloudTrail's digests keep their signatures as metadata",
            broken: "no day can be proved from digests in this store",
            next: "keep the digests in a bucket of S3",
        },
        is_small: true,
        check: metadata,
    },
    Case {
        promise: Promise {
            name: "clock",
            need: Need::Useful,
            purpose: "answers carry a date near the time of this machine, by which locks expire",
            broken: "the lock of a killed run on another machine is not taken over in time, or signatures are refused",
            next: "set the clocks of the store and of this machine; without dates, take over with --steal",
        },
        is_small: true,
        check: clock,
    },
];

fn broken(text: &str) -> Seen {
    Seen::Broken(text.to_owned())
}

fn conditional_put(tried: &TriedBucket) -> Result<Seen> {
    let name = "conditional/put";
    tried.bucket.aws.wait(async {
        if tried.send(name, tried.put(name, "one").if_none_match("*")).await? == Sent::Refused {
            return Ok(broken("If-None-Match was refused for a key without an object"));
        }
        if tried.send(name, tried.put(name, "two").if_none_match("*")).await? != Sent::Refused {
            return Ok(broken("If-None-Match: * was ignored: an existing object was replaced"));
        }
        Ok(Seen::if_so(tried.holds(name, "one").await?, "a refused put has changed the object"))
    })
}

fn conditional_replace(tried: &TriedBucket) -> Result<Seen> {
    let (name, missing) = ("conditional/replace", "conditional/missing");
    tried.bucket.aws.wait(async {
        let first = tried.store(name, "one").await?;
        if tried.send(name, tried.put(name, "two").if_match(&first)).await? == Sent::Refused {
            return Ok(broken("If-Match was refused for the current ETag"));
        }
        if tried.send(name, tried.put(name, "three").if_match(&first)).await? != Sent::Refused {
            return Ok(broken("If-Match was ignored: a version that was not read was replaced"));
        }
        if !tried.holds(name, "two").await? {
            return Ok(broken("a refused put has changed the object"));
        }
        let created = tried.send(missing, tried.put(missing, "one").if_match(&first)).await?;
        Ok(Seen::if_so(created == Sent::Refused, "If-Match was ignored for a key without an object"))
    })
}

fn conditional_removal(tried: &TriedBucket) -> Result<Seen> {
    let name = "conditional/removal";
    tried.bucket.aws.wait(async {
        let first = tried.store(name, "one").await?;
        tried.store(name, "two").await?;
        let request = tried.bucket.client.delete_object().bucket(&tried.bucket.name).key(tried.key(name));
        let request = request.if_match(first).set_expected_bucket_owner(tried.bucket.owner.clone());
        let refused = is_refused(&request.send_through(&tried.bucket.aws).await);
        let is_kept = tried.holds(name, "two").await?;
        Ok(Seen::if_so(refused && is_kept, "If-Match was ignored: another version was removed"))
    })
}

fn hidden_uploads(tried: &TriedBucket) -> Result<Seen> {
    let name = "uploads/hidden";
    let begun = tried.upload(name, "content")?;
    tried.bucket.aws.wait(async {
        let is_listed = !tried.list("uploads/hidden", "", 1000, true).await?.is_empty();
        if is_listed || tried.content(name).await?.is_some() {
            return Ok(broken("an unfinished upload is visible"));
        }
        begun.complete(&tried.bucket).await?;
        Ok(Seen::if_so(tried.holds(name, "content").await?, "a completed upload has another content"))
    })
}

fn aborted_uploads(tried: &TriedBucket) -> Result<Seen> {
    let name = "uploads/aborted";
    let begun = tried.upload(name, "content")?;
    tried.bucket.aws.wait(async {
        upload::abort(&tried.bucket, &begun.key, &begun.id).await?;
        let is_completed = begun.complete(&tried.bucket).await.is_ok();
        let is_absent = tried.content(name).await?.is_none();
        Ok(Seen::if_so(!is_completed && is_absent, "an aborted upload was completed"))
    })
}

fn list_of_uploads(tried: &TriedBucket) -> Result<Seen> {
    let begun = tried.upload("uploads/listed", "content")?;
    tried.bucket.aws.wait(async {
        let is_listed = |found: &[(String, String)]| found.iter().any(|(_, id)| *id == begun.id);
        let before = tried.unfinished().await;
        upload::abort(&tried.bucket, &begun.key, &begun.id).await?;
        if !is_listed(&before?) {
            return Ok(broken("an unfinished upload is not listed"));
        }
        Ok(Seen::if_so(!is_listed(&tried.unfinished().await?), "an aborted upload is still listed"))
    })
}

fn etags(tried: &TriedBucket) -> Result<Seen> {
    let name = "etags/object";
    tried.bucket.aws.wait(async {
        let mut versions = Vec::new();
        for content in ["one", "other"] {
            let put = tried.store(name, content).await?;
            let head = tried.head(name).await?.e_tag().unwrap_or_default().to_owned();
            let got = get(&tried.bucket, &tried.key(name), None, None).await?.etag;
            let listed = tried.listed_etag(name).await?;
            if put.is_empty() || [&head, &got, &listed].iter().any(|etag| **etag != put) {
                return Ok(broken(&format!("put gives {put}, head {head}, get {got}, list {listed}")));
            }
            versions.push(put);
        }
        Ok(Seen::if_so(versions[0] != versions[1], "two versions have the same ETag"))
    })
}

fn pinned_reads(tried: &TriedBucket) -> Result<Seen> {
    let name = "pinned/object";
    tried.bucket.aws.wait(async {
        let first = tried.store(name, "one").await?;
        let second = tried.store(name, "two").await?;
        if !tried.pinned(name, &second).await? {
            return Ok(broken("a new object is not found"));
        }
        match tried.pinned(name, &first).await {
            Ok(_) => Ok(broken("If-Match was ignored: another version was read")),
            Err(error) if error.kind() == ErrorKind::Temporary => Ok(Seen::Kept),
            Err(error) => Err(error),
        }
    })
}

fn order_of_listings(tried: &TriedBucket) -> Result<Seen> {
    let keys = ["order/a", "order/b/x", "order/b/y", "order/c"];
    tried.bucket.aws.wait(async {
        for key in keys {
            tried.store(key, "").await?;
        }
        for (after, page, enters, expected) in [
            ("", 1000, true, &keys[..]),
            ("", 1, true, &keys[..]),
            ("order/a", 1000, true, &keys[1..]),
            ("order/b/x", 2, true, &keys[2..]),
            ("", 1000, false, &["order/a", "order/c", "order/b/"]),
        ] {
            let found = tried.list("order/", after, page, enters).await?;
            if found != expected {
                return Ok(broken(&format!("after '{after}' in pages of {page}, it lists {found:?}")));
            }
        }
        Ok(Seen::Kept)
    })
}

fn encoded_names(tried: &TriedBucket) -> Result<Seen> {
    let name = "encoded/a \u{1b}+%2B\u{d55c}";
    tried.bucket.aws.wait(async {
        tried.store(name, "").await?;
        let found = tried.list("encoded/", "", 1000, true).await;
        // Without its name, this object could not be found and removed at the end.
        upload::remove(&tried.bucket, &tried.key(name)).await?;
        let found = found?;
        Ok(Seen::if_so(found == [name], &format!("the name {name:?} is listed as {found:?}")))
    })
}

fn checksums(tried: &TriedBucket) -> Result<Seen> {
    let name = "checksums/object";
    tried.bucket.aws.wait(async {
        // The CRC-32 of other bytes.
        let answer =
            tried.put(name, "content").checksum_crc32("AAAAAA==").send_through(&tried.bucket.aws).await;
        if !is_refused(&answer) {
            return Ok(broken("an object with a wrong CRC-32 was accepted"));
        }
        tried.store(name, "content").await?;
        let head = tried.head(name).await?;
        let is_kept = head.checksum_crc32().or(head.checksum_crc64_nvme()).is_some();
        Ok(Seen::if_so(is_kept, "the checksum of an object is checked but not stored"))
    })
}

fn metadata(tried: &TriedBucket) -> Result<Seen> {
    let name = "metadata/object";
    tried.bucket.aws.wait(async {
        let request = tried.put(name, "content").metadata("signature-algorithm", "SHA256withRSA");
        tried.send(name, request).await?;
        let found = get(&tried.bucket, &tried.key(name), None, None).await?.metadata;
        let is_kept = found
            .iter()
            .any(|(key, value)| key.eq_ignore_ascii_case("signature-algorithm") && value == "SHA256withRSA");
        Ok(Seen::if_so(is_kept, "the metadata of an object is not returned"))
    })
}

fn clock(tried: &TriedBucket) -> Result<Seen> {
    tried.bucket.aws.wait(tried.store("clock", ""))?;
    let Some(answered_at) = tried.clock.answered_at() else {
        return Ok(broken("answers have no Date"));
    };
    let text = format!("it is {answered_at} there and {} here", tried.now);
    Ok(Seen::if_so((answered_at.0 - tried.now.0).abs() < CLOCKS_DIFFER_MS, &text))
}
