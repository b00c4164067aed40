//! The scenarios that come with the program.

/// A built-in scenario: its name and its file.
pub type Builtin = (&'static str, &'static str);

macro_rules! builtin {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../../scenarios/", $name, ".toml")))),*]
    };
}

/// All of them, the first to try first.
pub const BUILTIN: [Builtin; 8] = builtin![
    "smoke",
    "250-calls",
    "120-mbps",
    "azure",
    "host-contention",
    "vmotion",
    "backup",
    "canary"
];

/// The text of the one with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    BUILTIN
        .iter()
        .find(|(builtin, _)| *builtin == name)
        .map(|(_, text)| *text)
}

/// The names, for messages: `smoke, 250-calls, ...`.
#[must_use]
pub fn names() -> String {
    BUILTIN.map(|(name, _)| name).join(", ")
}
