//! `metrics.csv` of a run: a header, then one row an epoch; first column `env_steps`, an empty cell = not measured.
//!
//! Numbers are printed in the shortest form that reads back as the same f64.

mod columns;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::keep::store::fs::{Fs, disk_error, write_atomic};
pub use columns::{COLUMNS, Column, columns, coverage, drawn, find, names};
pub use table::{Table, read};
use table::{lines, parse, text};

const STEPS: &str = "env_steps";

/// What was measured up to one moment of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Exploration steps so far.
    pub env_steps: u64,
    /// Metric name -> value; what is not here was not measured.
    pub values: BTreeMap<String, f64>,
}

/// The `metrics.csv` of a live run, open at its end.
pub struct MetricsCsv {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    /// Of the file: those that the run began with.
    columns: Vec<String>,
    /// That a run in this scene may measure today.
    registered: Vec<String>,
    /// Whether the last row may be there in part, or whole but not durable.
    torn: bool,
}

impl MetricsCsv {
    /// The file without rows; `columns` leaves out `env_steps`.
    #[must_use]
    pub fn header(columns: &[String]) -> String {
        line([STEPS].into_iter().chain(columns.iter().map(String::as_str)))
    }

    /// Drops the rows beyond `env_steps` and a torn last line, and goes on after what is left, with LF alone at the ends of
    /// lines; later rows may measure the `registered` columns, see [`columns`]. A last line that lacks but its end counts
    /// where it has no more than `env_steps`: a run that got further had it whole.
    ///
    /// At every moment the file is the old one or the new one.
    ///
    /// # Errors
    /// As [`read`]; `Disk` when it cannot be written.
    pub fn cut_back(fs: Arc<dyn Fs>, path: &Path, registered: Vec<String>, env_steps: u64) -> Result<Self> {
        let mut text = text(path)?;
        let mut table = parse(path, &text)?;
        let ended = format!("{text}\n");
        if let Ok(whole) = parse(path, &ended)
            && whole.env_steps.last().is_some_and(|s| *s <= env_steps)
        {
            (text, table) = (ended, whole);
        }
        let kept = table.env_steps.iter().filter(|s| **s <= env_steps).count();
        let cut: String = lines(&text).take(1 + kept).map(|(row, _)| format!("{row}\n")).collect();
        write_atomic(&*fs, path, cut.as_bytes())?;
        let columns = table.columns.into_iter().map(|(name, _)| name).collect();
        Ok(Self { fs, path: path.to_owned(), columns, registered, torn: false })
    }

    /// Writes one row: the line goes out whole and is synced. After an error the same row may be tried again.
    ///
    /// A registered column that the file lacks, since an older program began it, is left out.
    ///
    /// # Errors
    /// `Misuse` for a name that is not registered; `Disk` when it cannot be written.
    pub fn append(&mut self, row: &Row) -> Result<()> {
        if let Some(name) = row.values.keys().find(|name| !self.registered.contains(name)) {
            let why = "is measured but not registered; add it to `COLUMNS`";
            return Err(Error::Misuse(format!("{}: column `{name}` {why}", self.path.display())));
        }
        let cells = self.columns.iter().map(|c| row.values.get(c).map_or(String::new(), |v| format!("{v:?}")));
        let cells: Vec<_> = [row.env_steps.to_string()].into_iter().chain(cells).collect();
        if self.torn {
            let registered = std::mem::take(&mut self.registered);
            *self = Self::cut_back(Arc::clone(&self.fs), &self.path, registered, row.env_steps.saturating_sub(1))?;
        }
        self.torn = true; // until the disk says otherwise
        let bytes = line(cells.iter().map(String::as_str));
        self.fs.append_synced(&self.path, bytes.as_bytes()).map_err(|e| disk_error("extend", &self.path, &e))?;
        self.torn = false;
        Ok(())
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}
