//! Templates of records in JSON lines: access logs, some with the text line of the same request, AWS WAF and Route 53 Resolver.

/// Shapes of access logs in JSON: the weight, then the record. `<line>` starts the text line of the same request.
pub(crate) const ACCESS: &str = r#"
200: {"schema_version_id":"V_1_0",<OF_BUCKET>,"requester":"arn:aws:sts::<account>:assumed-role/<role>/i-<session>",<GET_OF_JSON>,"http_status":200,
  "error_code":null,"bytes_sent_size":<size>,"object_size":<size>,<TIMES_OF_JSON>,"referer":null,"user_agent":"<agent>",
  "version_id":null,<SIGNED_JSON>,"acl_required":false,"source_region":"ap-northeast-2"}
80: {"schema_version_id":"V_1_0",<OF_BUCKET>,"requester":null,<GET_OF_JSON>,"http_status":403,"error_code":"AccessDenied","bytes_sent_size":243,
  "object_size":null,"total_duration":12,"turn_around_duration":null,"referer":"http://example.com/",
  "user_agent":"fetch \"19\" {\"ci\":null} - x= SigV4","version_id":null,"host_id":"<host>",
  "signature_version":null,"cipher_suite":"<cipher>","authentication_type":null,
  "host_header":"<bucket>.s3.amazonaws.com","tls_version":"<tls>","access_point_arn":null,"acl_required":true,
  "source_region":null}
40: {"schema_version_id":"V_1_0",<OF_BUCKET>,"requester":"AmazonS3","request_id":"<request>","operation":"S3.EXPIRE.OBJECT",
  "key_name":"<key>","request_uri":null,"http_status":null,"error_code":null,"bytes_sent_size":null,
  "object_size":<size>,"total_duration":null,"turn_around_duration":null,"referer":null,"user_agent":null,
  "version_id":"<version>","host_id":"<host>","signature_version":null,"cipher_suite":null,
  "authentication_type":null,"host_header":null,"tls_version":null,"access_point_arn":null,"acl_required":null,
  "source_region":null}
40: {"schema_version_id":"V_1_1",<OF_BUCKET>,"requester":null,"request_id":"<request>","operation":"REST.GET.OBJECT","key_name":"<uri>",
  "request_uri":"GET /<uri>?X-Amz-Credential=AKIA<user_key>%2F<began_day>&X-Amz-Signature=<signature> HTTP/1.1",
  "http_status":206,"error_code":null,"bytes_sent_size":0,"object_size":<size>,<TIMES_OF_JSON>,"referer":"-",
  "user_agent":"<browser>","version_id":null,<SIGNED_JSON>,"acl_required":"No","source_region":"us-east-1",
  "new_field":[1,"a"]}
40: {"schema_version_id":"V_1_0",<OF_BUCKET>,"requester":null,"request_id":"<request>","operation":"REST.GET.OBJECT","key_name":"index.html",
  "request_uri":"GET /index.html HTTP/1.1","http_status":200,"error_code":null,"bytes_sent_size":512,
  "object_size":512,"total_duration":25,"turn_around_duration":12,"referer":null,"user_agent":"<browser>",
  "version_id":null,"host_id":"<host>","signature_version":"SigV4","cipher_suite":"<cipher>",
  "authentication_type":"AuthHeader","host_header":"<bucket>.s3.amazonaws.com","tls_version":"<tls>",
  "access_point_arn":null,"acl_required":true,"source_region":"ap-northeast-2"}<line><owner> <bucket> [<clf>] <ip>
   - <request> REST.GET.OBJECT index.html "GET /index.html HTTP/1.1" 200 - 512 512 25 12 "-" "<browser>" - <host>
   SigV4 <cipher> AuthHeader <bucket>.s3.amazonaws.com <tls> - Yes ap-northeast-2
