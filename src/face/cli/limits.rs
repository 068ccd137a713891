//! Limits of the system (`ulimit`, a container's) that would end this process without an error message.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;

use rayon::ThreadPoolBuilder;

/// Prepares the process for limits on the size of a file and on the number of threads.
pub fn prepare() {
    // A write beyond `ulimit -f` is then an error like that of a full disk; by default the signal kills.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    share_threads();
}

/// Makes rayon's shared pool smaller if the system refuses one thread for each core; else its first use would panic.
fn share_threads() {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads);
    if pool(0).build().is_ok() {
        return; // rayon starts as many when it needs them
    }
    let half = available_parallelism().map_or(0, |cores| cores.get() / 2);
    let fewer = std::iter::successors(Some(half), |threads| Some(threads / 2)).take_while(|threads| *threads > 0);
    let _ = match fewer.into_iter().find(|threads| pool(*threads).build().is_ok()) {
        Some(threads) => pool(threads).build_global(),
        None => pool(1).use_current_thread().build_global(),
    };
}
