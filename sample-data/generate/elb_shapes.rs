//! Templates of lines of load balancers, and of the objects next to them that belong to other log types.

/// Shapes of access lines of ALB: the weight, then the fields.
pub(crate) const REQUESTS: &str = r#"
400: https <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.000 200 200 <small> <size> "GET
  https://shop.example.com:443/<uri> HTTP/1.1" "<browser>" <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 1
  <created> "forward" "-" "-" "<same_target>" "200" "-" "-" <tid><NEW>
220: h2 <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.000 200 200 <small> <size> "GET
  https://shop.example.com:443/<uri>?q=<user> HTTP/2.0" "<browser>" <cipher> <tls> <group> <AMZN> "shop.example.com"
  <CERT> 1 <created> "waf,forward" "-" "-" "<same_target>" "200" "-" "-" <tid>
90: http <micros> <elb> <ip>:<port> - -1 -1 -1 301 - <small> 134 "GET http://shop.example.com:80/<uri> HTTP/1.1"
  "<browser>" - - - <AMZN> "-" "-" 0 <created> "redirect" "https://shop.example.com:443/<uri>" "-" "-" "-" "-" "-" <tid>
60: https <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.001 404 404 <small> 1253 "GET
  https://shop.example.com:443/favicon.ico HTTP/1.1" "<agent>" <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 1
  <created> "forward" "-" "-" "<same_target>" "404" "-" "-" <tid>
40: https <micros> <elb> <ip>:<port> <target> 0.000 <seconds> -1 502 - <small> 122 "POST
  https://shop.example.com:443/orders HTTP/1.1" "<agent>" <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 2
  <created> "forward" "-" "-" "<same_target>" "-" "-" "-" <tid>
40: https <micros> <elb> <ip>:<port> - -1 -1 -1 403 - <small> 118 "GET https://shop.example.com:443/.env HTTP/1.1"
  "<agent>" <cipher> <tls> - <AMZN> "shop.example.com" <CERT> 0 <created> "waf" "-" "-" "-" "-" "-" "-" <tid>
20: https <micros> <elb> <ip>:<port> - 0.001 <seconds> 0.000 200 200 <small> 512 "GET
  https://shop.example.com:443/hook HTTP/1.1" "<agent>" <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 3
  <created> "forward" "-" "-" "-" "-" "-" "-" <tid>
12: wss <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.000 101 101 587 <size> "GET
  https://shop.example.com:443/live HTTP/1.1" "<browser>" <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 1
  <earlier> "forward" "-" "-" "<same_target>" "101" "-" "-" <tid>
12: https <micros> <elb> <ip>:<port> - -1 -1 -1 460 - <small> 0 "GET https://shop.example.com:443/<uri> HTTP/1.1"
  "<browser>" <cipher> <tls> <group> "Self=1-<trace>;Root=1-<trace>;lineage=a b" "shop.example.com" "session-reused" 1
  <created> "waf,authenticate" "-" "AuthInvalidCookie" "-" "-" "Ambiguous" "UndefinedContentLengthSemantics" <tid>
10: http <micros> <elb> <ip>:<port> - -1 -1 -1 400 - 0 272 "- http://shop.example.com:80- -" "-" - - - "-" "-" "-" -
  <created> "-" "-" "-" "-" "-" "-" "-" <tid>
10: h2 <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.000 200 200 <small> <size> "GET
  https://shop.example.com:443/a b?c= d HTTP/1.1" "curl/8\x22 - - arn:evil \x22Root=1-0\x22 \x22evil.example\x22 0"
  <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 1 <created> "forward" "-" "-" "<same_target>" "200"
  "Acceptable" "SpaceInUri" <tid><NEW> 198.51.100.9
8: https <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.000 200 200 <small> <size> "GET
  https://shop.example.com:443/<uri> HTTP/1.1" "<agent>" <cipher> <tls> <group> <AMZN> "shop.example.com" <CERT> 1
  <created> "forward" "-" "-" "<same_target>" "200" "-" "-" <tid><NEW> 198.51.100.9 "new field" 7
8: https <micros> <elb> <ip>:<port> <target> 0.000 <seconds> 0.000 200 200 <small> <size> "GET
  https://shop.example.com:443/<uri> HTTP/1.1" "<agent>" <cipher> <tls> <group> <AMZN> "-" "-" 1
"#;

/// Shapes of connection lines of ALB.
pub(crate) const CONNECTIONS: &str = r#"
300: <micros> <ip> <port> 443 <tls> <cipher> <seconds> "-" - - - <tid>
60: <micros> <ip> <port> 80 - - - "-" - - - <tid>
60: <micros> <ip> <port> 443 <tls> <cipher> <seconds> "CN=<user>,O=Example,C=KR" <VALIDITY> <serial> Success <tid>
  X25519MLKEM768 <elb> 198.51.100.9
30: <micros> <ip> <port> 443 <tls> <cipher> - "CN=x\x22 NotBefore=2020-01-01T00:00:00Z;NotAfter=2099-01-01T00:00:00Z 00
  Success TID_0,O=evil" <VALIDITY> <serial> Failed:ClientCertUntrusted <tid> X25519 <elb> 198.51.100.9
10: <micros> <ip> <port> 443 - - - "-" - - Failed:UnmappedConnectionError <tid> - <elb> 198.51.100.9 "new field"
"#;

