//! Packets of encrypted streams that did not authenticate (RFC 3711 3.3): what they say of the keys, and of the way.
//!
//! They are no packets of their streams: nobody heard them, and what they should have been is lost. Where packets of a
//! stream came and not one of them was authentic, its ends have different keys; nothing is known of the path then, and a
//! loss that is no loss is no finding about the guest.

use super::Summary;
use super::leg::LegSeries;
use milliwatt_wire::id::Leg;

impl LegSeries {
    /// RTP packets that did not authenticate.
    pub(super) fn packets_unauthentic(&self) -> u64 {
        self.streams.iter().map(|stream| stream.unauthentic).sum()
    }

    /// Streams of which packets came, and not one was authentic.
    fn streams_without_key(&self) -> usize {
        let differs = |stream: &&super::stream::StreamSummary| {
            stream.unauthentic > 0 && stream.row.received == 0
        };
        self.streams.iter().filter(differs).count()
    }
}

impl Summary<'_> {
    /// Why the run is no evidence where the ends of a leg have different keys.
    pub(super) fn keys_differ(&self) -> Vec<String> {
        let legs = Leg::BOTH.into_iter().zip(&self.legs);
        let told = legs.filter_map(|(leg, series)| {
            let streams = series.streams_without_key();
            (streams > 0).then(|| {
                format!(
                    "{} packets came on the {} that did not authenticate: keys differ ({streams} of {} streams had not one authentic packet). \
                     What was lost there is lost to the keys and says nothing of the path or the guest: put the same milliwatt on both machines, \
                     look for what rewrites media on the way, and run again",
                    series.packets_unauthentic(),
                    leg.title(),
                    series.streams.len(),
                )
            })
        });
        told.collect()
    }

    /// What is told of packets that did not authenticate where the keys are right.
    pub(super) fn packets_changed(&self) -> Vec<String> {
        let legs = Leg::BOTH.into_iter().zip(&self.legs);
        let told = legs.filter_map(|(leg, series)| {
            let (packets, reports) = (series.packets_unauthentic(), series.reports_unauthentic);
            let right = series.streams_without_key() == 0;
            (right && packets + reports > 0).then(|| {
                format!(
                    "{packets} packets and {reports} reports came on the {} that did not authenticate, of streams whose keys are right: \
                     they were changed on the way, or came from elsewhere; those of the sender count as lost",
                    leg.title()
                )
            })
        });
        told.collect()
    }
}
