//! Forecasts against figures worked out by hand.

use super::*;
use crate::scenario::{Request, resolve};

fn forecast(scenario: &str, set: &[&str]) -> Forecast {
    let set: Vec<String> = set.iter().map(|change| (*change).to_owned()).collect();
    let request = Request {
        scenario,
        set: &set,
        full_for: None,
        media_ports: PortRange::MEDIA,
    };
    Forecast::of(&resolve(&request).unwrap(), 0, PortRange::MEDIA, true)
}

/// 20 streams, each way 50 x 72 + 140 / 4.104 = 3634 octets/s at each end; 12 s.
#[test]
fn a_capture_takes_both_ways_at_both_ends() {
    let capture = forecast("smoke", &[]).capture.unwrap();
    assert_eq!(capture.octets_per_second, 145_365);
    assert_eq!(
        (capture.guest_octets, capture.tester_octets),
        (1_744_374, 3_488_749)
    );
}

/// 500 streams x 50 x 214 = 5.350 MB/s; RTCP 500 x 122 / 4.104 s = 14.9 kB/s; recordings
/// 250 x 1066.6 x 1.037 = 276.5 kB/s: 5.641 MB/s sent, 5.370 MB/s received.
#[test]
fn the_250_call_test_sends_and_receives_what_was_published() {
    let forecast = forecast("250-calls", &[]);
    assert_eq!(
        (
            forecast.streams,
            forecast.packets_per_second,
            forecast.ports
        ),
        (500, 25_000, 1000)
    );
    assert!((forecast.sent.rtp_mbps - 42.8).abs() < 1e-9);
    assert!(
        (forecast.sent.total_mbps / 8.0 - 5.6414).abs() < 1e-3,
        "{:?}",
        forecast.sent
    );
    assert!(
        (forecast.receive.total_mbps / 8.0 - 5.3703).abs() < 1e-3,
        "{:?}",
        forecast.receive
    );
}

/// The ramp of 249 x 20 ms is rounded up to 5 s. 4750 replacements, one each 210 s / 250 = 0.84 s in
/// the mean, take about 3990 s; then the last calls hold for less than 300 s, and 1 s to drain.
#[test]
fn a_run_that_ends_with_its_calls_lasts_until_the_last_has_ended() {
    let forecast = forecast("250-calls", &[]);
    assert!((forecast.ramp_seconds - 5.0).abs() < 1e-9);
    assert!(
        (forecast.full_seconds - 3990.0).abs() < 120.0,
        "{} s",
        forecast.full_seconds
    );
    assert!(
        (200.0..=301.0).contains(&forecast.drain_seconds),
        "{} s",
        forecast.drain_seconds
    );
    assert_eq!(forecast.calls, 5000);
}

/// Ramp 0.45 s, rounded up to 1 s; 10 s; calls are cut then, and 1 s to drain.
#[test]
fn a_run_that_ends_by_time_cuts_its_calls() {
    let forecast = forecast("smoke", &[]);
    let parts = [
        forecast.ramp_seconds,
        forecast.full_seconds,
        forecast.drain_seconds,
        forecast.wall_seconds,
    ];
    for (part, expected) in parts.iter().zip([1.0, 10.0, 1.0, 12.0]) {
        assert!((part - expected).abs() < 1e-9, "{parts:?}");
    }
    assert_eq!(forecast.calls, 10);
}

/// 10 x 8533 bit/s = 85,330 bit/s, with headers 88,487, and 1758 of acknowledgements; 20 Mbit/s are acknowledged with
/// 20 / 1.037 x 0.0206 = 0.3973.
#[test]
fn made_up_files_come_to_what_they_are_given() {
    let transfer = |set: &[&str]| {
        let forecast = forecast("smoke", set);
        let rounded = |mbps: f64| format!("{mbps:.4}");
        let (receive, sent) = (forecast.receive.transfer_mbps, forecast.sent.transfer_mbps);
        let beside = forecast.transfer_as_tcp_goes;
        (rounded(receive), rounded(sent), beside)
    };
    let is = |receive: &str, sent: &str, beside| (receive.to_owned(), sent.to_owned(), beside);
    let (backlog, rate) = ("transfer.when=backlog", "transfer.rate=20 Mbit/s");
    let to_guest = "transfer.direction=to-guest";
    assert_eq!(transfer(&[backlog, rate]), is("0.3973", "20.0000", None));
    assert_eq!(
        transfer(&[backlog, rate, to_guest]),
        is("20.0018", "0.4858", None)
    );
    assert_eq!(
        transfer(&[backlog]),
        is("0.0018", "0.0885", Some(TransferDirection::ToTester))
    );
    assert_eq!(
        transfer(&[backlog, to_guest]).2,
        Some(TransferDirection::ToGuest)
    );
    assert_eq!(
        transfer(&["transfer.when=continuous"]),
        is("0.0035", "0.1738", None)
    );
    assert_eq!(transfer(&["transfer.when=every 5s"]), transfer(&[]));
}

/// A packet has 224 octets instead of 214, a report 136 instead of 122: 500 x 50 x 224 x 8 = 44.8 Mbit/s, and 500 x 136 x
/// 8 / 4.104 s = 0.1326.
#[test]
fn encrypted_media_weighs_its_tags() {
    let plain = forecast("250-calls", &[]);
    let encrypted = forecast("250-calls", &["media.srtp=true"]);
    assert!((encrypted.sent.rtp_mbps - 44.8).abs() < 1e-9);
    assert!((encrypted.receive.rtcp_mbps - 0.1326).abs() < 1e-4);
    assert!(encrypted.text().contains("(224 octets a packet)"));
    assert!(encrypted.text().contains("\n  media      encrypted: SRTP"));
    assert!(encrypted.later.is_empty());
    assert!(!plain.text().contains("encrypted"));
    assert_eq!((plain.packet_octets, encrypted.packet_octets), (214, 224));
}

#[test]
fn calls_that_are_not_recorded_transfer_nothing_and_keep_nothing() {
    let forecast = forecast("smoke", &["recording.share=0"]);
    assert!(forecast.sent.transfer_mbps.abs() < 1e-12);
    assert_eq!(
        forecast.tester_disk_octets,
        forecast.tester_disk_all_recordings_octets
    );
}
