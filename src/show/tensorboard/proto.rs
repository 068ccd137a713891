//! The protocol-buffer messages of an event file; field numbers are those of
//! `tensorflow/core/{util/event,framework/summary}.proto`. A field = varint(number << 3 | wire type), then its content;
//! wire types: 0 varint, 1 and 5 fixed, 2 bytes.

use std::time::{SystemTime, UNIX_EPOCH};

/// Content of an event, besides time and step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum EventContent<'a> {
    /// The first event of a file.
    FileVersion,
    /// A process starts: readers discard earlier events from this step on.
    Start,
    /// (tag, value).
    Scalars(Vec<(&'a str, f64)>),
    /// (tag, [width, height] in pixels, PNG bytes).
    Picture(&'a str, [u32; 2], &'a [u8]),
}

/// The message `Event`.
pub(super) fn event(at: SystemTime, step: u64, content: &EventContent<'_>) -> Vec<u8> {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let mut event = Vec::new();
    fixed(&mut event, 1, &seconds.to_le_bytes());
    number(&mut event, 2, step);
    match content {
        EventContent::FileVersion => bytes(&mut event, 3, b"brain.Event:2"),
        EventContent::Start => bytes(&mut event, 7, &message(|log| number(log, 1, 1))),
        EventContent::Scalars(values) => bytes(&mut event, 5, &values.iter().flat_map(scalar).collect::<Vec<u8>>()),
        EventContent::Picture(tag, size, png) => bytes(&mut event, 5, &picture(tag, *size, png)),
    }
    event
}

/// A `Summary` with one `Summary.Value` in its field 1.
fn scalar((tag, value): &(&str, f64)) -> Vec<u8> {
    let value = message(|fields| {
        bytes(fields, 1, tag.as_bytes());
        fixed(fields, 2, &(*value as f32).to_le_bytes());
    });
    message(|summary| bytes(summary, 1, &value))
}

fn picture(tag: &str, [width, height]: [u32; 2], png: &[u8]) -> Vec<u8> {
    let image = message(|fields| {
        number(fields, 1, height.into());
        number(fields, 2, width.into());
        number(fields, 3, 3); // RGB
        bytes(fields, 4, png);
    });
    let value = message(|fields| {
        bytes(fields, 1, tag.as_bytes());
        bytes(fields, 4, &image);
    });
    message(|summary| bytes(summary, 1, &value))
}

fn message(fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut fields = Vec::new();
    fill(&mut fields);
    fields
}

fn number(into: &mut Vec<u8>, field: u8, value: u64) {
    into.push(field << 3);
    varint(into, value);
}

/// Eight bytes (wire type 1) or four (5).
fn fixed(into: &mut Vec<u8>, field: u8, value: &[u8]) {
    into.push(field << 3 | if value.len() == 8 { 1 } else { 5 });
    into.extend_from_slice(value);
}

fn bytes(into: &mut Vec<u8>, field: u8, value: &[u8]) {
    into.push(field << 3 | 2);
    varint(into, value.len() as u64);
    into.extend_from_slice(value);
}

/// Base-128: seven bits per byte, lowest first; the eighth bit is set if more bytes follow.
fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_those_of_the_specification() {
        for (value, want) in [(0, &[0][..]), (127, &[127]), (150, &[0x96, 1]), (300, &[0xAC, 2])] {
            let mut got = Vec::new();
            varint(&mut got, value);
            assert_eq!(got, want);
        }
        let mut most = Vec::new();
        varint(&mut most, u64::MAX);
        assert_eq!((most.len(), most[9]), (10, 1));
    }

    #[test]
    fn events_have_known_bytes() {
        let at = UNIX_EPOCH + std::time::Duration::from_millis(1500);
        let head = [&[0x09][..], &1.5f64.to_le_bytes(), &[0x10]].concat();
        let is = |step: u64, content: EventContent<'_>, rest: &[u8]| {
            assert_eq!(event(at, step, &content), [&head, rest].concat())
        };
        is(0, EventContent::FileVersion, b"\0\x1a\x0dbrain.Event:2");
        is(300, EventContent::Start, &[0xAC, 2, 0x3A, 2, 0x08, 1]);
        is(
            1,
            EventContent::Scalars(vec![("a", 1.0), ("b/c", -2.0)]),
            b"\x01\x2a\x16\x0a\x08\x0a\x01a\x15\0\0\x80\x3f\x0a\x0a\x0a\x03b/c\x15\0\0\0\xc0",
        );
        is(
            1,
            EventContent::Picture("p", [7, 9], b"PNG"),
            b"\x01\x2a\x12\x0a\x10\x0a\x01p\x22\x0b\x08\x09\x10\x07\x18\x03\x22\x03PNG",
        );
    }
}
