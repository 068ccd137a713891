//! Numbers as people write them on a command line: `30_000`, `1e3`, `.001`, `5.`, `007`.

/// The whole number that `text` is exactly, as `1e3` and `2.50e2` are; `None` for other text, as `1.5`, and beyond an `i64`.
#[must_use]
pub fn whole(text: &str) -> Option<i64> {
    let joined = joined(text)?;
    let (mantissa, power) = match joined.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
        None => (&*joined, 0),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (before, after) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let both = format!("{before}{after}");
    if both.is_empty() || !both.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let last = both.trim_end_matches('0');
    let zeros = i64::from(power) - after.len() as i64 + (both.len() - last.len()) as i64;
    let digits = last.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros < 19)?;
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    format!("{sign}{digits}{}", "0".repeat(zeros)).parse().ok()
}

/// The finite number that `text` is.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let joined = joined(text)?;
    let is_written = joined.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)); // no `inf`, no `nan`
    joined.parse().ok().filter(|x: &f64| is_written && x.is_finite())
}

/// `text` without underscores between digits; `None` where one is elsewhere.
fn joined(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split('_').collect();
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let between = |pair: &[&str]| digit(pair[0].chars().last()) && digit(pair[1].chars().next());
    parts.windows(2).all(between).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_exactly_or_not_at_all() {
        for (text, n) in [
            ("30_000", 30_000),
            ("1e3", 1000),
            ("1E+3", 1000),
            ("2.50e2", 250),
            (".5e1", 5),
            ("5.", 5),
            ("120e-1", 12),
            ("007", 7),
            ("+5", 5),
            ("-0.0", 0),
            ("0e99", 0),
            ("-9223372036854775808", i64::MIN),
            ("9_223_372_036_854_775_807", i64::MAX),
            ("1e18", 1_000_000_000_000_000_000),
        ] {
            assert_eq!(whole(text), Some(n), "{text}");
        }
        for text in [
            "1.5e0",
            "1e-1",
            "1000.00000000000000001",
            "9223372036854775808",
            "1e19",
            "1e2147483647",
            "1e9999999999",
            "",
            ".",
            "-",
            "e3",
            "1e",
            "1_",
            "_1",
            "1__0",
            "1_.0",
            "1,000",
            "0x10",
            "inf",
            "--1",
            "1 000",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_need_no_digit_before_the_point() {
        for (text, x) in [(".001", 0.001), ("1e-3", 0.001), ("1_000.5", 1000.5), ("-.5", -0.5), ("5.", 5.0), ("1", 1.0)]
        {
            assert_eq!(number(text), Some(x), "{text}");
        }
        for text in ["inf", "nan", "-infinity", "1e999", "", ".", "1._5", "0x1", "1,5", "e"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
