//! RTCP as it is read: sender and receiver reports (RFC 3550 6.4) and the `VoIP` metrics block of extended reports
//! (RFC 3611 4.7). Nothing that octets hold can make it panic, and what it does not know it passes over.

/// Sender report.
const SR: u8 = 200;
/// Receiver report.
const RR: u8 = 201;
/// Extended report.
const XR: u8 = 207;
/// Block type of VoIP metrics.
const VOIP_METRICS: u8 = 7;
/// A value that is not available, in the fields of VoIP metrics that have one.
const UNAVAILABLE: u8 = 127;

/// What a sender says of itself (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Wall clock in NTP's format: seconds since 1900, and 2^-32 of one.
    pub ntp: u64,
    /// RTP timestamp of the same instant.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Octets of payload sent.
    pub octets: u32,
}

/// What a receiver says of a source (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceptionReport {
    /// Who reports.
    pub reporter: u32,
    /// The source.
    pub ssrc: u32,
    /// Fraction lost since the report before, in 1/256.
    pub fraction_lost: u8,
    /// Cumulative number of packets lost, 24 bits with a sign.
    pub cumulative_lost: i32,
    /// Extended highest sequence number received.
    pub extended_max: u32,
    /// Interarrival jitter, RTP ticks.
    pub interarrival_jitter_ticks: u32,
    /// Middle 32 bits of the NTP time of the last sender report; 0 before the first.
    pub last_sr: u32,
    /// Time since that came, 1/65536 s.
    pub delay_since_last_sr: u32,
}

/// `VoIP` metrics of a source (RFC 3611 4.7). None where the reporter says that it has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The source.
    pub ssrc: u32,
    /// Lost of expected, in 1/256.
    pub loss_rate: u8,
    /// Discarded of expected, in 1/256.
    pub discard_rate: u8,
    /// Lost and discarded in bursts, in 1/256.
    pub burst_density: u8,
    /// Lost and discarded in gaps, in 1/256.
    pub gap_density: u8,
    /// Mean length of a burst, ms.
    pub burst_duration_ms: u16,
    /// Mean length of a gap, ms.
    pub gap_duration_ms: u16,
    /// Round trip between the RTP interfaces, ms.
    pub round_trip_ms: u16,
    /// Delay inside the reporter, ms.
    pub end_system_ms: u16,
    /// Signal level, dBm0.
    pub signal_level: Option<i8>,
    /// Noise level, dBm0.
    pub noise_level: Option<i8>,
    /// Residual echo return loss, dB.
    pub rerl: Option<u8>,
    /// Received packets in a row that end a burst.
    pub gmin: u8,
    /// R factor, 0 to 100.
    pub r_factor: Option<u8>,
    /// R factor of another network's part.
    pub external_r_factor: Option<u8>,
    /// MOS-LQ in tenths, 10 to 50.
    pub mos_lq_tenths: Option<u8>,
    /// MOS-CQ in tenths, 10 to 50.
    pub mos_cq_tenths: Option<u8>,
    /// Concealment, adaptivity and rate of the buffer (RFC 3611 4.7.6).
    pub rx_config: u8,
    /// Nominal delay of the buffer, ms.
    pub buffer_nominal_ms: u16,
    /// Current largest delay of it, ms.
    pub buffer_maximum_ms: u16,
    /// Largest delay that it can have, ms.
    pub buffer_absolute_ms: u16,
}

/// A part of a compound packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Of a sender about itself.
    Sender(SenderInfo),
    /// Of a receiver about a source.
    Reception(ReceptionReport),
    /// Of a receiver about a source, extended.
    Voip(VoipMetrics),
}

/// Hands the reports of a compound packet to `take`, in order. Packets of other types are passed over; one whose
/// length does not fit ends the reading.
pub fn read(mut octets: &[u8], take: &mut impl FnMut(Report)) {
    while let Some([first, kind, high, low]) = octets.first_chunk().copied() {
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let Some(packet) = octets.get(..length).filter(|_| first >> 6 == 2) else {
            return;
        };
        match kind {
            SR => read_sender(packet, first & 31, take),
            RR => read_receptions(packet, 8, first & 31, take),
            XR => read_extended(packet, take),
            _ => {}
        }
        octets = &octets[length..];
    }
}

