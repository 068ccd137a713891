//! `episodes.jsonl`: one sealed line for each committed episode; line `i` (from 0) is episode `i`.
//! Only the last line can be torn by a crash: it was never acknowledged, so it is cut off. All else is damage, by line.

use serde::{Deserialize, Serialize};
use skewfit_envs::Ending;

use super::{Damage, seal};
use crate::error::Result;
use crate::learn::episode::GoalOrigin;

/// The journal's name in a run directory.
pub const FILE: &str = "episodes.jsonl";

/// One committed episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Counts from 0 over the run.
    pub id: u64,
    /// T.
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
    /// SAC updates done when it entered replay; `None` in lines of older programs, and where the journal was made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_update: Option<u64>,
    /// Episodes left out just before it, since an action was not finite; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
}

/// The contract's words for [`Ending`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Ending", rename_all = "kebab-case")]
enum EndingWord {
    Terminated,
    Truncated,
}

/// What a journal's bytes say.
#[derive(Debug, Default, PartialEq)]
pub struct Journal {
    /// The sound lines, in order.
    pub lines: Vec<JournalLine>,
    /// The others, by line number.
    pub damage: Vec<Damage>,
    /// Whether the bytes do not end with a whole line, so that the next one must not simply be appended.
    pub torn: bool,
}

/// Reads a journal; total on any bytes.
#[must_use]
pub fn parse(bytes: &[u8]) -> Journal {
    let mut journal = Journal::default();
    let mut rows = bytes.split(|&b| b == b'\n').collect::<Vec<_>>();
    let tail = rows.pop().unwrap_or_default();
    journal.torn = !tail.is_empty();
    // A last line of which a block was lost, which reads as zeros: its sync never came back.
    if tail.is_empty() && rows.last().is_some_and(|row| row.contains(&0)) {
        rows.pop();
        journal.torn = true;
    }
    let written = tail.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1); // a lost block reads as zeros
    let tail = tail.get(..written).unwrap_or_default();
    if tail.contains(&b'}') {
        rows.push(tail); // all of a line was written but its newline
    }
    for (i, row) in rows.into_iter().enumerate() {
        match parse_line(row, i as u64) {
            Ok(line) => journal.lines.push(line),
            Err(why) => journal.damage.push(Damage { file: FILE.into(), why: format!("line {}: {why}", i + 1) }),
        }
    }
    journal
}

/// What the run knows of an episode that its shard does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCounters {
    /// Exploration steps of the run at its end.
    pub env_steps_end: u64,
    /// SAC updates done when it enters replay.
    pub at_update: Option<u64>,
    /// Episodes left out just before it.
    pub left_out: u64,
}

/// The sound lines among a journal's last bytes, wherever those begin.
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
