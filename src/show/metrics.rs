//! `metrics.csv` of a run: a header, then one row an epoch; first column `env_steps`, an empty cell = not measured.
//!
//! Numbers are printed in the shortest form that reads back as the same f64.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use skewfit_envs::{Scene, StateVec};

use crate::error::{Error, Result};
use crate::keep::store::fs::{Fs, disk_error, write_atomic};

const STEPS: &str = "env_steps";

/// Metrics of every run, in the order of the columns; the scene's `eval/final_<metric>` come before them.
const COLUMNS: [&str; 30] = [
    "eval/success_rate",
    "train/critic_loss",
    "train/actor_loss",
    "train/temperature",
    "train/entropy",
    "train/q_mean",
    "train/grad_norm",
    "vae/sse",
    "vae/kl",
    "vae/loss",
    "vae/active_dims",
    "skew/alpha",
    "skew/ess",
    "skew/max_weight",
    "coverage/cells",
    "coverage/entropy_nats",
    "goals/from_prior",
    "goals/from_replay",
    "goals/from_skewed",
    "reward/mean",
    "time/wall_s",
    "time/env_s",
    "time/sac_s",
    "time/vae_s",
    "time/refresh_s",
    "time/other_s",
    "time/cpu_s",
    "time/safety_cpu_s",
    "time/safety_wait_s",
    "time/rss_mb",
];

/// The contract's metric names in order, for a scene with these metrics (`angle_error_rad` -> `eval/final_angle_error_rad`)
/// and these states on its heat map: their means over replay, and weighted as skewed draws are.
#[must_use]
pub fn names(scene_metrics: &[&str], mapped_states: &[&str]) -> Vec<String> {
    let eval = scene_metrics.iter().map(|m| format!("eval/final_{m}"));
    let means = mapped_states.iter().flat_map(|s| [format!("replay/mean_{s}"), format!("skew/mean_{s}")]);
    eval.chain(COLUMNS.iter().map(ToString::to_string)).chain(means).collect()
}

/// The columns of a run in `scene`.
#[must_use]
pub fn columns(scene: &dyn Scene) -> Vec<String> {
    let states = &scene.spec().state_names;
    let nowhere = StateVec(vec![0.0; states.len()]);
    let scene_metrics: Vec<&str> = scene.metrics(&nowhere, &nowhere).into_iter().map(|m| m.0).collect();
    let mut mapped: Vec<&str> = scene.coverage().heat_map.iter().map(|a| states[a.state].as_str()).collect();
    mapped.dedup();
    names(&scene_metrics, &mapped)
}

/// What was measured up to one moment of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Exploration steps so far.
    pub env_steps: u64,
    /// Metric name -> value; what is not here was not measured.
    pub values: BTreeMap<String, f64>,
}

/// All rows of a `metrics.csv`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Exploration steps of each row, increasing.
    pub env_steps: Vec<u64>,
    /// (name, a value for each row), in the file's order.
    pub columns: Vec<(String, Vec<Option<f64>>)>,
}

impl Table {
    /// One value a row, if there is such a column.
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

    /// Drops the rows beyond `env_steps` and a torn last line, and goes on after what is left; later rows may measure the
    /// `registered` columns, see [`columns`].
    ///
    /// At every moment the file is the old one or the new one.
    ///
    /// # Errors
    /// As [`read`]; `Disk` when it cannot be written.
    pub fn cut_back(fs: Arc<dyn Fs>, path: &Path, registered: Vec<String>, env_steps: u64) -> Result<Self> {
        let text = text(path)?;
        let table = parse(path, &text)?;
        let kept = table.env_steps.iter().filter(|s| **s <= env_steps).count();
        let cut: String = text.split_inclusive('\n').take(1 + kept).collect();
        write_atomic(&*fs, path, cut.as_bytes())?;
        let columns = table.columns.into_iter().map(|(name, _)| name).collect();
        Ok(Self { fs, path: path.to_owned(), columns, registered, torn: false })
    }

    /// Writes one row: the line goes out whole and is synced. After an error the same row may be tried again.
    ///
    /// A registered column that the file lacks, since an older program began it, is left out.
    ///
    /// # Errors
    /// `Usage` for a name that is not registered; `Disk` when it cannot be written.
    pub fn append(&mut self, row: &Row) -> Result<()> {
        if let Some(name) = row.values.keys().find(|name| !self.registered.contains(name)) {
            let why = "is measured but not registered; add it to `COLUMNS`";
            return Err(Error::Usage(format!("{}: column `{name}` {why}", self.path.display())));
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

/// All rows of a file, of a live run too: a last line without its end is left out.
///
/// # Errors
/// `Io` when it cannot be read; `Damaged`, with file and line, for anything that is not such a table.
pub fn read(path: &Path) -> Result<Table> {
    parse(path, &text(path)?)
}

fn text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(io("read", path))?;
    String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        damaged(path, line, "is not text")
    })
}

