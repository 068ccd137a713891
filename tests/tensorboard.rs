//! The event files of a run have the values of `metrics.csv`: for an independent parser and for TensorBoard's reader.
//! `SKEWFIT_TEST_PYTHON` names a Python that has tensorboard; default `python3`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use common::{explore, files, killed_after, metrics, python_with, resume};
use serde_json::Value;

/// (tag, step) -> value, as f32.
type Scalars = BTreeMap<(String, u64), f32>;

/// The values in `metrics.csv`.
fn rows(run: &Path) -> Scalars {
    let mut columns = metrics(run);
    let steps: Vec<u64> = columns.remove("env_steps").unwrap().iter().map(|step| step.parse().unwrap()).collect();
    let cells =
        columns.iter().flat_map(|(tag, cells)| cells.iter().zip(&steps).map(move |(cell, step)| (tag, cell, *step)));
    let measured = cells.filter(|(_, cell, _)| !cell.is_empty());
    measured.map(|(tag, cell, step)| ((tag.clone(), step), cell.parse::<f64>().unwrap() as f32)).collect()
}

#[derive(Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Fields of a protocol-buffer message by number, in order.
fn fields(mut rest: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(rest: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (byte, after) = rest.split_first().unwrap();
            *rest = after;
            value |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut rest)),
            wire => {
                let length = match wire {
                    1 => 8,
                    5 => 4,
                    _ => varint(&mut rest) as usize,
                };
                let (bytes, after) = rest.split_at(length);
                rest = after;
                Field::Bytes(bytes)
            }
        };
        found.push((key >> 3, field));
    }
    found
}

/// Bytes of the field `number`; `None` if the field is missing.
fn bytes<'a>(message: &[(u64, Field<'a>)], number: u64) -> Option<&'a [u8]> {
    message.iter().find_map(|(n, field)| match field {
        Field::Bytes(bytes) if *n == number => Some(*bytes),
        _ => None,
    })
}

fn number(message: &[(u64, Field<'_>)], number: u64) -> u64 {
    let found = message.iter().find_map(|(n, field)| match field {
        Field::Number(value) if *n == number => Some(*value),
        _ => None,
    });
    found.unwrap_or(0)
}

/// The data of each record; asserts the checksums, which are masked CRC-32C.
fn records(mut file: &[u8]) -> Vec<&[u8]> {
    let sum = |data: &[u8]| {
        let mut crc = !0u32;
        for byte in data {
            crc = (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ if c & 1 == 1 { 0x82F6_3B78 } else { 0 });
        }
        (!crc).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes()
    };
    let mut found = Vec::new();
    while !file.is_empty() {
        let (length, rest) = file.split_at(8);
        let (check, rest) = rest.split_at(4);
        assert_eq!(check, sum(length));
        let (data, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (check, rest) = rest.split_at(4);
        assert_eq!(check, sum(data));
        found.push(data);
        file = rest;
    }
    found
}

#[test]
fn an_independent_parser_reads_every_row_and_the_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &[]);
    let tb = files(&run.join("tb"));
    assert_eq!(tb.keys().collect::<Vec<_>>(), [Path::new("events.out.tfevents.000000")]);
    let records = records(tb.values().next().unwrap());
    let events: Vec<_> = records.into_iter().map(fields).collect();
    assert_eq!(bytes(&events[0], 3), Some(&b"brain.Event:2"[..]));
    assert_eq!((number(&fields(bytes(&events[1], 7).unwrap()), 1), number(&events[1], 2)), (1, 300), "a start");

    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let (mut scalars, mut pictures) = (Scalars::new(), Vec::new());
    for event in &events {
        let at = f64::from_le_bytes(bytes(event, 1).unwrap().try_into().unwrap());
        assert!((now - 120.0..=now).contains(&at), "{at}");
        for (_, value) in fields(bytes(event, 5).unwrap_or_default()) {
            let Field::Bytes(value) = value else { panic!("a value is a message") };
            let value = fields(value);
            let tag = String::from_utf8(bytes(&value, 1).unwrap().to_vec()).unwrap();
            match bytes(&value, 2) {
                Some(float) => {
                    let float = f32::from_le_bytes(float.try_into().unwrap());
                    assert_eq!(scalars.insert((tag, number(event, 2)), float), None);
                }
                None => pictures.push((tag, number(event, 2), bytes(&value, 4).unwrap())),
            }
        }
    }
    assert_eq!(scalars, rows(&run));
    assert!(scalars.len() > 100, "{}", scalars.len());
    let tags: Vec<&str> = pictures.iter().map(|p| p.0.as_str()).collect();
    assert_eq!(tags, ["reached", "reconstructions", "goals", "prior_samples", "states"].map(|n| format!("plots/{n}")));
    for (tag, step, image) in pictures {
        let image = fields(image);
        let png = bytes(&image, 4).unwrap();
        assert_eq!((step, png), (1000, &fs::read(run.join(format!("{tag}.png"))).unwrap()[..]), "{tag}");
        let decoded = image::load_from_memory(png).unwrap();
        let told = (number(&image, 2), number(&image, 1), number(&image, 3));
        assert_eq!(told, (decoded.width().into(), decoded.height().into(), 3), "{tag}");
    }
}

#[test]
fn tensorboard_reads_each_step_once_after_a_kill() {
    let Some(python) = python_with("tensorboard") else { return };
    let dir = tempfile::tempdir().unwrap();
    let [whole, part] = ["whole", "part"].map(|name| dir.path().join(name));
    explore(&whole, &["run.checkpoint_every_epochs=1"]);
    killed_after("00000300", &whole, &part);
    let first = part.join("tb/events.out.tfevents.000000");
    let torn = fs::OpenOptions::new().append(true).open(&first).and_then(|mut f| f.write_all(&[9, 0, 0, 0, 0]));
    torn.unwrap();
    resume(&part);
    assert_eq!(files(&part.join("tb")).len(), 2);
    for run in [&whole, &part] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_events.py");
        let read = Command::new(&python).arg(script).arg(run.join("tb")).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let told: Value = serde_json::from_slice(&read.stdout).unwrap();
        let mut seen = Scalars::new();
        for (tag, points) in told["scalars"].as_object().unwrap() {
            for point in points.as_array().unwrap() {
                let value = point[1].as_f64().unwrap() as f32;
                let twice = seen.insert((tag.clone(), point[0].as_u64().unwrap()), value);
                assert_eq!(twice, None, "{tag} {point}");
            }
        }
        assert_eq!(seen, rows(run), "{}", run.display());
        for (tag, images) in told["images"].as_object().unwrap() {
            let size = image::image_dimensions(run.join(format!("{tag}.png"))).unwrap();
            assert_eq!(*images, serde_json::json!([[1000, size.0, size.1]]), "{tag}");
        }
        assert_eq!(told["images"].as_object().unwrap().len(), 5);
    }
}
