//! Programmes in virtual time: asked five times a second, as a run does.

use super::*;
use crate::scenario::resolve_text;
use crate::scenario::value::PortRange;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};

const HEAD: &str = "name = \"x\"\ntitle = \"x\"\n[calls]\nconcurrent = 1\nhold = \"9s\"\n";

/// Full load begins here.
const FULL: RunTime = RunTime(5 * NS_PER_SECOND);

/// A programme, and what it said at which time of full load, s.
struct Told {
    programme: Programme,
    now: RunTime,
    said: Vec<(f64, String)>,
}

impl Told {
    fn of(parts: &str) -> Self {
        let text = format!("{HEAD}{parts}");
        let plan = resolve_text("x", &text, PortRange::MEDIA).unwrap();
        Self {
            programme: Programme::new(plan.programme),
            now: RunTime::ZERO,
            said: Vec::new(),
        }
    }

    /// Goes on to `seconds` of full load.
    fn until(mut self, seconds: f64) -> Self {
        let since = |at: RunTime| (at.0 - FULL.0) / NS_PER_MS;
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        let end = (seconds * 1000.0) as i64;
        while since(self.now) < end {
            self.now = self.now + 200 * NS_PER_MS;
            while let Some(order) = self.programme.advance(self.now, FULL) {
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let at = since(self.now) as f64 / 1000.0;
                self.said.push((at, words(&order)));
            }
        }
        self
    }

    fn mark(mut self, label: &str) -> Self {
        self.programme.mark(self.now, label);
        self
    }

    fn ended(mut self, event: usize) -> Self {
        self.programme.ended(event, self.now);
        self
    }

    #[track_caller]
    fn said(&self, expected: &[(f64, &str)]) {
        let said: Vec<(f64, &str)> = self
            .said
            .iter()
            .map(|(at, text)| (*at, text.as_str()))
            .collect();
        assert_eq!(said, expected);
    }
}

fn words(order: &Order) -> String {
    match order {
        Order::Part { name, at } => format!("{name} from {}", at.as_seconds() - FULL.as_seconds()),
        Order::InVain { part, word } => format!("{part} waited for {word}"),
        Order::Mark { label } => format!("mark {label}"),
        Order::Run { event } => format!("run {event}"),
        Order::Over => "over".to_owned(),
    }
}

const TIMED: &str =
    "[[phase]]\nname = \"a\"\nfor = \"2s\"\n[[phase]]\nname = \"b\"\nfor = \"3s\"\n";

/// Nothing begins before full load does; 2 s and 3 s are 5 s.
#[test]
fn parts_by_time_follow_each_other_and_the_last_ends_full_load() {
    let told = Told::of(TIMED).until(9.0);
    told.said(&[(0.0, "a from 0"), (2.0, "b from 2"), (5.0, "over")]);
}

#[test]
fn an_event_begins_at_its_time_and_again_as_often_as_it_is_to() {
    let event = "[[event]]\nlabel = \"m\"\nat = \"1s\"\nrepeat = 3\nevery = \"1s\"\n";
    let told = Told::of(&format!("{TIMED}{event}")).until(4.0);
    told.said(&[
        (0.0, "a from 0"),
        (1.0, "mark m"),
        (2.0, "b from 2"),
        (2.0, "mark m"),
        (3.0, "mark m"),
    ]);
}

const MOVE: &str = "[[phase]]\nname = \"before\"\nuntil = \"move started\"\nmax = \"20s\"\n\
    [[phase]]\nname = \"move\"\nuntil = \"move\"\nmax = \"30s\"\n[[phase]]\nname = \"after\"\nfor = \"5s\"\n\
    [[event]]\nlabel = \"move\"\n";

/// The same programme by a command: its begin ends the first part, its exit the second.
#[test]
fn a_part_ends_with_the_begin_or_the_end_of_a_command() {
    let command = format!("{MOVE}at = \"10s\"\nrun = [\"true\"]\n");
    let told = Told::of(&command).until(14.2).ended(0).until(30.0);
    told.said(&[
        (0.0, "before from 0"),
        (10.0, "run 0"),
        (10.0, "move from 10"),
        (14.4, "after from 14.2"),
        (19.2, "over"),
    ]);
    assert_eq!(told.programme.missed().count(), 0);
}

