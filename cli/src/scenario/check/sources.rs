//! What can be wrong with `[[hypervisor]]`.

use super::Findings;
use crate::scenario::file::{Scenario, Source, SourceKind};
use crate::scenario::sources::endpoint;
use regex_lite::Regex;

pub(super) fn check(scenario: &Scenario, found: &mut Findings) {
    for (index, source) in scenario.sources.iter().enumerate() {
        let path = format!("hypervisor.{index}");
        check_keys(source, &path, found);
        if let Some(pattern) = &source.pattern {
            let wrong = Regex::new(pattern).err().map(|error| error.to_string());
            let message = format!(
                "no regular expression: {}",
                wrong.clone().unwrap_or_default()
            );
            let allowed = "such as \"Task: (snapshot (created|removed))\"; \\\\d for a digit, in '...' without doubling";
            found.require(wrong.is_none(), format!("{path}.pattern"), message, allowed);
        }
        let reachable = source
            .address
            .as_deref()
            .is_none_or(|address| endpoint(address).is_some());
        let message = "no address of an endpoint";
        let allowed = "http://HOST or http://HOST:PORT";
        found.require(reachable, format!("{path}.address"), message, allowed);
    }
}

/// Each kind has keys of its own.
fn check_keys(source: &Source, path: &str, found: &mut Findings) {
    let (qmp, log, azure) = (SourceKind::Qmp, SourceKind::Log, SourceKind::Azure);
    let keys = [
        ("socket", source.socket.is_some(), qmp, true),
        ("file", source.file.is_some(), log, true),
        ("pattern", source.pattern.is_some(), log, true),
        ("address", source.address.is_some(), azure, false),
    ];
    for (key, given, kind, needed) in keys {
        let missing = kind == source.kind && needed && !given;
        let message = format!("a source of this kind needs a `{key}`");
        found.require(!missing, path, message, format!("`{key}` beside it"));
        let stray = kind != source.kind && given;
        let message = format!("a source of this kind has no `{key}`");
        found.require(!stray, format!("{path}.{key}"), message, "left out");
    }
}
