//! The side of S3 that one actor sees: requests of the SDK, answered by the world.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ErrorMetadata, SdkError};
use aws_sdk_s3::operation as of;
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat, SdkBody};
use aws_sdk_s3::types::{CommonPrefix, MultipartUpload, Object as Listed};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::Broken;
use super::bucket::{Answer, Condition, Object, Request};
use super::world::{Failure, HOUR, World};
use crate::kst::UtcInstant;
use crate::store::s3::simulation::{Outcome, SimulatedBucket, builders};

/// The port of an actor.
pub(super) struct Port {
    pub(super) world: Arc<World>,
    pub(super) me: usize,
    pub(super) broken: Broken,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.me)
    }
}

/// A failed request, as the SDK reports it.
pub(super) type Refused<E> = Box<SdkError<E, HttpResponse>>;

/// An error of a service.
pub(super) fn refusal<E>(error: E, status: u16) -> Refused<E> {
    let answer = HttpResponse::new(status.try_into().expect("a status"), SdkBody::empty());
    Box::new(SdkError::service_error(error, answer))
}

/// A request without an answer.
pub(super) fn broken_connection<E>(failure: Failure) -> Refused<E> {
    let cause = match failure {
        Failure::Lost => ConnectorError::io("the connection broke".into()),
        Failure::Dead => ConnectorError::user("the process is dead".into()),
    };
    Box::new(SdkError::dispatch_failure(cause))
}

impl Port {
    /// Sends a request; an error of S3 becomes one of the SDK.
    fn send<E>(&self, request: &Request, error: fn(ErrorMetadata) -> E) -> Result<Answer, Refused<E>> {
        match self.world.send(self.me, request) {
            Ok(Answer::Refused(status, code)) => {
                let metadata = ErrorMetadata::builder().code(code).build();
                Err(Box::new(SdkError::service_error(error(metadata), self.raw(status, request))))
            }
            Ok(answer) => Ok(answer),
            Err(failure) => Err(broken_connection(failure)),
        }
    }

    /// An answer with a status and a date.
    fn raw(&self, status: u16, request: &Request) -> HttpResponse {
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        let ahead = if self.broken.expires_locks(request) { HOUR } else { 0 };
        let date = DateTime::from_secs((self.now().0 + ahead) / 1000).fmt(DateTimeFormat::HttpDate).unwrap();
        answer.headers_mut().insert("date", date);
        answer
    }
}

