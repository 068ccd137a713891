//! Reads a `metrics.csv`, also that of a live run.

use std::path::Path;

use super::STEPS;
use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, read_if_there};

/// All rows of a `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsTable {
    /// Exploration steps of each row, increasing.
    pub env_steps: Vec<u64>,
    /// (name, a value for each row), in the file's order.
    pub columns: Vec<(String, Vec<Option<f64>>)>,
}

impl MetricsTable {
    /// A column's value for each row; `None` if there is no such column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[Option<f64>]> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, values)| values.as_slice())
    }

    /// The last measured value of a column.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<f64> {
        self.column(name)?.iter().rev().find_map(|v| *v)
    }
}

/// All rows of a file, also of a live run: an incomplete last line is ignored. So are a byte order mark, CRs and empty lines.
///
/// # Errors
/// `Damaged` if it is missing and, with file and line, if it is not such a table; as
/// [`read_error`](crate::keep::store::fs::read_error) if it cannot be read.
pub fn read(path: &Path) -> Result<MetricsTable> {
    parse(path, &text(path)?)
}

pub(super) fn text(path: &Path) -> Result<String> {
    let gone =
        || Error::Damaged(format!("{} is gone: put it back, or resume the run, which begins another", path.display()));
    let bytes = read_if_there(&DiskFs, path)?.ok_or_else(gone)?;
    String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        damaged(path, line, "is not text")
    })
}

/// The complete lines that are not empty, with their numbers.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let whole = text.trim_start_matches('\u{feff}').split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let plain = whole.map(|line| line.strip_suffix('\r').unwrap_or(line)).zip(1..);
    plain.filter(|(line, _)| !line.is_empty())
}

pub(super) fn parse(path: &Path, text: &str) -> Result<MetricsTable> {
    let mut lines = lines(text).peekable();
    let header = lines.next().and_then(|(line, _)| line.strip_prefix(STEPS));
    let names = header.ok_or_else(|| damaged(path, 1, "does not begin with `env_steps`"))?.split(',').skip(1);
    let mut table = MetricsTable { env_steps: vec![], columns: names.map(|n| (n.to_owned(), vec![])).collect() };
    while let Some((line, number)) = lines.next() {
        if lines.peek().is_none() && line.contains('\0') {
            break; // a block of the last row was lost and reads as zeros: its sync never completed
        }
        let mut cells = line.split(',');
        let steps = cells.next().and_then(|c| c.parse().ok());
        let steps: u64 = steps.ok_or_else(|| damaged(path, number, "does not begin with a number of steps"))?;
        if table.env_steps.last().is_some_and(|last| steps <= *last) {
            return Err(damaged(path, number, "does not go forward in env_steps"));
        }
        let values: Option<Vec<Option<f64>>> = cells.map(cell).collect();
        let values = values.ok_or_else(|| damaged(path, number, "has a cell that is not a number"))?;
        if values.len() != table.columns.len() {
            let what = format!("has {} cells where the header has {}", values.len() + 1, table.columns.len() + 1);
            return Err(damaged(path, number, &what));
        }
        table.env_steps.push(steps);
        table.columns.iter_mut().zip(values).for_each(|((_, column), value)| column.push(value));
    }
    Ok(table)
}

/// `None` = not a number; `Some(None)` = not measured.
#[expect(clippy::option_option, reason = "the two levels are two facts, and `collect` uses the outer one")]
fn cell(text: &str) -> Option<Option<f64>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn damaged(path: &Path, line: usize, what: &str) -> Error {
    let path = path.display();
    let way = "restore the file from a copy, or move it away: a resumed run begins a new one, without the rows so far";
    Error::Damaged(format!("{path}, line {line} {what}; {way}"))
}
