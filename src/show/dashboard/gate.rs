//! Who may ask what: every request shows a Host of this page, all but the bare page the key, all that is not a reading
//! this page's Origin. So neither a foreign site whose name leads to 127.0.0.1 nor another user of the machine gets in.
//!
//! There are no cookies, so no browser shows the key on behalf of another site; and no word of CORS is ever said.

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::key::Key;

/// What holds nothing of a run.
pub const OPEN: [&str; 4] = ["/", "/page.css", "/page.js", "/icon.svg"];

/// Said with every answer: nothing from elsewhere, nothing inline, not in a frame, not kept.
pub const SAID: [(HeaderName, HeaderValue); 6] = [
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

/// Status and sentence for who is not let in.
pub type Refusal = (StatusCode, &'static str);

/// Lets requests in.
pub struct Gate {
    hosts: [String; 2],
    key: Key,
}

impl Gate {
    /// For the page at `port` of this machine.
    pub fn new(port: u16, key: Key) -> Self {
        Self { hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")], key }
    }

    /// Looks at a request's head; nothing of its body was read.
    pub fn admit(&self, head: &Parts) -> Result<(), Refusal> {
        let one = |name: HeaderName| {
            let mut all = head.headers.get_all(name).iter();
            all.next().filter(|_| all.next().is_none())?.to_str().ok()
        };
        let host = one(header::HOST).filter(|host| self.hosts.iter().any(|ours| ours == host));
        let host = host.filter(|_| head.uri.authority().is_none());
        let host = host.ok_or((StatusCode::FORBIDDEN, "ask 127.0.0.1 or localhost, with the port of this page"))?;
        let reads = [Method::GET, Method::HEAD].contains(&head.method);
        if !reads && one(header::ORIGIN).and_then(|origin| origin.strip_prefix("http://")) != Some(host) {
            return Err((StatusCode::FORBIDDEN, "only the page itself may ask for that"));
        }
        let open = reads && OPEN.contains(&head.uri.path());
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
