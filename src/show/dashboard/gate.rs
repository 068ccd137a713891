//! Access control. Every request must carry a Host of this page; every request except for the bare page must carry the key;
//! every request except GET and HEAD must carry this page's Origin. This keeps out other sites, also those whose name
//! resolves to 127.0.0.1, and other users of the machine.
//!
//! There are no cookies, so a browser never sends the key for another site; no CORS header is ever sent.

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::key::AccessKey;

/// Paths that need no key: they contain nothing about a run.
pub const PATHS_WITHOUT_KEY: [&str; 4] = ["/", "/page.css", "/page.js", "/icon.svg"];

/// Headers of every response: no foreign content, nothing inline, no framing, no caching.
pub const RESPONSE_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Status and message of a refused request.
pub type Refusal = (StatusCode, &'static str);

/// Decides which requests are admitted.
pub struct Gate {
    hosts: [String; 2],
    key: AccessKey,
}

impl Gate {
    /// For the page at `port`.
    pub fn new(port: u16, key: AccessKey) -> Self {
        Self { hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")], key }
    }

    /// Checks the head of a request, before its body is read.
    pub fn admit(&self, head: &Parts) -> Result<(), Refusal> {
        let one = |name: HeaderName| {
            let mut all = head.headers.get_all(name).iter();
            all.next().filter(|_| all.next().is_none())?.to_str().ok()
        };
        let host = one(header::HOST).filter(|host| self.hosts.iter().any(|ours| ours == host));
        let host = host.filter(|_| head.uri.authority().is_none());
        let host =
            host.ok_or((StatusCode::FORBIDDEN, "use the host 127.0.0.1 or localhost, with the port of this page"))?;
        let reads = [Method::GET, Method::HEAD].contains(&head.method);
        if !reads && one(header::ORIGIN).and_then(|origin| origin.strip_prefix("http://")) != Some(host) {
            return Err((StatusCode::FORBIDDEN, "only the page itself may send this request"));
        }
        let open = reads && PATHS_WITHOUT_KEY.contains(&head.uri.path());
        let shown = one(header::AUTHORIZATION).and_then(|word| word.strip_prefix("Bearer "));
        if open || shown.is_some_and(|shown| self.key.opens(shown)) {
            return Ok(());
        }
        Err((
            StatusCode::UNAUTHORIZED,
            "show the run's key: the address in the terminal has it, or the run's file serve.token",
        ))
    }
}
