//! The requests of a lake in a bucket, and the one place that sends them. The simulation of `tests/sim` answers them there.
//! The requests to Glue are sent in the same way.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

use super::Aws;

/// A request that is ready to be sent through a connection.
pub(crate) trait Request<C = Aws>: Sized {
    /// The answer of the service.
    type Answer;
    /// The error of the service.
    type Refusal;

    /// Sends the request, with the retries of the SDK.
    async fn send_through(
        self,
        connection: &C,
    ) -> std::result::Result<Self::Answer, SdkError<Self::Refusal, HttpResponse>>;
}

/// The outcome of a request that a simulation answers.
#[cfg(test)]
pub(crate) type Outcome<R, C = Aws> =
    std::result::Result<<R as Request<C>>::Answer, Box<SdkError<<R as Request<C>>::Refusal, HttpResponse>>>;

/// Implements [`Request`] for operations of a service: the crate of its SDK, the connection, and for each operation the module
/// in the SDK, its types, a short name, and the method of the simulation.
macro_rules! requests {
    ($sdk:ident through $connection:ty;
     $($module:ident: $request:ident, $answer:ident, $refusal:ident, $short:ident, $simulated:ident;)*) => {$(
        impl $crate::store::s3::request::Request<$connection> for $sdk::operation::$module::builders::$request {
            type Answer = $sdk::operation::$module::$answer;
            type Refusal = $sdk::operation::$module::$refusal;

            #[cfg_attr(not(test), expect(unused_variables, reason = "only tests simulate a service"))]
            async fn send_through(
                self,
                connection: &$connection,
            ) -> std::result::Result<Self::Answer, SdkError<Self::Refusal, HttpResponse>> {
                #[cfg(test)]
                if let Some(simulation) = connection.simulation() {
                    let outcome = simulation.answer(|simulated| simulated.$simulated(&self)).await;
                    return outcome.map_err(|error| *error);
                }
                self.send().await
            }
        }
    )*
        /// Short names of the requests.
        #[cfg(test)]
        pub(crate) mod builders {$(
            pub(crate) type $short = $sdk::operation::$module::builders::$request;
        )*}
    };
}
pub(crate) use requests;

requests! {
    aws_sdk_s3 through Aws;
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
