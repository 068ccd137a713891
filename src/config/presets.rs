//! The experiments of `experiments/`, embedded in the binary.

/// An experiment file shipped with the program.
#[derive(Debug)]
pub struct Preset {
    /// Its name for `skewfit explore`.
    pub name: &'static str,
    /// The content of the file.
    pub text: &'static str,
}

impl Preset {
    /// The question that the experiment asks: the first line of the file.
    #[must_use]
    pub fn question(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }
}

macro_rules! presets {
    ($($name:literal)*) => {
        /// All presets.
        pub const PRESETS: &[Preset] =
            &[$(Preset { name: $name, text: include_str!(concat!("../../experiments/", $name, ".toml")) }),*];
    };
}

presets!("door" "door-rig" "corridor" "corridor-rig" "point2d" "corridor-tiny");
