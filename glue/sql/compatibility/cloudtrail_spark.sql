-- The table of the earlier Spark job: its 42 columns, with its names and in its order, over the table cloudtrail.
--
-- Types are those of that job: times are text, eventtime as in the log and eventtime_kst as 'YYYY-MM-DD HH:MM:SS';
-- mfaauthenticated is text, readonly a boolean, resources_* are lists. One difference: requestparameters, responseelements,
-- serviceeventdetails and useridentity_webidfederationdata_attributes were maps of strings and are JSON text here. Replace
-- requestparameters['bucketName'] with json_extract_scalar(requestparameters, '$.bucketName').
CREATE OR REPLACE VIEW cloudtrail_spark AS
SELECT
  proc_ymd,
  additional_event_data AS additionaleventdata,
  api_version AS apiversion,
  aws_region AS awsregion,
  error_code AS errorcode,
  error_message AS errormessage,
  event_id AS eventid,
  event_name AS eventname,
  event_source AS eventsource,
  date_format(event_time, '%Y-%m-%dT%H:%i:%sZ') AS eventtime,
  date_format(event_time_kst, '%Y-%m-%d %H:%i:%s') AS eventtime_kst,
  event_type AS eventtype,
  event_version AS eventversion,
  read_only AS readonly,
  recipient_account_id AS recipientaccountid,
  request_id AS requestid,
  request_parameters AS requestparameters,
  resources_arn,
  resources_account_id AS resources_accountid,
  resources_type,
  response_elements AS responseelements,
  shared_event_id AS sharedeventid,
  source_ip_address AS sourceipaddress,
  service_event_details AS serviceeventdetails,
  user_agent AS useragent,
  user_identity_access_key_id AS useridentity_accesskeyid,
  user_identity_account_id AS useridentity_accountid,
  user_identity_arn AS useridentity_arn,
  user_identity_invoked_by AS useridentity_invokedby,
  user_identity_principal_id AS useridentity_principalid,
  date_format(user_identity_session_context_attributes_creation_date, '%Y-%m-%dT%H:%i:%sZ')
    AS useridentity_sessioncontext_attributes_creationdate,
  CAST(user_identity_session_context_attributes_mfa_authenticated AS varchar)
    AS useridentity_sessioncontext_attributes_mfaauthenticated,
  user_identity_session_context_session_issuer_account_id AS useridentity_sessioncontext_sessionissuer_accountid,
  user_identity_session_context_session_issuer_arn AS useridentity_sessioncontext_sessionissuer_arn,
  user_identity_session_context_session_issuer_principal_id AS useridentity_sessioncontext_sessionissuer_principalid,
  user_identity_session_context_session_issuer_type AS useridentity_sessioncontext_sessionissuer_type,
  user_identity_session_context_session_issuer_user_name AS useridentity_sessioncontext_sessionissuer_username,
  user_identity_type AS useridentity_type,
  user_identity_user_name AS useridentity_username,
  user_identity_session_context_web_id_federation_data_federated_provider
    AS useridentity_webidfederationdata_federatedprovider,
  user_identity_session_context_web_id_federation_data_attributes AS useridentity_webidfederationdata_attributes,
  vpc_endpoint_id AS vpcendpointid
FROM cloudtrail;
