-- Route 53 Resolver query logs with the names of the table r53_rlogs in Athena's guide.
--
-- srcids_instance and the other parts of srcids are one row, and the three lists of answers are one array of rows. date is the UTC date of
-- the query, not of the delivery. A filter on it reads every file, so also filter on proc_ymd, the Korean day, which is the last column.
CREATE OR REPLACE VIEW resolver_query_athena AS
SELECT
  version,
  account_id,
  region,
  vpc_id,
  date_format(event_time, '%Y-%m-%dT%H:%i:%sZ') AS query_timestamp,
  query_name,
  query_type,
  query_class,
  rcode,
  CAST(zip(answers_rdata, answers_type, answers_class) AS array(ROW(rdata varchar, type varchar, class varchar))) AS answers,
  srcaddr,
  srcport,
  transport,
  CAST(ROW(srcids_instance, srcids_resolver_endpoint) AS ROW(instance varchar, resolver_endpoint varchar)) AS srcids,
  firewall_rule_action,
  firewall_rule_group_id,
  firewall_domain_list_id,
  date_format(event_time, '%Y/%m/%d') AS "date",
  proc_ymd
FROM resolver_query;