20: {"schema_version_id":"V_1_0",<OF_BUCKET>,"requester":null,"request_id":"<request>","operation":"REST.HEAD.OBJECT","key_name":"index.html",
  "request_uri":"HEAD /index.html HTTP/1.1","http_status":404,"error_code":"NoSuchKey","bytes_sent_size":0,
  "object_size":null,"total_duration":9,"turn_around_duration":null,"referer":null,"user_agent":"<agent>",
  "version_id":null,"host_id":"<host>","signature_version":null,"cipher_suite":null,"authentication_type":null,
  "host_header":"<bucket>.s3.amazonaws.com","tls_version":null,"access_point_arn":null,"acl_required":false,
  "source_region":null}<line><owner> <bucket> [<clf>] <ip> - <request> REST.HEAD.OBJECT index.html
   "HEAD /index.html HTTP/1.1" 404 NoSuchKey - - 9 - "-" "<agent>" - <host> - - -
   <bucket>.s3.amazonaws.com - - - -
"#;

/// Shapes of AWS WAF.
pub(crate) const WAF: &str = r#"
300: <WAF_FRONT>"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","terminatingRuleMatchDetails":[],
  <WAF_SOURCE>"ruleGroupList":[<CLEAN_GROUP>],"rateBasedRuleList":[],"nonTerminatingMatchingRules":[],
  "requestHeadersInserted":null,"responseCodeSent":null,<WAF_REQUEST>,<WAF_TAIL>}
90: <WAF_FRONT>"AWS-AWSManagedRulesSQLiRuleSet","terminatingRuleType":"MANAGED_RULE_GROUP","action":"BLOCK",
  "terminatingRuleMatchDetails":[{"conditionType":"SQL_INJECTION","sensitivityLevel":"HIGH","location":"QUERY_STRING",
  "matchedData":["1","OR","\"x\"}]"]}],<WAF_SOURCE>"ruleGroupList":[{
  "ruleGroupId":"AWS#AWSManagedRulesSQLiRuleSet","terminatingRule":{"ruleId":"SQLi_QUERYARGUMENTS","action":"BLOCK",
  "ruleMatchDetails":null},"nonTerminatingMatchingRules":[],"excludedRules":null,"customerConfig":null}],
  "rateBasedRuleList":[],"nonTerminatingMatchingRules":[],"requestHeadersInserted":null,"responseCodeSent":null,
  <WAF_REQUEST>,"labels":[{"name":"awswaf:managed:aws:sql-database:SQLi_QueryArguments"}],<WAF_TAIL>}
60: <WAF_FRONT>"too-fast","terminatingRuleType":"RATE_BASED","action":"BLOCK","terminatingRuleMatchDetails":[],
  <WAF_SOURCE>"ruleGroupList":[],"rateBasedRuleList":[{"rateBasedRuleId":"arn:aws:wafv2:ap-northeast-2:<account>:x",
  "rateBasedRuleName":"too-fast","limitKey":"IP","maxRateAllowed":100,"evaluationWindowSec":"300",
  "limitValue":"<ip>"}],"nonTerminatingMatchingRules":[],"requestHeadersInserted":null,"responseCodeSent":429,
  <WAF_REQUEST>,<WAF_TAIL>}
50: <WAF_FRONT>"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","terminatingRuleMatchDetails":[],
  <WAF_SOURCE>"ruleGroupList":[{"ruleGroupId":"AWS#AWSManagedRulesCommonRuleSet","terminatingRule":null,
  "nonTerminatingMatchingRules":[{"ruleId":"SizeRestrictions_BODY","action":"COUNT","overriddenAction":"BLOCK",
  "ruleMatchDetails":[]}],"excludedRules":[{"exclusionType":"EXCLUDED_AS_COUNT","ruleId":"NoUserAgent_HEADER"}],
  "customerConfig":null}],"rateBasedRuleList":[],"nonTerminatingMatchingRules":[{"ruleId":"count-bots",
  "action":"COUNT","ruleMatchDetails":[{"conditionType":"XSS","location":"HEADER","matchedData":["&lt;","script"]}]}],
  "requestHeadersInserted":[{"name":"x-amzn-waf-bot","value":"1"}],"responseCodeSent":null,<WAF_REQUEST>,"labels":[{
  "name":"shop:bot"},{"name":"awswaf:managed:token:absent"}],"oversizeFields":["REQUEST_BODY"],<WAF_TAIL>,
  "clientAsn":64500,"forwardedAsn":"64501","cfDistributionTenantId":"dt_<id>"}