fn read_sender(packet: &[u8], count: u8, take: &mut impl FnMut(Report)) {
    let (Some(ssrc), Some(ntp), Some(timestamp), Some(packets), Some(sent)) = (
        word(packet, 4),
        long(packet, 8),
        word(packet, 16),
        word(packet, 20),
        word(packet, 24),
    ) else {
        return;
    };
    take(Report::Sender(SenderInfo {
        ssrc,
        ntp,
        timestamp,
        packets,
        octets: sent,
    }));
    read_receptions(packet, 28, count, take);
}

fn read_receptions(packet: &[u8], from: usize, count: u8, take: &mut impl FnMut(Report)) {
    let Some(reporter) = word(packet, 4) else {
        return;
    };
    let blocks = packet.get(from..).unwrap_or_default();
    for block in blocks.chunks_exact(24).take(count.into()) {
        if let Some(report) = reception(block, reporter) {
            take(Report::Reception(report));
        }
    }
}

fn reception(block: &[u8], reporter: u32) -> Option<ReceptionReport> {
    let losses = word(block, 4)?;
    // The sign of 24 bits, carried up and down again.
    let cumulative_lost = (losses << 8).cast_signed() >> 8;
    Some(ReceptionReport {
        reporter,
        ssrc: word(block, 0)?,
        fraction_lost: *block.get(4)?,
        cumulative_lost,
        extended_max: word(block, 8)?,
        interarrival_jitter_ticks: word(block, 12)?,
        last_sr: word(block, 16)?,
        delay_since_last_sr: word(block, 20)?,
    })
}

/// RFC 3611 3: blocks with a type and a length in words, the first not counted.
fn read_extended(packet: &[u8], take: &mut impl FnMut(Report)) {
    let mut blocks = packet.get(8..).unwrap_or_default();
    while let Some([kind, _, high, low]) = blocks.first_chunk().copied() {
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let Some(block) = blocks.get(..length) else {
            return;
        };
        if let Some(metrics) = (kind == VOIP_METRICS).then(|| voip(block)).flatten() {
            take(Report::Voip(metrics));
        }
        blocks = &blocks[length..];
    }
}

fn voip(block: &[u8]) -> Option<VoipMetrics> {
    let octet = |place: usize| block.get(place).copied();
    let known = |place: usize| octet(place).map(|value| Some(value).filter(|v| *v != UNAVAILABLE));
    let level = |place: usize| known(place).map(|value| value.map(u8::cast_signed));
    Some(VoipMetrics {
        ssrc: word(block, 4)?,
        loss_rate: octet(8)?,
        discard_rate: octet(9)?,
        burst_density: octet(10)?,
        gap_density: octet(11)?,
        burst_duration_ms: half(block, 12)?,
        gap_duration_ms: half(block, 14)?,
        round_trip_ms: half(block, 16)?,
        end_system_ms: half(block, 18)?,
        signal_level: level(20)?,
        noise_level: level(21)?,
        rerl: known(22)?,
        gmin: octet(23)?,
        r_factor: known(24)?,
        external_r_factor: known(25)?,
        mos_lq_tenths: known(26)?,
        mos_cq_tenths: known(27)?,
        rx_config: octet(28)?,
        buffer_nominal_ms: half(block, 30)?,
        buffer_maximum_ms: half(block, 32)?,
        buffer_absolute_ms: half(block, 34)?,
    })
}

fn half(octets: &[u8], place: usize) -> Option<u16> {
    octets
        .get(place..)?
        .first_chunk()
        .copied()
        .map(u16::from_be_bytes)
}

fn word(octets: &[u8], place: usize) -> Option<u32> {
    octets
        .get(place..)?
        .first_chunk()
        .copied()
        .map(u32::from_be_bytes)
}

fn long(octets: &[u8], place: usize) -> Option<u64> {
    octets
        .get(place..)?
        .first_chunk()
        .copied()
        .map(u64::from_be_bytes)
}

/// The middle 32 bits of an NTP time: what reports carry of it, 1/65536 s.
#[must_use]
pub fn middle_of(ntp: u64) -> u32 {
    u32::try_from(ntp >> 16 & 0xffff_ffff).unwrap_or(0)
}

