//! `metrics.csv` of a run: a header, then one row per epoch; first column `env_steps`; an empty cell = not measured.
//!
//! Numbers are written in the shortest form that reads back as the same f64.

mod columns;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::keep::store::fs::{Fs, disk_error, write_atomic};
pub use columns::{COLUMNS, MetricColumn, columns, coverage, drawn, find, names};
pub use table::{MetricsTable, read};
use table::{lines, parse, text};

const STEPS: &str = "env_steps";

/// The measurements of one epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsRow {
    /// Exploration steps so far.
    pub env_steps: u64,
    /// Metric name -> value; a missing metric was not measured.
    pub values: BTreeMap<String, f64>,
}

/// The `metrics.csv` of a live run, open for appending.
pub struct MetricsCsv {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    /// Columns of the file: those registered when the run started.
    columns: Vec<String>,
    /// Columns that this program registers for the scene.
    registered: Vec<String>,
    /// True if the last row may be incomplete, or complete but not durable.
    torn: bool,
}

impl MetricsCsv {
    /// The header line for `columns`, which do not include `env_steps`.
    #[must_use]
    pub fn header(columns: &[String]) -> String {
        line([STEPS].into_iter().chain(columns.iter().map(String::as_str)))
    }

    /// Opens the file and removes rows beyond `env_steps` and a torn last line; all lines end with LF afterwards. A last line
    /// that lacks only its end is kept if it has at most `env_steps`. Later rows may have values of the `registered`
    /// columns, see [`columns`].
    ///
    /// The file is replaced atomically.
    ///
    /// # Errors
    /// As [`read`]; `Disk` if it cannot be written.
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

    /// Appends one row and syncs it. After an error the same row may be appended again.
    ///
    /// A registered column that the file lacks is skipped: an older program started the file.
    ///
    /// # Errors
    /// `Misuse` for a name that is not registered; `Disk` if the row cannot be written.
    pub fn append(&mut self, row: &MetricsRow) -> Result<()> {
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
        self.torn = true; // until the sync succeeds
        let bytes = line(cells.iter().map(String::as_str));
        self.fs.append_synced(&self.path, bytes.as_bytes()).map_err(|e| disk_error("extend", &self.path, &e))?;
        self.torn = false;
        Ok(())
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}
