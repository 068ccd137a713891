//! A user who can read a run but not write to it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Root can write everywhere, so a test of root runs the program as this user, nobody.
const NOBODY: u32 = 65534;

/// Such a user; the run becomes writable again when this is dropped.
pub struct Reader {
    program: PathBuf,
    run: PathBuf,
}

impl Reader {
    /// A reader of `run`. Everybody can write to `dir`, which holds the program.
    pub fn of(dir: &Path, run: &Path) -> Self {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
        let program = dir.join("skewfit");
        fs::copy(env!("CARGO_BIN_EXE_skewfit"), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let reader = Self { program, run: run.to_owned() };
        reader.chmod("a+rX,a-w");
        reader
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).stdin(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// `skewfit <verb> <run> <more>`.
    pub fn run(&self, verb: &str, more: &[&str]) -> Output {
        self.command(&[&[verb, self.run.to_str().unwrap()], more].concat()).output().unwrap()
    }

    fn chmod(&self, mode: &str) {
        assert!(Command::new("chmod").args(["-R", mode]).arg(&self.run).status().unwrap().success());
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.chmod("u+w");
    }
}
