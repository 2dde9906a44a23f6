//! The columns of CloudTrail.
//!
//! The first 41 columns follow the order of the earlier Spark job, whose lower-case names `--naming compact` restores. Newer
//! fields of CloudTrail follow them. Sources: AWS, "CloudTrail record contents" and "CloudTrail userIdentity element".

use crate::dataset::json_fields::{json_columns as c, json_schema};
use crate::table::Promotion;
use crate::table::column::ColumnType::{BigInt, Bool, Json, Text, TextList, Timestamp};
use crate::table::column::{Column, Identifier, Naming, Origin, TableSchema};

/// Every column of a record, in order.
#[rustfmt::skip]
static COLUMNS: [Column; 73] = [
    c!("additional_event_data", Json, "additionalEventData", "Facts about the event beyond request and response, as JSON"),
    c!("api_version", Text, "apiVersion", "API version of the call"),
    c!("aws_region", Text, "awsRegion", "Region that the request was made to"),
    c!("error_code", Text, "errorCode", "AWS error code when the request failed"),
    c!("error_message", Text, "errorMessage", "Description of the error"),
    c!("event_id", Text, "eventID", "GUID that identifies the event").identifies(Identifier::EVENT),
    c!("event_name", Text, "eventName", "Action that was requested"),
    c!("event_source", Text, "eventSource", "Service that the request was made to"),
    c!("event_time", Timestamp, "eventTime", "When the request completed, UTC"),
    Column::new("event_time_kst", Timestamp, Origin::EventTimeKst, "When the request completed, Korean wall clock").compact("eventtime_kst"),
    c!("event_type", Text, "eventType", "Kind of event: AwsApiCall, AwsServiceEvent, AwsConsoleSignIn, ..."),
    c!("event_version", Text, "eventVersion", "Version of the record format"),
    c!("read_only", Bool, "readOnly", "Whether the call only reads"),
    c!("recipient_account_id", Text, "recipientAccountId", "Account that received the event"),
    c!("request_id", Text, "requestID", "Id that the called service gave the request").identifies(Identifier::REQUEST),
    c!("request_parameters", Json, "requestParameters", "Parameters of the request, as JSON"),
    c!("resources_arn", TextList, "resources[].ARN" | "resources[].arn", "ARNs of the resources touched"),
    c!("resources_account_id", TextList, "resources[].accountId", "Owners of the resources touched, in the same order"),
    c!("resources_type", TextList, "resources[].type", "Types of the resources touched, in the same order"),
    c!("response_elements", Json, "responseElements", "Response of a call that changes something, as JSON"),
    c!("shared_event_id", Text, "sharedEventID", "GUID shared by the copies that several accounts received"),
    c!("source_ip_address", Text, "sourceIPAddress", "Address of the caller, or the service that called").searched(),
    c!("service_event_details", Json, "serviceEventDetails", "What triggered a service event and its result, as JSON"),
    c!("user_agent", Text, "userAgent", "Agent through which the request was made"),
    c!("user_identity_access_key_id", Text, "userIdentity.accessKeyId", "Access key that signed the request").searched(),
    c!("user_identity_account_id", Text, "userIdentity.accountId", "Account that granted the permission"),
    c!("user_identity_arn", Text, "userIdentity.arn", "ARN of the principal").searched(),
    c!("user_identity_invoked_by", Text, "userIdentity.invokedBy", "AWS service that made the request"),
    c!("user_identity_principal_id", Text, "userIdentity.principalId", "Unique id of the principal"),
    c!("user_identity_session_context_attributes_creation_date", Timestamp, "userIdentity.sessionContext.attributes.creationDate", "When the temporary credentials were issued, UTC"),
    c!("user_identity_session_context_attributes_mfa_authenticated", Bool, "userIdentity.sessionContext.attributes.mfaAuthenticated", "Whether the credentials were issued with MFA"),
    c!("user_identity_session_context_session_issuer_account_id", Text, "userIdentity.sessionContext.sessionIssuer.accountId", "Account of the role or user that issued the session"),
    c!("user_identity_session_context_session_issuer_arn", Text, "userIdentity.sessionContext.sessionIssuer.arn", "ARN of the role or user that issued the session").searched(),
    c!("user_identity_session_context_session_issuer_principal_id", Text, "userIdentity.sessionContext.sessionIssuer.principalId", "Unique id of the issuer"),
    c!("user_identity_session_context_session_issuer_type", Text, "userIdentity.sessionContext.sessionIssuer.type", "Kind of issuer: Root, IAMUser, Role"),
    c!("user_identity_session_context_session_issuer_user_name", Text, "userIdentity.sessionContext.sessionIssuer.userName", "Name of the issuer"),
    c!("user_identity_type", Text, "userIdentity.type", "Kind of principal"),
    c!("user_identity_user_name", Text, "userIdentity.userName", "Name of the principal"),
    c!("user_identity_session_context_web_id_federation_data_federated_provider", Text, "userIdentity.webIdFederationData.federatedProvider" | "userIdentity.sessionContext.webIdFederationData.federatedProvider", "Identity provider of a federated session"),
    c!("user_identity_session_context_web_id_federation_data_attributes", Json, "userIdentity.webIdFederationData.attributes" | "userIdentity.sessionContext.webIdFederationData.attributes", "Attributes that the provider gave, as JSON"),
    c!("vpc_endpoint_id", Text, "vpcEndpointId", "VPC endpoint through which the request came"),
    c!("vpc_endpoint_account_id", Text, "vpcEndpointAccountId", "Owner of the VPC endpoint"),
    c!("event_category", Text, "eventCategory", "Management, Data or NetworkActivity"),
    c!("management_event", Bool, "managementEvent", "Whether it is a management event"),
    c!("session_credential_from_console", Bool, "sessionCredentialFromConsole", "Whether the credentials came from a console session"),
    c!("edge_device_details", Json, "edgeDeviceDetails", "Edge device that was the target, as JSON"),
    c!("event_context", Json, "eventContext", "Tags and condition keys of the request, as JSON"),
    c!("tls_details_tls_version", Text, "tlsDetails.tlsVersion", "TLS version of the request"),
    c!("tls_details_cipher_suite", Text, "tlsDetails.cipherSuite", "TLS cipher suite of the request"),
    c!("tls_details_client_provided_host_header", Text, "tlsDetails.clientProvidedHostHeader", "Host name that the client asked for"),
    c!("tls_details_key_exchange", Text, "tlsDetails.keyExchange", "TLS key exchange of the request"),
    c!("addendum_reason", Text, "addendum.reason", "Why the event came late or again"),
    c!("addendum_updated_fields", Text, "addendum.updatedFields", "Fields that an update changed"),
    c!("addendum_original_request_id", Text, "addendum.originalRequestID", "Request id of the event that an update changes"),
    c!("addendum_original_event_id", Text, "addendum.originalEventID", "Event id of the event that an update changes"),
    c!("user_identity_session_context_source_identity", Text, "userIdentity.sessionContext.sourceIdentity", "Identity that assumed the first role of a chain"),
    c!("user_identity_session_context_ec2_role_delivery", Text, "userIdentity.sessionContext.ec2RoleDelivery", "Metadata service version that delivered the credentials"),
    c!("user_identity_session_context_ec2_issued_in_vpc", Text, "userIdentity.sessionContext.ec2IssuedInVpc", "VPC in which instance credentials were issued"),
    c!("user_identity_session_context_assumed_root", Bool, "userIdentity.sessionContext.assumedRoot", "Whether it is a session of AssumeRoot"),
    c!("user_identity_session_context_sign_in_session_arn", Text, "userIdentity.sessionContext.signInSessionArn", "ARN of the sign-in session"),
    c!("user_identity_invoked_by_delegate_account_id", Text, "userIdentity.invokedByDelegate.accountId", "Account of a product provider with delegated access"),
    c!("user_identity_on_behalf_of_user_id", Text, "userIdentity.onBehalfOf.userId", "Identity Center user on whose behalf the call was made"),
    c!("user_identity_on_behalf_of_identity_store_arn", Text, "userIdentity.onBehalfOf.identityStoreArn", "Identity store of that user"),
    c!("user_identity_in_scope_of_source_arn", Text, "userIdentity.inScopeOf.sourceArn", "Resource that a service acted for"),
    c!("user_identity_in_scope_of_source_account", Text, "userIdentity.inScopeOf.sourceAccount", "Owner of that resource"),
    c!("user_identity_in_scope_of_issuer_type", Text, "userIdentity.inScopeOf.issuerType", "Kind of that resource"),
    c!("user_identity_in_scope_of_credentials_issued_to", Text, "userIdentity.inScopeOf.credentialsIssuedTo", "Where the credentials were issued to"),
    c!("user_identity_credential_id", Text, "userIdentity.credentialId", "Id of a bearer token"),
    c!("user_identity_identity_provider", Text, "userIdentity.identityProvider", "SAML or web identity provider"),
    c!("resources_arn_prefix", TextList, "resources[].ARNPrefix", "ARN prefixes of listed objects, in the order of resources_arn"),
    Column::new("extra", Json, Origin::Decoder, "Fields without a column of their own and values of an unexpected type, by JSON path"),
    Column::new("source_object", Text, Origin::SourceObject, "Raw object that the record was read from"),
    Column::new("source_record", BigInt, Origin::SourceRecord, "Number of the record in the raw object, from 1"),
];

