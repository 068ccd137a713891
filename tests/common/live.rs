//! A child process that ends with its test.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use super::until;

/// A child process; it is killed when this is dropped.
pub struct Live(Option<Child>);

impl Live {
    pub fn of(child: Child) -> Self {
        Self(Some(child))
    }

    /// Starts the command and captures its output.
    pub fn start(mut command: Command) -> Self {
        Self::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// The id of the worker that this supervisor has started.
    pub fn child(&self) -> String {
        let id = self.id();
        let children = || fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        until("a child", || !children().trim().is_empty());
        children().trim().to_owned()
    }

    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub fn over(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    pub fn term(&self) {
        let id = self.0.as_ref().unwrap().id().to_string();
        Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).output().unwrap();
    }

    pub fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn end(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
