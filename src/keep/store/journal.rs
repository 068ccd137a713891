//! `episodes.jsonl`: one line with a check sum per committed episode; line `i` (from 0) is episode `i`. A crash can
//! leave only the last line incomplete. It was never acknowledged, so it is ignored. Any other bad line is damage.

use serde::{Deserialize, Serialize};
use skewfit_envs::Ending;

use super::fs::{MARK, trimmed};
use super::{Damage, seal};
use crate::error::Result;
use crate::learn::episode::GoalOrigin;

/// The journal's name in a run directory.
pub const FILE: &str = "episodes.jsonl";

/// One committed episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Number of the episode in the run, from 0.
    pub id: u64,
    /// Its steps, T.
    pub steps: u64,
    /// Exploration steps of the run at the end of this episode.
    pub env_steps_end: u64,
    /// The shard, relative to the run directory.
    pub file: String,
    /// BLAKE3 of the shard's bytes, 64 hex digits.
    pub blake3: String,
    /// Where the goal came from.
    pub goal_source: GoalOrigin,
    /// How it ended.
    #[serde(with = "EndingWord")]
    pub ending: Ending,
    /// SAC updates done when it entered replay; `None` in lines of older programs, and where it was not known when the
    /// journal was rebuilt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_update: Option<u64>,
    /// Episodes skipped just before it because an action was not finite; `None` for 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// Number of its goals; `None` if it kept its first goal and was not seen to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goals: Option<u64>,
    /// How many of them were reached; `None` as for `goals`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<u64>,
}

/// The words for [`Ending`] in the journal.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Ending", rename_all = "kebab-case")]
enum EndingWord {
    Terminated,
    Truncated,
}

/// A parsed journal.
#[derive(Debug, Default, PartialEq)]
pub struct Journal {
    /// The undamaged ("sound") lines, in order.
    pub lines: Vec<JournalLine>,
    /// The damaged lines, by line number.
    pub damage: Vec<Damage>,
    /// Whether the bytes are not complete lines that end with LF, so the next line cannot simply be appended.
    pub torn: bool,
}

/// Parses a journal; any bytes are accepted. Lines may end with CRLF; empty lines are skipped.
#[must_use]
pub fn parse(bytes: &[u8]) -> Journal {
    let mut journal = Journal::default();
    let mut rows = bytes.split(|&b| b == b'\n').collect::<Vec<_>>();
    let tail = rows.pop().unwrap_or_default();
    journal.torn = !tail.is_empty();
    // The last line has a lost block, which reads as zeros: its sync never returned.
    if tail.is_empty() && rows.last().is_some_and(|row| row.contains(&0)) {
        rows.pop();
        journal.torn = true;
    }
    let written = tail.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1); // a lost block reads as zeros
    let tail = tail.get(..written).unwrap_or_default();
    if tail.contains(&b'}') {
        rows.push(tail); // the whole line was written, only its newline is missing
    }
    journal.torn |= rows.iter().any(|row| row.is_empty() || row.ends_with(b"\r") || row.starts_with(MARK));
    let rows = rows.into_iter().enumerate().filter(|(_, row)| !trimmed(row).is_empty());
    for (id, (i, row)) in (0..).zip(rows) {
        match parse_line(row, id) {
            Ok(line) => journal.lines.push(line),
            Err(why) => journal.damage.push(Damage { file: FILE.into(), why: format!("line {}: {why}", i + 1) }),
        }
    }
    journal
}

/// Counters of the run that the journal stores with an episode; the shard does not have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCounters {
    /// Exploration steps of the run at the end of the episode.
    pub env_steps_end: u64,
    /// SAC updates done when it enters replay; `None` if not known.
    pub at_update: Option<u64>,
    /// Episodes skipped just before it.
    pub left_out: u64,
}

/// The sound lines in the last bytes of a journal; the first may begin in the middle of a line.
#[must_use]
pub fn tail(bytes: &[u8]) -> Vec<JournalLine> {
    let lines = bytes.split(|&b| b == b'\n').filter_map(|row| seal::unseal::<JournalLine>(row).ok());
    lines.filter(|line| line.file == shard_file(line.id)).collect()
}

/// The bytes of a journal with these lines.
///
/// # Errors
/// [`Error::Usage`](crate::error::Error::Usage) where a line has no JSON form.
pub fn format(lines: &[JournalLine]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend(seal::seal(line)?.into_bytes());
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The shard of episode `id`, relative to the run directory.
#[must_use]
pub fn shard_file(id: u64) -> String {
    format!("episodes/{id:06}.h5")
}

fn parse_line(row: &[u8], id: u64) -> Result<JournalLine, String> {
    let line: JournalLine = seal::unseal(row)?;
    if line.id != id || line.file != shard_file(id) {
        return Err(format!("holds episode {} in {}, where episode {id} belongs", line.id, line.file));
    }
    Ok(line)
}