/// Shapes of access lines of NLB, of every form since 2019.
pub(crate) const CONNECTIONS_OF_NLB: &str = r#"
300: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> <ttfb> <small> <size> - <ARN> - <cipher> <tlsv> -
  edge.example.com h2 h2 "h2","http/1.1" <since>
120: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> <ttfb> <small> <size> - <ARN> - <cipher> <tlsv> X25519
  api.example.com - - - <since>
60: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> <ttfb> <small> <size> - <ARN> - <cipher> <tlsv> -
  edge.example.com h2 h2 "h2","http/1.1"
40: tls 2.0 <now> <elb> 9b1c6d2e8f7a0345 <ip>:<port> - <ms> - <small> 7 48 <ARN> - - - - - - - - <since>
30: tls 2.0 <now> <elb> 9b1c6d2e8f7a0345 <ip>:<port> - <ms> - <small> 7 - - - - - - - - - - <since>
20: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> <ttfb> <small> <size> - <ARN> - <cipher> <tlsv> -
  old.example.com
20: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> 864000000 <ttfb> <size> <size> 0 <ARN> - <cipher> <tlsv>
  X25519 mqtt.example.com x-amzn-mqtt-ca - "x-amzn-mqtt-ca","http/1.1" <days_ago>
12: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> <ttfb> <small> <size> - <ARN> - <cipher> <tlsv> -
  evil%20h2%20h2%20%22h2%22%202020-01-01T00:00:00%0a h2 h2 "h2","http/1.1","<LONG> <since>
10: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> <ttfb> <small> <size> - <ARN> - <cipher> <tlsv> -
  edge.example.com h2 h2 "h2" <since> new 5 "z z"
10: tls 2.0 <now> <elb> g3d4b5e8bb8464cd <ip>:<port> <target> <ms> 2750 <small> <size> - <ARN> - <cipher> tlsv11 -
  <user>.example.com - - - <since>
"#;

/// Shapes of access lines of Classic Load Balancers, of every form since 2014.
pub(crate) const REQUESTS_OF_CLASSIC: &str = r#"
300: <micros> <elb> <ip>:<port> <target> 0.000073 <seconds> 0.000057 200 200 <small> <size> "GET
  https://old.example.com:443/<uri> HTTP/1.1" "<browser>" <cipher> <tls>
120: <micros> <elb> <ip>:<port> <target> 0.000041 <seconds> 0.000036 404 404 0 <small> "GET
  http://old.example.com:80/<uri> HTTP/1.1" "<agent>" - -
80: <micros> <elb> <ip>:<port> <target> 0.000533 0.000012 0.000021 - - <small> <size> "- - - " "-" - -
40: <micros> <elb> <ip>:<port> - -1 -1 -1 503 0 0 0 "GET http://old.example.com:80/ HTTP/1.1" "<browser>" - -
40: <micros> <elb> <ip>:<port> <target> 0.000029 <seconds> -1 502 - <small> 122 "POST https://old.example.com:443/orders
  HTTP/1.1" "<agent>" <cipher> <tls>
30: <micros> <elb> <ip>:<port> <target> 0.000041 <seconds> 0.000033 500 500 <small> 512 "GET
  https://old.example.com:443/report?q=<user> HTTP/1.1" "<agent>" <cipher> TLSv1
20: <micros> <elb> <ip>:<port> <target> 0.000091 <seconds> 0.000047 200 200 0 <small> "GET
  http://old.example.com:80/<uri> HTTP/1.1"
20: <micros> <elb> <ip>:<port> <target> 0.000073 <seconds> 0.000057 200 200 0 <small> "GET
  https://old.example.com:443/ HTTP/1.1" "\"Googlebot research\"" <cipher> <tls>
12: <micros> <elb> <ip>:<port> <target> 0.000073 <seconds> 0.000057 200 200 0 <small> "GET
  https://old.example.com:443/a b HTTP/1.1" "x\" ECDHE-RSA-AES256-SHA TLSv1.9 \"y" <cipher> <tls>
12: <micros> <elb> <ip>:<port> <target> 0.000073 <seconds> 0.000057 200 200 0 <small> "GET
  https://old.example.com:443/ HTTP/1.1" "<agent>" TLS_AES_128_GCM_SHA256 TLSv1.3 "z z" 4
10: <micros> <elb> <ip>:<port> - -1 -1 -1 408 - 1294336 0 "- http://old.example.com:80- -" "-" - -
"#;

/// Parts of templates.
pub(crate) const PARTS: &str = r#"
AMZN: "Root=1-<trace>"
CERT: "<ARN>"
ARN: arn:aws:acm:<region>:<account>:certificate/12345678-1234-1234-1234-123456789012
LONG: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
NEW:  "-" "-" "-"
VALIDITY: NotBefore=2023-01-01T00:00:00Z;NotAfter=2025-01-01T00:00:00Z
"#;

/// Objects in the same folders that belong to other log types: the front of the key below the day, then text.
pub(crate) const SIBLINGS: &str = r"
health_check_log_<account>_elasticloadbalancing_<region>_app.shop.50dc6c495c0c9188_<minute>_198.51.100.9_<id>.log.gz: http <micros>
  0.001234567 10.0.1.5:8080 web PASS 200 -
";