/// JSON values that are queried often enough to have their own columns. The user's [`Promotion`]s follow them.
#[rustfmt::skip]
static PROMOTED: [Column; 6] = [
    c!("bucket_name", Text, "requestParameters.bucketName", "Bucket of an S3 call"),
    c!("object_key", Text, "requestParameters.key", "Object key of an S3 call"),
    c!("signature_version", Text, "additionalEventData.SignatureVersion", "Signature version of an S3 call: SigV2, SigV4"),
    c!("authentication_method", Text, "additionalEventData.AuthenticationMethod", "AuthHeader or QueryString (presigned)"),
    c!("bytes_transferred_in", BigInt, "additionalEventData.bytesTransferredIn", "Bytes of the request body of an S3 call"),
    c!("bytes_transferred_out", BigInt, "additionalEventData.bytesTransferredOut", "Bytes of the response body of an S3 call"),
];

/// Returns the schema of the table.
pub(super) fn schema(naming: Naming, promoted: &[Promotion]) -> TableSchema {
    let order = ("event_time", &["event_source", "event_name", "user_identity_arn"][..]);
    json_schema(&COLUMNS, &PROMOTED, promoted, order, naming)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The column names of the earlier Spark job, in its order, without the partition column.
    const EARLIER: &str = "additionaleventdata apiversion awsregion errorcode errormessage eventid eventname \
        eventsource eventtime eventtime_kst eventtype eventversion readonly recipientaccountid requestid \
        requestparameters resources_arn resources_accountid resources_type responseelements sharedeventid \
        sourceipaddress serviceeventdetails useragent useridentity_accesskeyid useridentity_accountid \
        useridentity_arn useridentity_invokedby useridentity_principalid \
        useridentity_sessioncontext_attributes_creationdate \
        useridentity_sessioncontext_attributes_mfaauthenticated \
        useridentity_sessioncontext_sessionissuer_accountid useridentity_sessioncontext_sessionissuer_arn \
        useridentity_sessioncontext_sessionissuer_principalid useridentity_sessioncontext_sessionissuer_type \
        useridentity_sessioncontext_sessionissuer_username useridentity_type useridentity_username \
        useridentity_webidfederationdata_federatedprovider useridentity_webidfederationdata_attributes \
        vpcendpointid";

    #[test]
    fn compact_names_start_with_those_of_the_earlier_job() {
        let schema = schema(Naming::Compact, &[]);
        let names: Vec<_> = schema.columns.iter().map(|column| column.named(Naming::Compact)).collect();
        assert_eq!(names[..41].join(" "), EARLIER.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn names_are_unique_and_fit_the_catalog_under_both_namings() {
        for naming in [Naming::Snake, Naming::Compact] {
            let schema = schema(naming, &[]);
            let mut names: Vec<_> = schema.fields().iter().map(|field| field.name().clone()).collect();
            assert!(names.iter().all(|name| {
                name.len() <= 127
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            }));
            names.sort();
            names.dedup();
            assert_eq!(names.len(), schema.columns.len());
            assert!(schema.columns.iter().all(|column| column.meaning.len() <= 255));
        }
    }
}
