//! The requests of a lake in a bucket, and the one place that sends them. The simulation of `tests/sim` answers them there.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

use super::Aws;

/// A request that is ready to be sent.
pub(crate) trait Request: Sized {
    /// The answer of S3.
    type Answer;
    /// The error of S3.
    type Refusal;

    /// Sends the request, with the retries of the SDK.
    async fn send_through(
        self,
        aws: &Aws,
    ) -> std::result::Result<Self::Answer, SdkError<Self::Refusal, HttpResponse>>;
}

/// The outcome of a request that a simulation answers.
#[cfg(test)]
pub(crate) type Outcome<R> =
    std::result::Result<<R as Request>::Answer, Box<SdkError<<R as Request>::Refusal, HttpResponse>>>;

/// Implements [`Request`] for operations of S3: the module in the SDK, its types, a short name, and the method of the simulation.
macro_rules! requests {
    ($($module:ident: $request:ident, $answer:ident, $refusal:ident, $short:ident, $simulated:ident;)*) => {$(
        impl Request for aws_sdk_s3::operation::$module::builders::$request {
            type Answer = aws_sdk_s3::operation::$module::$answer;
            type Refusal = aws_sdk_s3::operation::$module::$refusal;

            #[cfg_attr(not(test), expect(unused_variables, reason = "only tests simulate a bucket"))]
            async fn send_through(
                self,
                aws: &Aws,
            ) -> std::result::Result<Self::Answer, SdkError<Self::Refusal, HttpResponse>> {
                #[cfg(test)]
                if let Some(simulation) = aws.simulation() {
                    let outcome = simulation.answer(|bucket| bucket.$simulated(&self)).await;
                    return outcome.map_err(|error| *error);
                }
                self.send().await
            }
        }
    )*
        /// Short names of the requests.
        #[cfg(test)]
        pub(crate) mod builders {$(
            pub(crate) type $short = aws_sdk_s3::operation::$module::builders::$request;
        )*}
    };
}

requests! {
    abort_multipart_upload: AbortMultipartUploadFluentBuilder, AbortMultipartUploadOutput, AbortMultipartUploadError, AbortUpload, abort_upload;
    complete_multipart_upload: CompleteMultipartUploadFluentBuilder, CompleteMultipartUploadOutput, CompleteMultipartUploadError, CompleteUpload, complete_upload;
    create_multipart_upload: CreateMultipartUploadFluentBuilder, CreateMultipartUploadOutput, CreateMultipartUploadError, CreateUpload, create_upload;
    delete_object: DeleteObjectFluentBuilder, DeleteObjectOutput, DeleteObjectError, Delete, delete;
    delete_objects: DeleteObjectsFluentBuilder, DeleteObjectsOutput, DeleteObjectsError, DeleteAll, delete_all;
    get_object: GetObjectFluentBuilder, GetObjectOutput, GetObjectError, Get, get;
    get_object_tagging: GetObjectTaggingFluentBuilder, GetObjectTaggingOutput, GetObjectTaggingError, Tags, tags;
    head_object: HeadObjectFluentBuilder, HeadObjectOutput, HeadObjectError, Head, head;
    list_multipart_uploads: ListMultipartUploadsFluentBuilder, ListMultipartUploadsOutput, ListMultipartUploadsError, ListUploads, list_uploads;
    list_objects_v2: ListObjectsV2FluentBuilder, ListObjectsV2Output, ListObjectsV2Error, List, list;
    put_object: PutObjectFluentBuilder, PutObjectOutput, PutObjectError, Put, put;
    upload_part: UploadPartFluentBuilder, UploadPartOutput, UploadPartError, UploadPart, upload_part;
}
