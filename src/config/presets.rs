//! The experiments of `experiments/`, embedded in the binary.

/// An experiment file shipped with the program.
#[derive(Debug)]
pub struct Preset {
    /// What `explore` calls it.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

impl Preset {
    /// Its question: the first line of the file.
    #[must_use]
    pub fn question(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }
}

macro_rules! presets {
    ($($name:literal)*) => {
        /// All of them.
        pub const PRESETS: &[Preset] =
            &[$(Preset { name: $name, text: include_str!(concat!("../../experiments/", $name, ".toml")) }),*];
    };
}

presets!("door" "door-rig" "corridor" "corridor-rig" "point2d" "corridor-tiny");
