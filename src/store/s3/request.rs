//! The requests of a lake in a bucket, and the one place that sends them. The simulation of `tests/sim` answers them there.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

use super::Aws;

/// A request that is ready to be sent.
pub(super) trait Request: Sized {
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

/// Implements [`Request`] for operations of S3: the module in the SDK, its types, and the method of the simulation.
macro_rules! requests {
    ($($module:ident: $request:ident, $answer:ident, $refusal:ident, $simulated:ident;)*) => {$(
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

        #[cfg(test)]
        impl super::simulation::Answered for aws_sdk_s3::operation::$module::builders::$request {
            type Outcome = std::result::Result<
                aws_sdk_s3::operation::$module::$answer,
                Box<SdkError<aws_sdk_s3::operation::$module::$refusal, HttpResponse>>,
            >;
        }
    )*};
}

requests! {
    abort_multipart_upload: AbortMultipartUploadFluentBuilder, AbortMultipartUploadOutput, AbortMultipartUploadError, abort_upload;
    complete_multipart_upload: CompleteMultipartUploadFluentBuilder, CompleteMultipartUploadOutput, CompleteMultipartUploadError, complete_upload;
    create_multipart_upload: CreateMultipartUploadFluentBuilder, CreateMultipartUploadOutput, CreateMultipartUploadError, create_upload;
    delete_object: DeleteObjectFluentBuilder, DeleteObjectOutput, DeleteObjectError, delete;
    delete_objects: DeleteObjectsFluentBuilder, DeleteObjectsOutput, DeleteObjectsError, delete_all;
    get_object: GetObjectFluentBuilder, GetObjectOutput, GetObjectError, get;
    get_object_tagging: GetObjectTaggingFluentBuilder, GetObjectTaggingOutput, GetObjectTaggingError, tags;
    head_object: HeadObjectFluentBuilder, HeadObjectOutput, HeadObjectError, head;
    list_multipart_uploads: ListMultipartUploadsFluentBuilder, ListMultipartUploadsOutput, ListMultipartUploadsError, list_uploads;
    list_objects_v2: ListObjectsV2FluentBuilder, ListObjectsV2Output, ListObjectsV2Error, list;
    put_object: PutObjectFluentBuilder, PutObjectOutput, PutObjectError, put;
    upload_part: UploadPartFluentBuilder, UploadPartOutput, UploadPartError, upload_part;
}
