//! Silences, seen and heard: from the recordings of a run directory into its page.

use crate::sample;
use crate::sample::events::silence;
use crate::sample::recordings::{file_name, wav};
use milliwatt_reports::{Scorecard, write_all};
use milliwatt_scoring::measured::{EventRow, Measured, SilenceOrigin};
use std::fs::{self, File};
use std::path::Path;

/// The page that a run leaves in a directory.
fn page(folder: &Path, measured: &Measured) -> String {
    let context = sample::context();
    write_all(
        folder,
        &Scorecard::new(&context, measured),
        measured,
        &context,
    )
    .unwrap();
    fs::read_to_string(folder.join("report.html")).unwrap()
}

/// The part of the page, an excerpt each.
fn articles(page: &str) -> Vec<&str> {
    let ends = page.split("<article>").skip(1);
    ends.map(|article| article.split("</article>").next().unwrap())
        .collect()
}

/// A run with one unexplained silence of 200 ms on channel 1, 2 s into the recording of call 5.
fn with_one_silence() -> Measured {
    with(silence((5, 1), 2.1, 200.0, SilenceOrigin::Unexplained))
}

fn with(silence: EventRow) -> Measured {
    let mut measured = sample::pass();
    measured.events = vec![silence];
    measured
}

/// A recording of so many channels and seconds.
fn sound(channels: u16, seconds: usize) -> Vec<u8> {
    wav(
        channels,
        8000,
        &vec![1000; usize::from(channels) * 8000 * seconds],
    )
}

/// A directory whose `recordings/` holds one file.
fn with_recording(name: &str, file: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("recordings");
    fs::create_dir(&recordings).unwrap();
    fs::write(recordings.join(name), file).unwrap();
    folder
}

/// What stands in the only excerpt of [`with_one_silence`] whose recording is made by `make`.
fn said(make: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recordings")).unwrap();
    make(&folder.path().join("recordings").join(file_name(5)));
    let page = page(folder.path(), &with_one_silence());
    let [article] = articles(&page)[..] else {
        panic!("{page}")
    };
    assert!(!article.contains("<audio") && !article.contains("<svg"));
    article.to_owned()
}

/// The headings of the run whose guest stalled: the unexplained by length, then the known one and one of each incident.
#[test]
fn the_headings_say_who_how_long_where_when_and_from_what() {
    let folder = tempfile::tempdir().unwrap();
    sample::write_recordings(folder.path(), &sample::fail()).unwrap();
    let page = page(folder.path(), &sample::fail());
    let texts = articles(&page).into_iter().map(|article| {
        let of = |tag: &str| {
            article
                .split(tag)
                .nth(1)
                .map(|rest| rest.split('<').next().unwrap())
        };
        let heading = of("<h3>").unwrap();
        let place = of("class=\"soft\">").unwrap();
        let parts = ["<svg", "<audio"].map(|tag| article.matches(tag).count());
        let missing = of("<p>").unwrap_or("picture and clip");
        assert_eq!(
            parts,
            if missing == "picture and clip" {
                [1, 1]
            } else {
                [0, 0]
            }
        );
        format!("{heading}\n    {place}\n    {missing}").replace("&#39;", "'")
    });
    insta::assert_snapshot!(texts.collect::<Vec<_>>().join("\n"));
    assert!(page.contains("8 of 507 silences"));
}

/// All that a picture says in words, and where silence and dead air lie in it: the stretch is 30.28 s to 32.9625 s, that is
/// 2.6825 s in 846 px from x = 84 on. Silent from 31.28 s on, x = 84 + 846 / 2.6825 = 399.4; for 682.5 ms, to 614.6. Dead
/// air, due at 31.22 s of the recording and heard 60 ms later, lies from 399.4 for 680 ms, to 613.8.
#[test]
fn a_picture_shows_the_dead_air_where_it_is_heard_above_the_silence() {
    let folder = tempfile::tempdir().unwrap();
    sample::write_recordings(folder.path(), &sample::fail()).unwrap();
    let page = page(folder.path(), &sample::fail());
    let article = *articles(&page)
        .iter()
        .find(|a| a.contains("<h3>Call 1,"))
        .unwrap();
    let boxes: Vec<(f64, f64)> = article
        .split("<polygon")
        .skip(1)
        .map(|polygon| {
            let points = polygon
                .split("points=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            let xs = points
                .split_whitespace()
                .map(|point| point.split(',').next().unwrap());
            let xs: Vec<f64> = xs.map(|x| x.parse().unwrap()).collect();
            let [low, high] = [f64::min, f64::max].map(|of| xs.iter().copied().reduce(of).unwrap());
            (low, high)
        })
        .collect();
    // Of each channel a band and a strip; party A's dead air was 660 ms: 31.28 s to 31.94 s, x = 607.6 (n = 4 of the sample: 640 + 20).
    assert_eq!(
        boxes,
        [
            (399.0, 608.0),
            (399.0, 608.0),
            (399.0, 615.0),
            (399.0, 614.0)
        ]
    );
    for words in [
        "party A (channel 0)",
        "party B (channel 1)",
        "silence from dead air",
        "place in the recording (s)",
    ] {
        assert!(article.contains(words), "{words}");
    }
}

/// Read again from a folder that was moved, and rendered again, the page is the same octet for octet.
#[test]
fn the_page_is_the_same_from_the_same_facts_wherever_the_folder_is() {
    let run = sample::fail();
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    sample::write_recordings(first.path(), &run).unwrap();
    let once = page(first.path(), &run);
    assert_eq!(page(first.path(), &run), once, "in place");
    let moved = second.path().join("elsewhere");
    fs::rename(first.path(), &moved).unwrap();
    assert_eq!(page(&moved, &run), once, "moved");
}

#[test]
fn recordings_that_were_not_kept_are_missed_once() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path(), &sample::fail());
    assert!(page.contains("Silences, seen and heard"));
    assert_eq!(
        page.matches("None of the recordings with silences").count(),
        1
    );
    assert!(articles(&page).is_empty());
    let quiet = self::page(folder.path(), &sample::pass());
    assert!(!quiet.contains("seen and heard"), "a run without silences");
}