/// Round trip of a reception report that came at `arrived` (middle 32 bits of NTP): `A - LSR - DLSR` modulo 2^32
/// (RFC 3550 6.4.1), 1/65536 s. None before the first sender report, and where the clocks make it negative.
#[must_use]
pub fn round_trip(arrived: u32, report: &ReceptionReport) -> Option<u32> {
    let trip = arrived
        .wrapping_sub(report.last_sr)
        .wrapping_sub(report.delay_since_last_sr);
    (report.last_sr != 0 && trip.cast_signed() >= 0).then_some(trip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn reports(octets: &[u8]) -> Vec<Report> {
        let mut reports = Vec::new();
        read(octets, &mut |report| reports.push(report));
        reports
    }

    const SENDER_REPORT: &str = "81c8000caabbccddb44db7052000000000027100000003e8000271001122334405fffffd0001000900000015b705200000054000";
    const EXTENDED_REPORT: &str =
        "80cf000aaabbccdd07000008112233440c0c550900780208002e0046ecba7f10587f2b2bf2000028003c00c8";

    fn block() -> ReceptionReport {
        ReceptionReport {
            reporter: 0xaabb_ccdd,
            ssrc: 0x1122_3344,
            fraction_lost: 5,
            cumulative_lost: -3,
            extended_max: 65_545,
            interarrival_jitter_ticks: 21,
            last_sr: 0xb705_2000,
            delay_since_last_sr: 0x0005_4000,
        }
    }

    /// Decoded by another program to the same values.
    #[test]
    fn a_sender_report_with_one_block() {
        let sender = SenderInfo {
            ssrc: 0xaabb_ccdd,
            ntp: 0xb44d_b705_2000_0000,
            timestamp: 160_000,
            packets: 1000,
            octets: 160_000,
        };
        let found = reports(&octets(SENDER_REPORT));
        assert_eq!(found, [Report::Sender(sender), Report::Reception(block())]);
        assert_eq!(middle_of(sender.ntp), 0xb705_2000);
    }

    #[test]
    fn a_receiver_report_and_what_follows_it_in_the_compound() {
        let mut compound = octets(SENDER_REPORT);
        // The same block in a receiver report: type 201, 7 words, no sender's part.
        let mut report = octets("81c90007aabbccdd");
        report.extend(&compound[28..]);
        // A description of four words, passed over.
        report.extend(octets("81ca0003aabbccdd0104746573740000"));
        report.append(&mut compound);
        let found = reports(&report);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], Report::Reception(block()));
    }

    #[test]
    fn voip_metrics_of_the_worked_example() {
        let found = reports(&octets(EXTENDED_REPORT));
        let expected = VoipMetrics {
            ssrc: 0x1122_3344,
            loss_rate: 12,
            discard_rate: 12,
            burst_density: 85,
            gap_density: 9,
            burst_duration_ms: 120,
            gap_duration_ms: 520,
            round_trip_ms: 46,
            end_system_ms: 70,
            signal_level: Some(-20),
            noise_level: Some(-70),
            rerl: None,
            gmin: 16,
            r_factor: Some(88),
            external_r_factor: None,
            mos_lq_tenths: Some(43),
            mos_cq_tenths: Some(43),
            rx_config: 0xf2,
            buffer_nominal_ms: 40,
            buffer_maximum_ms: 60,
            buffer_absolute_ms: 200,
        };
        assert_eq!(found, [Report::Voip(expected)]);
    }

    /// RFC 3550 figure 2: 6.125 s.
    #[test]
    fn round_trip_of_rfc_3550() {
        let report = block();
        assert_eq!(round_trip(0xb710_8000, &report), Some(0x0006_2000));
        assert_eq!(
            round_trip(0xb705_2000, &report),
            None,
            "before it can have come"
        );
        let none = ReceptionReport {
            last_sr: 0,
            ..report
        };
        assert_eq!(round_trip(0xb710_8000, &none), None, "no sender report yet");
        let wrapped = ReceptionReport {
            last_sr: 0xffff_0000,
            delay_since_last_sr: 0x8000,
            ..report
        };
        assert_eq!(
            round_trip(0x0000_8000, &wrapped),
            Some(0x1_0000),
            "1 s across the wrap"
        );
    }

    #[test]
    fn lengths_that_do_not_fit_end_the_reading() {
        let whole = octets(SENDER_REPORT);
        assert_eq!(reports(&whole[..whole.len() - 1]), []);
        let mut more_blocks = whole.clone();
        more_blocks[0] = 0x9f;
        assert_eq!(
            reports(&more_blocks).len(),
            2,
            "31 blocks are told, one is there"
        );
    }

    /// The least value of each field is not taken for one that is missing; 127 is.
    #[test]
    fn voip_metrics_tell_0_from_not_available() {
        let mut octets = octets(EXTENDED_REPORT);
        for (place, value) in [
            (28, 0),
            (29, 127),
            (30, 0),
            (32, 127),
            (33, 0),
            (34, 127),
            (35, 127),
        ] {
            octets[place] = value;
        }
        let Some(Report::Voip(found)) = reports(&octets).pop() else {
            panic!("no metrics");
        };
        assert_eq!(
            (found.signal_level, found.noise_level, found.rerl),
            (Some(0), None, Some(0))
        );
        assert_eq!((found.r_factor, found.external_r_factor), (None, Some(0)));
        assert_eq!((found.mos_lq_tenths, found.mos_cq_tenths), (None, None));
    }

    /// A block of another type before the metrics is passed over; one that is longer than the packet ends it.
    #[test]
    fn other_extended_blocks_are_passed_over() {
        let metrics = octets(EXTENDED_REPORT);
        // Receiver reference time (RFC 3611 4.4): 2 words after its head.
        let mut both = octets("80cf000daabbccdd040000020102030405060708");
        both.extend(&metrics[8..]);
        assert_eq!(reports(&both), reports(&metrics));
        both[10..12].copy_from_slice(&[0, 200]);
        assert_eq!(reports(&both), []);
    }

    #[test]
    fn packets_of_another_version_end_the_reading() {
        let mut other = octets(SENDER_REPORT);
        other[0] = 0x41;
        assert_eq!(reports(&other), []);
    }

    /// As many blocks as the count says, though more octets follow: those are an extension of the profile.
    #[test]
    fn no_more_blocks_are_read_than_are_counted() {
        let mut none = octets(SENDER_REPORT);
        none[0] = 0x80;
        assert_eq!(reports(&none).len(), 1);
        let mut receiver = octets("80c90007aabbccdd");
        receiver.extend(&none[28..]);
        assert_eq!(reports(&receiver), []);
    }

    /// 0 and 2^31 - 1 are round trips, 2^31 is a clock's error.
    #[test]
    fn a_round_trip_is_none_when_it_is_negative() {
        let report = ReceptionReport {
            last_sr: 1000,
            delay_since_last_sr: 500,
            ..block()
        };
        let trips = [
            1500,
            1499,
            1500 + 0x7fff_ffff,
            1500_u32.wrapping_add(0x8000_0000),
        ]
        .map(|at| round_trip(at, &report));
        assert_eq!(trips, [Some(0), None, Some(0x7fff_ffff), None]);
    }

    proptest! {
        /// A compound may be read in any parts that hold whole packets.
        #[test]
        fn a_compound_is_the_sum_of_its_packets(kinds in prop::collection::vec(0_usize..3, 0..6)) {
            let packets = [SENDER_REPORT, EXTENDED_REPORT, "81ca0003aabbccdd0104746573740000"].map(octets);
            let compound: Vec<u8> = kinds.iter().flat_map(|kind| packets[*kind].clone()).collect();
            let each: Vec<Report> = kinds.iter().flat_map(|kind| reports(&packets[*kind])).collect();
            prop_assert_eq!(reports(&compound), each);
        }

        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            reports(&octets);
        }

        #[test]
        fn no_damage_makes_it_panic(place in 0_usize..52, octet in any::<u8>(), cut in 0_usize..53) {
            for hex in [SENDER_REPORT, EXTENDED_REPORT] {
                let mut damaged = octets(hex);
                if let Some(damage) = damaged.get_mut(place) {
                    *damage = octet;
                }
                damaged.truncate(cut);
                reports(&damaged);
            }
        }
    }
}
