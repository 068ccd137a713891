//! The routes: the page and its three files, a stream of changes, pictures, three control requests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request as HttpRequest, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream::{Stream, unfold};
use tokio::time::{sleep, timeout};

use super::gate::{Gate, RESPONSE_HEADERS};
use super::is_read_only;
use super::watch::{PageParts, Watch};
use crate::keep::faults::Chaos;
use crate::keep::store::fs::DiskFs;
use crate::keep::supervise::control::{Request, write_request};

const BODY_BYTES: usize = 4 << 10;
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// Time between two reads of the run's directory.
const EVERY: Duration = Duration::from_secs(1);

/// State shared by all requests.
pub struct Shared {
    gate: Gate,
    dir: PathBuf,
    watch: Mutex<Watch>,
    chaos: Chaos,
}

impl Shared {
    /// For the run in `dir`.
    pub fn new(dir: PathBuf, gate: Gate, chaos: Chaos) -> Self {
        Self { gate, watch: Mutex::new(Watch::new(dir.clone())), dir, chaos }
    }

    fn watch<T>(&self, look: impl FnOnce(&mut Watch) -> T) -> T {
        look(&mut self.watch.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All routes. Every request passes the gate first, also for unknown paths.
pub fn router(shared: Arc<Shared>) -> Router {
    let asset =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", asset("text/html; charset=utf-8", include_str!("page/index.html")))
        .route("/page.css", asset("text/css; charset=utf-8", include_str!("page/page.css")))
        .route("/page.js", asset("text/javascript; charset=utf-8", include_str!("page/page.js")))
        .route("/icon.svg", asset("image/svg+xml", include_str!("page/icon.svg")))
        .route("/events", get(events))
        .route("/pictures/{episode}/{which}", get(picture))
        .route("/control/{word}", post(control))
        .with_state(Arc::clone(&shared))
        .fallback(async || (StatusCode::NOT_FOUND, "no such path"))
        .layer(from_fn_with_state(shared, guard))
}

/// Applies the gate, and adds the headers of every response.
async fn guard(State(shared): State<Arc<Shared>>, request: HttpRequest, next: Next) -> Response {
    shared.chaos.request();
    let (head, body) = request.into_parts();
    let mut response = match shared.gate.admit(&head) {
        Ok(()) => next.run(HttpRequest::from_parts(head, body)).await,
        Err(refusal) => refusal.into_response(),
    };
    RESPONSE_HEADERS.iter().for_each(|(name, value)| drop(response.headers_mut().insert(name, value.clone())));
    response
}

/// Streams each part of the page when it has changed.
async fn events(State(shared): State<Arc<Shared>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let begin = (shared, PageParts::default(), VecDeque::new());
    Sse::new(unfold(begin, async |(shared, mut sent, mut due)| {
        loop {
            if let Some(event) = due.pop_front() {
                return Some((Ok(event), (shared, sent, due)));
            }
            let parts = shared.watch(|watch| watch.look(EVERY / 2));
            let new = parts.iter().filter(|(name, text)| sent.get(*name) != Some(text));
            due.extend(new.map(|(name, text)| Event::default().event(name).data(text)));
            if due.is_empty() {
                sleep(EVERY).await;
            }
            sent = parts;
        }
    }))
}

/// A PNG of a recent episode.
async fn picture(State(shared): State<Arc<Shared>>, Path((episode, which)): Path<(String, String)>) -> Response {
    match shared.watch(|watch| watch.picture(&episode, &which)) {
        Some(png) => ([(header::CONTENT_TYPE, "image/png")], png).into_response(),
        None => (StatusCode::NOT_FOUND, "that episode is not among the newest").into_response(),
    }
}

/// Control requests: pause, run, stop.
async fn control(State(shared): State<Arc<Shared>>, Path(word): Path<String>, body: Body) -> Response {
    let Some(request) = Request::of(&word) else {
        return (StatusCode::NOT_FOUND, "unknown request; use run, pause or stop").into_response();
    };
    match timeout(BODY_WITHIN, to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(_)) => {} // the body is ignored
        Ok(Err(_)) => {
            return (StatusCode::PAYLOAD_TOO_LARGE, "the request body is too large; send none").into_response();
        }
        Err(_) => {
            return (StatusCode::REQUEST_TIMEOUT, "the request body did not arrive in time; send none").into_response();
        }
    }
    if shared.watch(|watch| watch.over()) {
        return (StatusCode::CONFLICT, "this run has ended, so requests have no effect").into_response();
    }
    if is_read_only(&shared.dir) {
        return (
            StatusCode::FORBIDDEN,
            "this page is read-only: its user has no permission to write to the run's directory",
        )
            .into_response();
    }
    match write_request(&DiskFs, &shared.dir, request) {
        Ok(()) => request.word().into_response(),
        Err(e) => (StatusCode::SERVICE_UNAVAILABLE, e.to_string()).into_response(),
    }
}