#[test]
fn a_recording_that_cannot_be_read_is_said_to_be_so() {
    let whole = sound(2, 4);
    let damaged = said(|path| fs::write(path, &whole[..1000]).unwrap());
    assert!(
        damaged.contains("cannot be read: cut off: chunk"),
        "{damaged}"
    );
    let none = said(|path| fs::write(path, "no WAVE file at all").unwrap());
    assert!(none.contains("cannot be read: not a WAVE file"), "{none}");
    let short = said(|path| fs::write(path, sound(2, 2)).unwrap());
    assert!(
        short.contains("does not reach to the silence"),
        "2 s: {short}"
    );
    let mono = said(|path| fs::write(path, sound(1, 8)).unwrap());
    assert!(
        mono.contains("does not reach to the silence"),
        "no channel 1: {mono}"
    );
    let folder = said(|path| fs::create_dir(path).unwrap());
    assert!(folder.contains("no regular file"), "{folder}");
}

/// 64 MiB and an octet, without a block on the disk.
#[test]
fn a_huge_file_is_not_read() {
    let huge = said(|path| File::create(path).unwrap().set_len((64 << 20) + 1).unwrap());
    assert!(
        huge.contains("has 67108865 octets, more than is read for a report"),
        "{huge}"
    );
}

/// Facts from elsewhere may name anything.
#[test]
fn nothing_outside_the_recordings_is_read() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("other.wav"), sound(2, 4)).unwrap();
    let folder = parent.path().join("run");
    let absolute = parent.path().join("other.wav").display().to_string();
    for name in [
        "../../other.wav",
        "recordings/../../other.wav",
        absolute.as_str(),
        "..",
        "",
        "a/",
    ] {
        let mut event = silence((5, 1), 2.1, 200.0, SilenceOrigin::Unexplained);
        event.file = Some(name.to_owned());
        let page = page(&folder, &with(event));
        assert!(page.contains("no name of a file in recordings/"), "{name}");
        assert!(!page.contains("<audio"), "{name}");
    }
}

#[test]
fn a_recording_of_one_channel_holds_both_parties() {
    let folder = with_recording(&file_name(5), &sound(1, 4));
    let mut run = with(silence((5, 0), 2.1, 200.0, SilenceOrigin::Known));
    run.recording_layout.channel_a_party = false;
    let page = page(folder.path(), &run);
    assert!(page.contains(
        "Call 5, parties A and B (channel 0): 200 ms of silence, a known silence of the scenario"
    ));
    let panels = page.lines().filter(|line| *line == "% of full scale");
    assert_eq!(panels.count(), 1);
}

/// What a name holds is text in the page, and in the picture.
#[test]
fn a_file_name_cannot_break_out_of_the_page() {
    let name = "<b>\"&x;.wav";
    let folder = with_recording(name, &sound(2, 4));
    let mut event = silence((5, 1), 2.1, 200.0, SilenceOrigin::Unexplained);
    event.file = Some(name.to_owned());
    let page = page(folder.path(), &with(event));
    assert!(page.contains("<audio"));
    assert!(!page.contains("<b>") && !page.contains("&x;"));
}

/// A silence of a minute has a clip of five seconds: 1 s before it and 4 s of it.
#[test]
fn a_long_silence_is_shown_and_heard_in_its_first_part() {
    let folder = with_recording(&file_name(5), &sound(2, 65));
    let run = with(silence((5, 1), 2.1, 60_000.0, SilenceOrigin::Unexplained));
    let page = page(folder.path(), &run);
    assert!(page.contains("a long silence: its first 4 s are shown"));
    let clip = page
        .split("base64,")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    // 5 s of 8000 frames of 4 octets after a header of 44; four letters for three octets.
    assert_eq!(clip.len(), (5_usize * 8000 * 4 + 44).div_ceil(3) * 4);
}
