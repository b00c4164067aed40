//! What was in the path and what was not: the scope lines of every report.

use super::setup::Ready;

/// The scope, a sentence each.
pub(super) fn describe_scope(ready: &Ready, own: bool) -> Vec<String> {
    let mut scope = Vec::new();
    if own {
        scope.push("No guest was named: the guest program ran on this machine, over loopback. This proves the harness, not a virtual machine.".into());
    } else if ready.same_clock {
        scope.push("Tester and guest program ran on one kernel: the guest's stalls and the tester's cannot be told apart by their cause.".into());
    }
    if ready.same_clock {
        scope.push("In the path: both ends' UDP stacks and virtual links. Not in the test: a physical NIC, a hypervisor's switch.".into());
    } else {
        scope.push(format!(
            "In the path: everything between {} and {}. Whether both run on one physical host, and so no physical NIC was in the test, is not known to milliwatt.",
            ready.local,
            ready.peer.ip()
        ));
    }
    scope.push(format!(
        "Least round trip on the control channel: {} us.",
        ready.round_trip / 1000
    ));
    scope
}

/// The guest program, for people.
pub(super) fn describe_guest(ready: &Ready, own: bool) -> String {
    let system = ready
        .accept
        .environment
        .iter()
        .find(|(name, _)| name.contains("kernel") || name.contains("system"));
    let system = system.map_or(String::new(), |(_, value)| format!(", {value}"));
    let place = if own {
        "this machine, over loopback".into()
    } else {
        ready.peer.to_string()
    };
    let accept = &ready.accept;
    format!(
        "milliwatt {} at {place}, {} media-engine threads{system}",
        accept.program, accept.engines
    )
}
