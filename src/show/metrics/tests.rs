use std::fs;

use super::*;
use crate::keep::store::{faulty::FaultyFs, fs::DiskFs};

fn row(env_steps: u64, values: &[(&str, f64)]) -> MetricsRow {
    MetricsRow { env_steps, values: values.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect() }
}

fn registered() -> Vec<String> {
    ["a/x", "b/y", "later"].map(str::to_owned).to_vec()
}

fn written(path: &Path, rows: &[MetricsRow]) {
    fs::write(path, MetricsCsv::header(&["a/x".into(), "b/y".into()])).unwrap();
    let mut csv = MetricsCsv::cut_back(Arc::new(DiskFs), path, registered(), 0).unwrap();
    rows.iter().for_each(|r| csv.append(r).unwrap());
}

/// The disk fails at each operation of two appends in turn; the row is appended again and occurs once.
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
        assert_eq!(fs::read_to_string(&path).unwrap(), "env_steps,a/x,b/y\n500,0.5,\n1000,0.5,\n", "operation {n}");
        if !disk.heal() {
            assert_eq!(n, 4, "a write and a sync per row");
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
fn a_cut_file_continues_as_if_the_later_rows_were_never_written() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("1.csv"), dir.path().join("2.csv"));
    let rows = [500, 1000, 1500].map(|s| row(s, &[("a/x", s as f64), ("b/y", 1.5)]));
    written(&one, &rows);
    written(&two, &rows);
    DiskFs.append_synced(&two, b"2000,7.0").unwrap();
    assert_eq!(read(&two).unwrap(), read(&one).unwrap(), "a torn last line is ignored");
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
    assert_eq!(fs::read_to_string(&path).unwrap(), "env_steps,a/x,b/y\n1,0.5,\n", "no part of the row is written");
}

#[test]
fn a_file_that_another_program_saved_reads_the_same_and_goes_on_with_lf_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("metrics.csv");
    written(&path, &[row(1, &[("a/x", 0.5)]), row(2, &[])]);
    let (plain, table) = (fs::read_to_string(&path).unwrap(), read(&path).unwrap());
    let crlf = plain.replace('\n', "\r\n");
    for text in [crlf.clone(), format!("\u{feff}{plain}"), format!("{plain}\n\n"), format!("\u{feff}{crlf}\r\n")] {
        fs::write(&path, &text).unwrap();
        assert_eq!(read(&path).unwrap(), table, "{text:?}");
        MetricsCsv::cut_back(Arc::new(DiskFs), &path, registered(), 2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), plain, "{text:?}");
    }
    // A last line without its end may be torn; a run that has got as far knows that it is not.
    fs::write(&path, plain.trim_end()).unwrap();
    assert_eq!(read(&path).unwrap().env_steps, [1]);
    for (behind, kept) in [(2, 2), (1, 1)] {
        fs::write(&path, plain.trim_end()).unwrap();
        MetricsCsv::cut_back(Arc::new(DiskFs), &path, registered(), behind).unwrap();
        assert_eq!(read(&path).unwrap().env_steps.len(), kept);
    }
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
fn columns_have_the_documented_order() {
    let names = names(&["angle_error_rad", "hand_distance_m"], &["angle"]);
    assert_eq!(names[..3], ["eval/final_angle_error_rad", "eval/final_hand_distance_m", "eval/success_rate"]);
    assert_eq!((names.len(), names[40..].join(" ")), (43, "time/rss_mb replay/mean_angle skew/mean_angle".to_owned()));
}
