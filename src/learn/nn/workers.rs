//! A thread pool that cuts work into a fixed number of shares; results do not depend on which thread runs a share.

use std::sync::Arc;

/// Threads that a run may always ask for.
const THREADS_ALWAYS_ALLOWED: usize = 8;

/// Cores that this process may use: its affinity and its control group's quota count. 1 where the system does not tell.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The most threads that a run may begin with; more threads than that only slow each other down.
#[must_use]
pub fn most_threads() -> usize {
    THREADS_ALWAYS_ALLOWED.max(2 * cores())
}

/// A pool for work in `count` shares; clones share it.
///
/// ```
/// use skewfit::learn::nn::Workers;
///
/// let workers = Workers::new(2);
/// assert_eq!(workers.shares(10, 4), [0..8, 8..10]); // blocks of 4 rows
/// let mut squares = [1, 2, 3];
/// workers.each(&mut squares, |_, x| *x *= *x);
/// assert_eq!(squares, [1, 4, 9]);
/// ```
#[derive(Clone)]
pub struct Workers {
    pool: Option<Arc<rayon::ThreadPool>>,
    count: usize,
}

impl Workers {
    /// `threads` shares, on as many threads as there are cores for them; 0 = one per core. If threads cannot be started,
    /// shares run one after the other.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let count = if threads == 0 { cores() } else { threads };
        let started = count.min(cores());
        let pool = (started > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(started).build().ok()).flatten();
        Self { pool: pool.map(Arc::new), count }
    }

    /// Number of shares that work is cut into.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Calls `work(index, share)` for every share, in parallel; returns when all are done.
    pub fn each<T: Send>(&self, shares: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        match &self.pool {
            Some(pool) => pool.in_place_scope(|scope| {
                let work = &work;
                for (i, share) in shares.iter_mut().enumerate() {
                    scope.spawn(move |_| work(i, share));
                }
            }),
            None => shares.iter_mut().enumerate().for_each(|(i, share)| work(i, share)),
        }
    }

    /// Rows `0..n` cut into `count` contiguous shares; all lengths are multiples of `block`, except where rows run out.
    #[must_use]
    pub fn shares(&self, n: usize, block: usize) -> Vec<std::ops::Range<usize>> {
        let size = n.div_ceil(self.count).next_multiple_of(block);
        (0..self.count).map(|i| (i * size).min(n)..((i + 1) * size).min(n)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_partition_the_rows() {
        for (threads, n, block) in [(1, 10, 4), (2, 1024, 128), (3, 100, 8), (4, 3, 8), (2, 0, 8)] {
            let shares = Workers { pool: None, count: threads }.shares(n, block);
            assert_eq!(shares.len(), threads);
            assert_eq!(shares.iter().map(ExactSizeIterator::len).sum::<usize>(), n);
            assert!(shares.windows(2).all(|w| w[0].end == w[1].start));
        }
    }

    #[test]
    fn a_panic_in_a_share_reaches_the_caller() {
        for threads in [1, 3] {
            let workers = Workers::new(threads);
            let work = || workers.each(&mut [0, 1, 2], |i, _| assert_ne!(i, 2, "asked for"));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err());
            let mut shares = [0; 3];
            workers.each(&mut shares, |_, s| *s = 1);
            assert_eq!(shares, [1; 3], "the pool works after a panic");
        }
    }

    #[test]
    fn every_share_runs_once() {
        let mut shares = vec![0; 7];
        Workers::new(3).each(&mut shares, |i, s| *s += i + 1);
        assert_eq!(shares, [1, 2, 3, 4, 5, 6, 7]);
    }
}
