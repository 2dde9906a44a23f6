-- CloudTrail with the names, types and structs of the table that Athena's guide defines over the raw logs.
--
-- Columns are in the order of that table, followed by its possible partition columns: account, region, year, month, day and
-- "timestamp" ('2023/11/01'). These come from the event time in UTC and the account that received the event. A raw table takes
-- them from the folder, which is the day of delivery: events just before midnight UTC can differ. Filters on these columns read
-- every file, so also filter on proc_ymd, the Korean day, which is the last column.
--
-- Values that the log lacks are NULL inside a struct; the struct itself is never NULL. A resource that is identified by a prefix
-- of ARNs has no arn. eventtime has no fractional seconds. Masked secrets remain masked.
CREATE OR REPLACE VIEW cloudtrail_athena AS
SELECT
  event_version AS eventversion,
  CAST(
    ROW(
      user_identity_type,
      user_identity_principal_id,
      user_identity_arn,
      user_identity_account_id,
      user_identity_invoked_by,
      user_identity_access_key_id,
      user_identity_user_name,
      ROW(user_identity_on_behalf_of_user_id, user_identity_on_behalf_of_identity_store_arn),
      ROW(
        ROW(
          CAST(user_identity_session_context_attributes_mfa_authenticated AS varchar),
          date_format(user_identity_session_context_attributes_creation_date, '%Y-%m-%dT%H:%i:%sZ')
        ),
        ROW(
          user_identity_session_context_session_issuer_type,
          user_identity_session_context_session_issuer_principal_id,
          user_identity_session_context_session_issuer_arn,
          user_identity_session_context_session_issuer_account_id,
          user_identity_session_context_session_issuer_user_name
        ),
        user_identity_session_context_ec2_role_delivery,
        ROW(
          user_identity_session_context_web_id_federation_data_federated_provider,
          TRY_CAST(json_parse(user_identity_session_context_web_id_federation_data_attributes) AS map(varchar, varchar))
        )
      )
    ) AS ROW(
      type varchar,
      principalid varchar,
      arn varchar,
      accountid varchar,
      invokedby varchar,
      accesskeyid varchar,
      username varchar,
      onbehalfof ROW(userid varchar, identitystorearn varchar),
      sessioncontext ROW(
        attributes ROW(mfaauthenticated varchar, creationdate varchar),
        sessionissuer ROW(type varchar, principalid varchar, arn varchar, accountid varchar, username varchar),
        ec2roledelivery varchar,
        webidfederationdata ROW(federatedprovider varchar, attributes map(varchar, varchar))
      )
    )
  ) AS useridentity,
  date_format(event_time, '%Y-%m-%dT%H:%i:%sZ') AS eventtime,
  event_source AS eventsource,
  event_name AS eventname,
  aws_region AS awsregion,
  source_ip_address AS sourceipaddress,
  user_agent AS useragent,
  error_code AS errorcode,
  error_message AS errormessage,
  request_parameters AS requestparameters,
  response_elements AS responseelements,
  additional_event_data AS additionaleventdata,
  request_id AS requestid,
  event_id AS eventid,
  CAST(zip(resources_arn, resources_account_id, resources_type) AS array(ROW(arn varchar, accountid varchar, type varchar)))
    AS resources,
  event_type AS eventtype,
  api_version AS apiversion,
  CAST(read_only AS varchar) AS readonly,
  recipient_account_id AS recipientaccountid,
  service_event_details AS serviceeventdetails,
  shared_event_id AS sharedeventid,
  vpc_endpoint_id AS vpcendpointid,
  vpc_endpoint_account_id AS vpcendpointaccountid,
  event_category AS eventcategory,
  CAST(
    ROW(addendum_reason, addendum_updated_fields, addendum_original_request_id, addendum_original_event_id)
    AS ROW(reason varchar, updatedfields varchar, originalrequestid varchar, originaleventid varchar)
  ) AS addendum,
  CAST(session_credential_from_console AS varchar) AS sessioncredentialfromconsole,
  edge_device_details AS edgedevicedetails,
  CAST(
    ROW(tls_details_tls_version, tls_details_cipher_suite, tls_details_client_provided_host_header)
    AS ROW(tlsversion varchar, ciphersuite varchar, clientprovidedhostheader varchar)
  ) AS tlsdetails,
  recipient_account_id AS account,
  aws_region AS region,
  date_format(event_time, '%Y') AS year,
  date_format(event_time, '%m') AS month,
  date_format(event_time, '%d') AS day,
  date_format(event_time, '%Y/%m/%d') AS "timestamp",
  proc_ymd
FROM cloudtrail;
