//! Takes connections and bounds each: 8 KiB of head within 5 s, one request, five minutes in all, and only the newest 64
//! live. So whoever opens many and says nothing keeps out nobody: the oldest goes.

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
/// Streams of events too: the page takes them up again.
const LONGEST: Duration = Duration::from_secs(300);
/// Between two looks at `stop`, and before a system without file handles is asked again.
const LOOK: Duration = Duration::from_millis(100);

/// Answers whoever comes, until `stop`.
///
/// # Errors
/// The system's, at the beginning.
pub async fn listen(listener: std::net::TcpListener, router: Router, stop: &AtomicBool) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut live = VecDeque::with_capacity(LIVE);
    while !stop.load(Ordering::Relaxed) {
        let stream = match timeout(LOOK, listener.accept()).await {
            Ok(Ok((stream, _))) => stream,
            Ok(Err(_)) => {
                sleep(LOOK).await;
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
    let _ = timeout(LONGEST, connection).await; // what goes wrong on the way is the other side's to know
}
