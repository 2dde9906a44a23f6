//! Sends requests through the proxies of the environment: one client for each route, chosen request by request.
//!
//! A failure on the way names the proxy and the variable that sets it, and keeps its kind, so that retries and exit codes are
//! the same as without a proxy.

use std::sync::Arc;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::failure::causes;
use super::through_proxy::ThroughProxy;
use crate::error::{Error, ErrorKind, Result};
use crate::store::proxies::{Proxies, Proxy};

/// The start of the header fields that mark a request for the metadata of an instance, wherever its endpoint is.
const OF_METADATA: &str = "x-aws-ec2-metadata-token";
/// The status with which a proxy asks for a user and a password.
const AUTHENTICATION_REQUIRED: u16 = 407;
/// The client's text if a proxy asks for them instead of opening a tunnel.
const TUNNEL_REFUSED: &str = "proxy authorization required";

/// The client for all requests to AWS.
pub(super) fn http_client(tls: &TlsContext, proxies: Proxies) -> Result<SharedHttpClient> {
    let direct = Builder::new().tls_provider(provider()).tls_context(tls.clone()).build_https();
    let through = |scheme| proxies.of_scheme(scheme).map(|proxy| client_through(proxy, tls)).transpose();
    let (https, http) = (through("https")?, through("http")?);
    if https.is_none() && http.is_none() {
        return Ok(direct);
    }
    let proxies = Arc::new(proxies);
    Ok(http_client_fn(move |settings, components| {
        let open = |client: &SharedHttpClient| client.http_connector(settings, components);
        SharedHttpConnector::new(Routes {
            proxies: Arc::clone(&proxies),
            direct: open(&direct),
            https: https.as_ref().map(open),
            http: http.as_ref().map(open),
        })
    }))
}

/// A client that sends all its requests through one proxy.
fn client_through(proxy: &Proxy, tls: &TlsContext) -> Result<SharedHttpClient> {
    // The error of the library may repeat the address, including the password.
    let config = ProxyConfig::all(proxy.secret_address()).map_err(|_| {
        Error::new(ErrorKind::Usage, "cannot use the proxy")
            .with("proxy", proxy)
            .with("variable", proxy.variable())
    })?;
    let tls = tls.clone();
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder();
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.proxy_config(config.clone()).tls_provider(provider()).tls_context(tls.clone()).build()
    }))
}

fn provider() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

/// The routes that a request can take.
#[derive(Debug)]
struct Routes {
    proxies: Arc<Proxies>,
    direct: SharedHttpConnector,
    https: Option<SharedHttpConnector>,
    http: Option<SharedHttpConnector>,
}

impl Routes {
    /// The proxy for a request, with its connector; `None` for the metadata of an instance.
    fn through(&self, request: &HttpRequest) -> Option<(&Proxy, &SharedHttpConnector)> {
        if request.headers().iter().any(|(name, _)| name.starts_with(OF_METADATA)) {
            return None;
        }
        let proxy = self.proxies.for_address(request.uri())?;
        let connector = if is_https(request) { &self.https } else { &self.http };
        Some((proxy, connector.as_ref()?))
    }
}

impl HttpConnector for Routes {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some((proxy, connector)) = self.through(&request) else { return self.direct.call(request) };
        let (proxy, is_seen_by_proxy) = (proxy.clone(), !is_https(&request));
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move {
            match answer.await {
                Ok(answer) if is_seen_by_proxy && answer.status().as_u16() == AUTHENTICATION_REQUIRED => {
                    Err(refused(proxy))
                }
                Ok(answer) => Ok(answer),
                Err(error) if causes(&error).contains(TUNNEL_REFUSED) => Err(refused(proxy)),
                Err(error) => Err(failed(error, proxy)),
            }
        })
    }
}

fn is_https(request: &HttpRequest) -> bool {
    request.uri().starts_with("https:")
}

/// A refusal, which another attempt cannot fix.
fn refused(proxy: Proxy) -> ConnectorError {
    ConnectorError::user(Box::new(ThroughProxy { proxy, cause: None }))
}

/// A failure of the same kind that names the proxy.
fn failed(error: ConnectorError, proxy: Proxy) -> ConnectorError {
    let (is_timeout, is_io, is_user, other) =
        (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let named = Box::new(ThroughProxy { proxy, cause: Some(error.into_source()) });
    if is_timeout {
        ConnectorError::timeout(named)
    } else if is_io {
        ConnectorError::io(named)
    } else if is_user {
        ConnectorError::user(named)
    } else {
        ConnectorError::other(named, other)
    }
}