/// The event's own name serves for both, and each mark ends one part.
#[test]
fn a_part_ends_with_a_mark_of_its_word_or_of_its_event() {
    for (first, second) in [
        ("move", "move"),
        ("move started", "move ended"),
        ("move started", "move"),
    ] {
        let text = MOVE.replace("until = \"move\"", "until = \"move ended\"");
        let told = Told::of(&text)
            .until(3.0)
            .mark(first)
            .until(4.0)
            .mark(second)
            .until(20.0);
        told.said(&[
            (0.0, "before from 0"),
            (3.2, "move from 3"),
            (4.2, "after from 4"),
            (9.0, "over"),
        ]);
    }
}

#[test]
fn a_mark_ends_a_part_whose_command_still_runs() {
    let command = format!("{MOVE}at = \"1s\"\nrun = [\"sleep\", \"99\"]\n");
    let told = Told::of(&command).until(2.0).mark("move").until(4.0);
    told.said(&[
        (0.0, "before from 0"),
        (1.0, "run 0"),
        (1.0, "move from 1"),
        (2.2, "after from 2"),
    ]);
}

/// 20 s and 30 s at most, then 5 s.
#[test]
fn a_part_that_hears_nothing_ends_with_its_maximum_and_says_so() {
    let told = Told::of(MOVE).until(60.0);
    told.said(&[
        (0.0, "before from 0"),
        (20.0, "before waited for move started"),
        (20.0, "move from 20"),
        (50.0, "move waited for move"),
        (50.0, "after from 50"),
        (55.0, "over"),
    ]);
}

#[test]
fn a_mark_of_another_name_ends_nothing_and_one_that_came_early_is_not_lost() {
    let told = Told::of(MOVE)
        .until(1.0)
        .mark("lunch")
        .mark("move ended")
        .until(2.0);
    told.said(&[(0.0, "before from 0")]);
    assert_eq!(told.programme.part(), Some("before"));
    assert_eq!(told.programme.waiting(), Some(("before", "move started")));
    let told = Told::of(MOVE)
        .until(1.0)
        .mark("move ended")
        .mark("move started")
        .until(2.0);
    told.said(&[
        (0.0, "before from 0"),
        (1.2, "move from 1"),
        (1.2, "after from 1"),
    ]);
}

/// 3 times, each a second after the last began, but each takes 2.5 s.
#[test]
fn a_command_never_runs_twice_at_once_and_a_part_waits_for_the_last() {
    let command = format!("{MOVE}at = \"1s\"\nrun = [\"true\"]\nrepeat = 3\nevery = \"1s\"\n");
    let told = Told::of(&command).until(3.4).ended(0).until(6.0).ended(0);
    let told = told.until(8.6).ended(0).until(9.0);
    told.said(&[
        (0.0, "before from 0"),
        (1.0, "run 0"),
        (1.0, "move from 1"),
        (3.6, "run 0"),
        (6.2, "run 0"),
        (8.8, "after from 8.6"),
    ]);
}

#[test]
fn an_event_may_count_from_the_end_of_a_part() {
    let event = "[[event]]\nlabel = \"m\"\nafter = \"before\"\nat = \"2s\"\nrun = [\"true\"]\n\
        [[event]]\nlabel = \"n\"\nafter = \"before\"\n";
    let text = format!("{MOVE}{event}");
    let told = Told::of(&text).until(4.0).mark("move").until(7.0);
    told.said(&[
        (0.0, "before from 0"),
        (4.2, "move from 4"),
        (4.2, "mark n"),
        (6.0, "run 1"),
    ]);
}

/// What is to run at 10 s has not by 9 s.
#[test]
fn commands_that_never_ran_are_known() {
    let command = format!("{MOVE}at = \"10s\"\nrun = [\"true\"]\n");
    let told = Told::of(&command).until(9.0);
    let missed: Vec<&str> = told
        .programme
        .missed()
        .map(|event| event.label.as_str())
        .collect();
    assert_eq!(missed, ["move"]);
}

/// Due at 4.9 s and seen at 5 s, with the end of full load: it happens before that, since nothing does after it.
#[test]
fn what_is_due_right_before_the_end_happens_before_it() {
    let text = "[[phase]]\nname = \"all\"\nfor = \"5s\"\n\
        [[event]]\nlabel = \"m\"\nat = \"4.9s\"\n[[event]]\nlabel = \"n\"\nat = \"4.9s\"\nrun = [\"true\"]\n";
    let told = Told::of(text).until(7.0);
    told.said(&[
        (0.0, "all from 0"),
        (5.0, "mark m"),
        (5.0, "run 1"),
        (5.0, "over"),
    ]);
}