30: <WAF_FRONT>"challenge-login","terminatingRuleType":"REGULAR","action":"CHALLENGE","terminatingRuleMatchDetails":[],
  <WAF_SOURCE>"ruleGroupList":[],"rateBasedRuleList":[],"nonTerminatingMatchingRules":[],
  "requestHeadersInserted":null,"responseCodeSent":202,<WAF_REQUEST>,"challengeResponse":{"responseCode":202,
  "failureReason":"TOKEN_MISSING"},"captchaResponse":{"responseCode":405,"solveTimestamp":1698796800},<WAF_TAIL>,
  "monetizeVerifyResponse":{"status":"VALID"},"newThing":{"a":1}}
20: {"timestamp":<epoch>,"formatVersion":1,"webaclId":"<user_uuid>","terminatingRuleId":"Default_Action",
  "terminatingRuleType":"REGULAR","action":"ALLOW","httpSourceName":"CF","httpSourceId":"E2EXAMPLE",
  "ruleGroupList":[],"rateBasedRuleList":[{"rateBasedRuleId":"<user_uuid>","limitKey":"IP","maxRateAllowed":100}],
  "nonTerminatingMatchingRules":[],"httpRequest":{"clientIp":"<ip>","country":"-","headers":[{"name":"HOST",
  "value":"REDACTED"},{"name":"x-forwarded-for","value":"<ip>"}],"uri":"REDACTED","args":"a=\ud800b&X-Amz-Signature=<signature>",
  "httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"null","clientPort":1234}}
"#;

/// Shapes of Route 53 Resolver.
pub(crate) const RESOLVER: &str = r#"
300: <DNS_FRONT>"query_name":"<name>","query_type":"A",<DNS_OK>"answers":[{"Rdata":"<ip>","Type":"A","Class":"IN"}],<DNS_HOST>}
90: <DNS_FRONT>"query_name":"<name>","query_type":"AAAA",<DNS_OK>"answers":[{"Rdata":"edge.<name>","Type":"CNAME","Class":"IN"},{
  "Rdata":"2001:db8:4::<small>","Type":"AAAA","Class":"IN"},{"Rdata":"2001:db8:5::<small>","Type":"AAAA","Class":"IN"}],<DNS_HOST>}
60: <DNS_FRONT>"query_name":"wpad.<name>","query_type":"A","query_class":"IN","rcode":"NXDOMAIN","answers":[],<DNS_HOST>}
30: <DNS_FRONT>"query_name":"<name>","query_type":"TXT",<DNS_OK>"answers":[{
  "Rdata":"\"v=spf1 include:_spf.example.com ~all\"}],\"rcode\":\"FORGED\"","Type":"TXT","Class":"IN"}],<DNS_HOST>}
40: <DNS_FRONT>"query_name":"<random_name>","query_type":"A",<DNS_OK>"answers":[],<DNS_HOST>,<DNS_RULE>"BLOCK",
  "firewall_domain_list_id":"rslvr-fdl-0example1a2b3c4d"}
25: <DNS_FRONT>"query_name":"<name>","query_type":"A",<DNS_OK>"answers":[{"Rdata":"<ip>","Type":"A","Class":"IN"}],<DNS_HOST>,
  <DNS_RULE>"ALERT","firewall_domain_list_id":"rslvr-fdl-0example5e6f7a8b"}
30: <DNS_FRONT>"query_name":"7.100.51.198.in-addr.arpa.","query_type":"PTR",<DNS_OK>"answers":[{"Rdata":"<name>","Type":"PTR",
  "Class":"IN"}],"srcaddr":"192.168.10.<small>","srcport":"<port>","transport":"TCP","srcids":{
  "resolver_endpoint":"rslvr-in-0example1a2b3c4d","resolver_network_interface":"rni-0example1a2b3c4d"}}
