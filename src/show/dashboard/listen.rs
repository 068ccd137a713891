//! Accepts connections with limits: 8 KiB of headers within 5 s, one request, five minutes in total, and at most 64 open
//! connections. Idle connections cannot block others: the oldest is closed.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const LIVE: usize = 64;
const HEAD_BYTES: usize = 8 << 10;
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Longest connection, event streams included: the page reconnects.
const LONGEST: Duration = Duration::from_secs(300);
/// Time between two checks of `stop`, and before a failed `accept` is tried again.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Answers requests until `stop`.
///
/// # Errors
/// If the listener cannot be registered.
pub async fn listen(listener: std::net::TcpListener, router: Router, stop: &AtomicBool) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut live = VecDeque::with_capacity(LIVE);
    while !stop.load(Ordering::Relaxed) {
        let stream = match timeout(POLL_INTERVAL, listener.accept()).await {
            Ok(Ok((stream, _))) => stream,
            Ok(Err(_)) => {
                sleep(POLL_INTERVAL).await;
                continue;
            }
            Err(_) => continue,
        };
        live.retain(|task: &tokio::task::JoinHandle<()>| !task.is_finished());
        if live.len() == LIVE {
            live.pop_front().inspect(tokio::task::JoinHandle::abort);
        }
        live.push_back(tokio::spawn(answer(stream, router.clone())));
    }
    Ok(())
}

async fn answer(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(HEAD_BYTES).keep_alive(false);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let _ = timeout(LONGEST, connection).await; // a failed connection concerns the client only
}
