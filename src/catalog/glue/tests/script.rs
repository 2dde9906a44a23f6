//! A server that plays Glue from a script: one reply for each request, in order. The requests can be read afterwards.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aws_sdk_glue::config::retry::RetryConfig;
use aws_sdk_glue::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_glue::{Client, Config};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use serde_json::{Value, json};

use crate::cancel::Cancel;
use crate::catalog::glue::GlueCatalog;
use crate::store::ConnectionOptions;
use crate::store::s3::Aws;

/// The answer to one call.
pub(super) struct Reply {
    operation: &'static str,
    status: u16,
    body: Value,
}

/// Returns a successful reply.
pub(super) fn ok(operation: &'static str, body: Value) -> Reply {
    Reply { operation, status: 200, body }
}

/// Returns an error reply.
pub(super) fn refused(operation: &'static str, code: &str) -> Reply {
    Reply { operation, status: 400, body: json!({"__type": code, "Message": "as scripted"}) }
}

/// A running script.
pub(super) struct Script {
    server: JoinHandle<()>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Script {
    /// Starts a script. Returns the catalog whose calls it answers.
    pub(super) fn play(replies: Vec<Reply>) -> (GlueCatalog, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&asked);
        let server = thread::spawn(move || {
            for reply in replies {
                let (stream, _) = listener.accept().unwrap();
                answer(stream, &reply, &requests);
            }
        });
        (catalog(&endpoint), Self { server, asked })
    }

    /// Returns the requests once the script has ended.
    pub(super) fn asked(self) -> Vec<Value> {
        let operations: Vec<String> =
            self.asked.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect();
        for _ in 0..100 {
            if self.server.is_finished() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert!(self.server.is_finished(), "more calls were expected than {operations:?}");
        self.server.join().unwrap();
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, body)| body.clone()).collect()
    }
}

fn catalog(endpoint: &str) -> GlueCatalog {
    let client = aws_smithy_http_client::Builder::new();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "script"))
        .retry_config(RetryConfig::disabled())
        .http_client(client.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .endpoint_url(endpoint);
    let aws = Aws::new(Cancel::default(), &ConnectionOptions::default()).unwrap();
    let client = Client::from_conf(config.build());
    GlueCatalog { aws, client, database: "logs".to_owned(), pause: Duration::ZERO, simulation: None }
}

fn answer(stream: TcpStream, reply: &Reply, requests: &Mutex<Vec<(String, Value)>>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut operation) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "x-amz-target" => operation = value.trim().trim_start_matches("AWSGlue.").to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    requests.lock().unwrap().push((operation.clone(), serde_json::from_slice(&body).unwrap()));
    let (status, body) = if operation == reply.operation {
        (reply.status, reply.body.to_string())
    } else {
        let message = format!("{operation} was called, but {} was expected", reply.operation);
        (400, json!({"__type": "OffScript", "Message": message}).to_string())
    };
    let mut stream = reader.into_inner();
    let start = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(start.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
}
