//! Whose doing delay variation was. A guest that stands still is in [`super::freeze`].

use super::wait_for_run_time;
use crate::lab::{Lab, RunFolder, Side, pass_time};

/// Faster than all that is sent.
const OPEN: &str = "tbf rate 100mbit burst 32kb latency 500ms";
/// An eighth slower than the 1.712 Mbit/s of 20 streams of 50 packets of 214 octets: the queue grows by 124 ms a second.
const NARROW: &str = "tbf rate 1500kbit burst 2kb latency 500ms";

/// For 800 ms the way to the guest is too narrow, and a queue that all streams share grows to some 100 ms. Each end
/// keeps its own time meanwhile: it is the path's.
#[test]
fn a_queue_on_the_way_is_the_paths() {
    let Some(lab) = Lab::open(&["tc"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    lab.shape(Side::Tester, OPEN);
    let program = lab.start_run("smoke", &agent, "run", &["--for", "8s"]);
    wait_for_run_time(&lab.path("run"), 4_100);
    lab.shape(Side::Tester, NARROW);
    pass_time(800);
    lab.shape(Side::Tester, OPEN);
    let run = RunFolder::of(lab.path("run"), program.wait());
    let receive = &run.scorecard["attribution"]["receive"];
    println!("{receive:#}");
    let worst = &receive["worst"];
    assert_eq!(worst["origin"], "path-common", "{worst}");
    let ms = |part: &str| worst[part].as_f64().unwrap();
    assert!((50.0..300.0).contains(&ms("path_ms")), "{worst}");
    assert!(
        ms("path_ms") > 2.0 * (ms("tester_ms") + ms("guest_ms")),
        "{worst}"
    );
    assert!([4.0, 5.0].contains(&ms("at_s")), "{worst}");
    assert_eq!(run.count("/legs/receive/packets_lost"), 0);
    assert!(
        run.ended
            .stdout
            .contains("the path held all streams at once")
    );
}