fn parse(path: &Path, text: &str) -> Result<Table> {
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).zip(1..).peekable();
    let header = lines.next().and_then(|(line, _)| line.strip_prefix(STEPS));
    let names = header.ok_or_else(|| damaged(path, 1, "does not begin with `env_steps`"))?.split(',').skip(1);
    let mut table = Table { env_steps: vec![], columns: names.map(|n| (n.to_owned(), vec![])).collect() };
    while let Some((line, number)) = lines.next() {
        if lines.peek().is_none() && line.contains('\0') {
            break; // a block of the last row was lost and reads as zeros: its sync never came back
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
#[expect(clippy::option_option, reason = "the two levels are two facts, and `collect` reads the outer one")]
fn cell(text: &str) -> Option<Option<f64>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn damaged(path: &Path, line: usize, what: &str) -> Error {
    let path = path.display();
    Error::Damaged(format!("{path}, line {line} {what}: mend or delete that line, or take the file from a copy"))
}

fn io<'a>(verb: &'a str, path: &'a Path) -> impl Fn(std::io::Error) -> Error + 'a {
    move |source| Error::Io { what: format!("{}: cannot {verb} it", path.display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::{faulty::FaultyFs, fs::DiskFs};

    fn row(env_steps: u64, values: &[(&str, f64)]) -> Row {
        Row { env_steps, values: values.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect() }
    }

    fn registered() -> Vec<String> {
        ["a/x", "b/y", "later"].map(str::to_owned).to_vec()
    }

    fn written(path: &Path, rows: &[Row]) {
        fs::write(path, MetricsCsv::header(&["a/x".into(), "b/y".into()])).unwrap();
        let mut csv = MetricsCsv::cut_back(Arc::new(DiskFs), path, registered(), 0).unwrap();
        rows.iter().for_each(|r| csv.append(r).unwrap());
    }

    /// At every change of two appends the disk fails; the row is written again and stands there once.
    #[test]
    fn a_row_that_failed_is_written_again_once() {
        for n in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("metrics.csv");
            written(&path, &[]);
            let disk = Arc::new(FaultyFs::new(false));
            let mut csv = MetricsCsv::cut_back(disk.clone(), &path, registered(), 0).unwrap();
            disk.arm(n);
            for steps in [500, 1000] {
                while csv.append(&row(steps, &[("a/x", 0.5)])).is_err() {}
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), "env_steps,a/x,b/y\n500,0.5,\n1000,0.5,\n", "change {n}");
            if !disk.heal() {
                assert_eq!(n, 4, "a write and a sync each");
                break;
            }
        }
    }

    #[test]
    fn numbers_read_back_exactly_and_empty_stays_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.csv");
        let values = [0.1 + 0.2, -0.0, f64::MIN_POSITIVE / 8.0, 1e300, f64::INFINITY, 1.0 / 3.0, 5e-324];
        let rows: Vec<_> = (0..).zip(values).map(|(i, v)| row(500 * i, &[("a/x", v)])).collect();
        written(&path, &rows);
        let table = read(&path).unwrap();
        let bits = |v: &[Option<f64>]| v.iter().map(|v| v.map(f64::to_bits)).collect::<Vec<_>>();
        assert_eq!(bits(table.column("a/x").unwrap()), values.map(|v| Some(v.to_bits())));
        assert_eq!(table.column("b/y").unwrap(), [None; 7]);
        assert_eq!((table.last("a/x"), table.last("b/y"), table.last("c")), (Some(5e-324), None, None));
        assert!(fs::read_to_string(&path).unwrap().starts_with("env_steps,a/x,b/y\n0,0.30000000000000004,\n"));
    }

    #[test]
    fn a_cut_file_goes_on_as_if_never_written_further() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("1.csv"), dir.path().join("2.csv"));
        let rows = [500, 1000, 1500].map(|s| row(s, &[("a/x", s as f64), ("b/y", 1.5)]));
        written(&one, &rows);
        written(&two, &rows);
        DiskFs.append_synced(&two, b"2000,7.0").unwrap();
        assert_eq!(read(&two).unwrap(), read(&one).unwrap(), "a torn last line does not count");
        let mut csv = MetricsCsv::cut_back(Arc::new(DiskFs), &two, registered(), 1499).unwrap();
        assert_eq!(read(&two).unwrap().env_steps, [500, 1000]);
        csv.append(&rows[2]).unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_name_that_is_not_registered_is_an_error_and_one_that_an_older_file_lacks_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.csv");
        written(&path, &[row(1, &[("a/x", 0.5), ("later", 7.0)])]);
        let mut csv = MetricsCsv::cut_back(Arc::new(DiskFs), &path, registered(), 1).unwrap();
        let refused = csv.append(&row(2, &[("a/x", 0.5), ("c/z", 0.0)])).unwrap_err().to_string();
        assert!(refused.contains("`c/z` is measured but not registered"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "env_steps,a/x,b/y\n1,0.5,\n", "nothing of it is written");
    }

    #[test]
    fn damage_is_named_by_file_and_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.csv");
        let cases: [(&[u8], usize); 7] = [
            (b"", 1),
            (b"env_steps,a", 1),
            (b"steps,a\n", 1),
            (b"env_steps,a\n1,2\nx,2\n", 3),
            (b"env_steps,a\n1,2\n2,nope\n", 3),
            (b"env_steps,a\n1,2,3\n2,2\n", 2),
            (b"env_steps,a\n1,2\n\n3,\xff\n", 4),
        ];
        for (bytes, line) in cases {
            fs::write(&path, bytes).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(error, Error::Damaged(_)), "{error}");
            assert!(error.to_string().contains(&format!("metrics.csv, line {line} ")), "{error}");
        }
    }

    #[test]
    fn the_contract_names_come_in_order() {
        let names = names(&["angle_error_rad", "hand_distance_m"], &["angle"]);
        assert_eq!(names[..3], ["eval/final_angle_error_rad", "eval/final_hand_distance_m", "eval/success_rate"]);
        assert_eq!(
            (names.len(), names[31..].join(" ")),
            (34, "time/rss_mb replay/mean_angle skew/mean_angle".to_owned())
        );
    }
}