/// The bytes of a range: `bytes=0-511`.
fn range_of(range: &str) -> std::ops::Range<usize> {
    let (first, last) =
        range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("a range");
    first.parse().expect("its first byte")..last.parse::<usize>().expect("its last byte") + 1
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn bytes(body: Option<&ByteStream>) -> Arc<[u8]> {
    body.and_then(ByteStream::bytes).unwrap_or_default().into()
}

/// A time as S3 shows it, in whole seconds.
fn seconds(millis: i64) -> DateTime {
    DateTime::from_secs(millis / 1000)
}

fn length(object: &Object) -> i64 {
    i64::try_from(object.content.len()).unwrap()
}

fn object(answer: Answer) -> Object {
    let Answer::Object(object) = answer else { unreachable!("it is the answer to a read: {answer}") };
    object
}

fn name(answer: Answer) -> String {
    let Answer::Name(name) = answer else { unreachable!("it is the answer to a write: {answer}") };
    name
}

impl SimulatedBucket for Port {
    fn abort_upload(&self, request: &builders::AbortUpload) -> Outcome<builders::AbortUpload> {
        let request = Request::Abort { id: text(request.get_upload_id().as_ref()) };
        self.send(&request, of::abort_multipart_upload::AbortMultipartUploadError::generic)?;
        Ok(of::abort_multipart_upload::AbortMultipartUploadOutput::builder().build())
    }

    fn complete_upload(&self, request: &builders::CompleteUpload) -> Outcome<builders::CompleteUpload> {
        let (id, key) = (text(request.get_upload_id().as_ref()), text(request.get_key().as_ref()));
        let request = Request::Complete { id, key };
        self.send(&request, of::complete_multipart_upload::CompleteMultipartUploadError::generic)?;
        Ok(of::complete_multipart_upload::CompleteMultipartUploadOutput::builder().build())
    }

    fn create_upload(&self, request: &builders::CreateUpload) -> Outcome<builders::CreateUpload> {
        let request = Request::Create { key: text(request.get_key().as_ref()) };
        let answer = self.send(&request, of::create_multipart_upload::CreateMultipartUploadError::generic)?;
        let output = of::create_multipart_upload::CreateMultipartUploadOutput::builder();
        Ok(output.upload_id(name(answer)).build())
    }

    fn delete(&self, request: &builders::Delete) -> Outcome<builders::Delete> {
        let (key, if_match) = (text(request.get_key().as_ref()), request.get_if_match().clone());
        let request = Request::Delete { key, if_match };
        self.send(&request, of::delete_object::DeleteObjectError::generic)?;
        Ok(of::delete_object::DeleteObjectOutput::builder().build())
    }

    fn delete_all(&self, request: &builders::DeleteAll) -> Outcome<builders::DeleteAll> {
        let delete = request.get_delete().as_ref().expect("it names keys");
        let keys = delete.objects().iter().map(|object| object.key().to_owned()).collect();
        self.send(&Request::DeleteAll { keys }, of::delete_objects::DeleteObjectsError::generic)?;
        Ok(of::delete_objects::DeleteObjectsOutput::builder().build())
    }

    fn get(&self, request: &builders::Get) -> Outcome<builders::Get> {
        let (key, if_match) = (text(request.get_key().as_ref()), request.get_if_match().clone());
        let wanted = Request::Get { key, if_match };
        let found = object(self.send(&wanted, of::get_object::GetObjectError::generic)?);
        let range = request.get_range().as_deref().map_or(0..found.content.len(), range_of);
        let content = found.content.get(range).unwrap_or_default().to_vec();
        let output =
            of::get_object::GetObjectOutput::builder().content_length(content.len().try_into().unwrap());
        let output = output.e_tag(&found.etag).last_modified(seconds(found.modified_at));
        Ok(output.body(ByteStream::from(content)).build())
    }

    fn tags(&self, request: &builders::Tags) -> Outcome<builders::Tags> {
        let request = Request::Head { key: text(request.get_key().as_ref()), if_match: None };
        self.send(&request, of::get_object_tagging::GetObjectTaggingError::generic)?;
        let output = of::get_object_tagging::GetObjectTaggingOutput::builder().set_tag_set(Some(Vec::new()));
        Ok(output.build().expect("it has a list of tags"))
    }

    fn head(&self, request: &builders::Head) -> Outcome<builders::Head> {
        let (key, if_match) = (text(request.get_key().as_ref()), request.get_if_match().clone());
        let answer =
            self.send(&Request::Head { key, if_match }, of::head_object::HeadObjectError::generic)?;
        let found = object(answer);
        let output = of::head_object::HeadObjectOutput::builder().content_length(length(&found));
        Ok(output.e_tag(&found.etag).last_modified(seconds(found.modified_at)).build())
    }

    fn list_uploads(&self, request: &builders::ListUploads) -> Outcome<builders::ListUploads> {
        let request = Request::ListUploads { prefix: text(request.get_prefix().as_ref()) };
        let error = of::list_multipart_uploads::ListMultipartUploadsError::generic;
        let Answer::Uploads(found) = self.send(&request, error)? else { unreachable!("it lists uploads") };
        let upload = |(id, upload): (String, super::bucket::Upload)| {
            let found = MultipartUpload::builder().upload_id(id).key(upload.key);
            found.initiated(seconds(upload.began_at)).build()
        };
        let uploads = found.into_iter().map(upload).collect();
        let output = of::list_multipart_uploads::ListMultipartUploadsOutput::builder();
        Ok(output.set_uploads(Some(uploads)).is_truncated(false).build())
    }

    fn list(&self, request: &builders::List) -> Outcome<builders::List> {
        let (prefix, is_grouped) = (text(request.get_prefix().as_ref()), request.get_delimiter().is_some());
        let after = request.get_continuation_token().clone().or(request.get_start_after().clone());
        let most = request.get_max_keys().map_or(1000, |most| most.try_into().expect("a number of keys"));
        let request = Request::List { prefix, is_grouped, after, most };
        let answer = self.send(&request, of::list_objects_v2::ListObjectsV2Error::generic)?;
        let Answer::Page { objects, groups, next } = answer else { unreachable!("it lists objects") };
        let listed = |(key, object): (String, Object)| {
            let listed = Listed::builder().key(key).size(length(&object)).e_tag(&object.etag);
            listed.last_modified(seconds(object.modified_at)).build()
        };
        let group = |group| CommonPrefix::builder().prefix(group).build();
        let output = of::list_objects_v2::ListObjectsV2Output::builder().is_truncated(next.is_some());
        let output = output.set_contents(Some(objects.into_iter().map(listed).collect()));
        let output = output.set_common_prefixes(Some(groups.into_iter().map(group).collect()));
        Ok(output.set_next_continuation_token(next).build())
    }

    fn put(&self, request: &builders::Put) -> Outcome<builders::Put> {
        let condition = match (request.get_if_match(), request.get_if_none_match()) {
            (Some(etag), _) => Condition::Is(etag.clone()),
            (None, Some(_)) => Condition::Absent,
            (None, None) => Condition::Always,
        };
        let (key, content) = (text(request.get_key().as_ref()), bytes(request.get_body().as_ref()));
        let request = Request::Put { key, content, condition };
        let answer = self.send(&request, of::put_object::PutObjectError::generic)?;
        Ok(of::put_object::PutObjectOutput::builder().e_tag(name(answer)).build())
    }

    fn upload_part(&self, request: &builders::UploadPart) -> Outcome<builders::UploadPart> {
        let (id, content) = (text(request.get_upload_id().as_ref()), bytes(request.get_body().as_ref()));
        let request = Request::Part { id, content };
        let answer = self.send(&request, of::upload_part::UploadPartError::generic)?;
        Ok(of::upload_part::UploadPartOutput::builder().e_tag(name(answer)).build())
    }

    fn pause(&self, time: Duration) {
        self.world.pause(self.me, i64::try_from(time.as_millis()).expect("it is a few seconds"));
    }

    fn now(&self) -> UtcInstant {
        UtcInstant(self.world.state().now)
    }
}