15: <DNS_FRONT>"query_name":"a\\032b\\000\"c\",\"rcode\":\"X.\ud83d\udc27.\ud800.example.com.","query_type":"ANY",<DNS_OK>
  "answers":[{"Rdata":"<ip>","Type":"A","Class":"IN","Ttl":60},null],<DNS_HOST>}
15: <DNS_FRONT>"query_name":"<name>","query_type":"A","query_class":"IN","rcode":"SERVFAIL","srcaddr":"<inside>","srcport":<port>,
  "transport":"UDP","srcids":{},"additional_properties":{"is_delayed":true},"new_thing":[1,"a"]}
15: {"version":"1.000000","account_id":"<account>","region":"<region>","vpc_id":"vpc-0123456789abcdef0","query_timestamp":"<time>",
  "query_name":"<name>","query_type":"A",<DNS_OK>"answers":[{"Address":"<ip>","Type":"A","Class":"IN"}],"srcaddr":"<inside>",
  "srcport":"<port>","srcids":["<instance>"]}
"#;

/// Parts of templates.
pub(crate) const PARTS: &str = r#"
OF_BUCKET: "bucket_arn":"arn:aws:s3:::<bucket>","bucket_name":"<bucket>","request_time":"<millis>",
  "bucket_owner_id":"<owner>","remote_ip":"<ip>"
GET_OF_JSON: "request_id":"<request>","operation":"REST.GET.OBJECT","key_name":"<key>","request_uri":"GET /<uri> HTTP/1.1"
TIMES_OF_JSON: "total_duration":<ms>,"turn_around_duration":<ttfb>
SIGNED_JSON: "host_id":"<host>","signature_version":"SigV4","cipher_suite":"<cipher>","authentication_type":"AuthHeader",
  "host_header":"<bucket>.s3.amazonaws.com","tls_version":"<tls>","access_point_arn":null
WAF_FRONT: {"timestamp":<epoch>,"formatVersion":1,"webaclId":"arn:aws:wafv2:ap-northeast-2:<account>:regional/webacl/<bucket>/9f7f9b58",
  "terminatingRuleId":
WAF_SOURCE: "httpSourceName":"ALB","httpSourceId":"<account>-app/shop/50dc6c495c0c9188",
WAF_REQUEST: "httpRequest":{"clientIp":"<ip>","country":"<country>","headers":[{"name":"Host","value":"shop.example.com"},{
  "name":"User-Agent","value":"<browser>"},{"name":"referer","value":"https://www.example.com/?q=<user>"},{
  "name":"X-Forwarded-For","value":"<ip>"}],"uri":"/<uri>","args":"q=<user>","httpVersion":"HTTP/2.0",
  "httpMethod":"GET","requestId":"1-<trace>","fragment":"","scheme":"https","host":"shop.example.com"}
WAF_TAIL: "ja3Fingerprint":"<ja3>","ja4Fingerprint":"t13d1516h2_8daaf6152771_b0da82dd1658","requestBodySize":<size>,
  "requestBodySizeInspectedByWAF":64
DNS_FRONT: {"version":"1.100000","account_id":"<account>","region":"<region>",<network>,"query_timestamp":"<time>",
DNS_OK: "query_class":"IN","rcode":"NOERROR",
DNS_HOST: "srcaddr":"<inside>","srcport":"<port>","transport":"UDP","srcids":{"instance":"<instance>"}
DNS_RULE: "firewall_rule_group_id":"rslvr-frg-0example1a2b3c4d","firewall_rule_action":
CLEAN_GROUP: {"ruleGroupId":"AWS#AWSManagedRulesCommonRuleSet","terminatingRule":null,"nonTerminatingMatchingRules":[],
  "excludedRules":null,"customerConfig":null}
"#;

/// The content of an object that Firehose wrote for another purpose.
pub(crate) const OF_ANOTHER_STREAM: &str =
    "{\"timestamp\":1698796800000,\"level\":\"info\",\"message\":\"webaclId\"}\n";
