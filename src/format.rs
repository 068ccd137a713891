//! Formats numbers for people: durations, sizes, counts.

/// `8.1 s`, `3 min 20 s`, `1 h 05 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    match whole {
        3600.. => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        60.. => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{seconds:.1} s"),
    }
}

/// `640 kB`, `12 MB`, `1.4 GB`, in powers of ten.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    match bytes {
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

/// `30000` -> `30,000`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(n), text);
        }
        for (seconds, text) in [(8.06, "8.1 s"), (59.9, "59.9 s"), (200.7, "3 min 20 s"), (3900.0, "1 h 05 min")] {
            assert_eq!(duration(seconds), text);
        }
        for (n, text) in [(0.0, "0 kB"), (640e3, "640 kB"), (12e6, "12 MB"), (1.44e9, "1.4 GB")] {
            assert_eq!(bytes(n), text);
        }
    }
}
