//! The help texts, which are documentation: a change shows as a difference.

use super::program::milliwatt;

#[test]
fn help_of_every_command() {
    let commands = [
        "run",
        "agent",
        "scenarios",
        "analyze",
        "score",
        "report",
        "compare",
        "calibrate",
        "preflight",
        "capacity",
        "mark",
        "stop",
    ];
    insta::assert_snapshot!("help", milliwatt(&["--help"]).text());
    for command in commands {
        let help = milliwatt(&[command, "--help"]);
        assert_eq!(help.code, Some(0), "{}", help.stderr);
        insta::assert_snapshot!(format!("help-{command}"), help.stdout);
    }
}

#[test]
fn guest_is_another_name_of_agent() {
    let (agent, guest) = (
        milliwatt(&["agent", "--help"]),
        milliwatt(&["guest", "--help"]),
    );
    assert_eq!(agent.stdout, guest.stdout);
}

#[test]
fn a_wrong_command_line_ends_with_2_and_names_what_is_wrong() {
    for (args, named) in [
        (&["run"][..], "<SCENARIO>"),
        (&["run", "smoke", "--for", "long"], "is not a duration"),
        (
            &["run", "smoke", "--media-ports", "5-4"],
            "is not a range of ports",
        ),
        (&["agent", "--allow", "192.0.2.0/33"], "192.0.2.0/33"),
        (&["nothing"], "nothing"),
    ] {
        let outcome = milliwatt(args);
        assert_eq!(outcome.code, Some(2), "{args:?}: {}", outcome.stderr);
        assert!(
            outcome.stderr.contains(named),
            "{args:?}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_command_of_a_later_version_says_so_and_what_to_use_meanwhile() {
    let outcome = milliwatt(&["preflight"]);
    assert_eq!(outcome.code, Some(1));
    for said in ["is not in this version", "hint: meanwhile: "] {
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
}
