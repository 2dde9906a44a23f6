//! The part of a failure that names the proxy.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;

use crate::store::proxies::Proxy;

/// A request that failed on its way through a proxy, or that the proxy itself refused if `cause` is `None`.
#[derive(Debug)]
pub(super) struct ThroughProxy {
    /// The proxy.
    pub(super) proxy: Proxy,
    /// The failure; `None` for a refusal.
    pub(super) cause: Option<BoxError>,
}

impl ThroughProxy {
    /// Finds it among the causes of an error.
    pub(super) fn find_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
    }

    /// The next step.
    pub(super) fn next_step(&self) -> String {
        let variable = self.proxy.variable();
        match self.cause {
            Some(_) => format!("check the proxy in {variable}, or list hosts that need no proxy in NO_PROXY"),
            None => format!("check the user and password of the proxy in {variable}"),
        }
    }
}

impl fmt::Display for ThroughProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (proxy, variable) = (&self.proxy, self.proxy.variable());
        match self.cause {
            Some(_) => write!(f, "through the proxy {proxy} set by {variable}"),
            None => write!(f, "the proxy {proxy} set by {variable} rejects the user or password (407)"),
        }
    }
}

impl StdError for ThroughProxy {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as &(dyn StdError + 'static))
    }
}
