//! What the engine does with what it reads.

use super::line::EngineLine;
use super::outgoing::reflect;
use super::sent::SentLog;
use super::status::{MediaStatus, SocketDrops};
use milliwatt_generator::pacer::Pacer;
use milliwatt_receiver::driver::{Listener, Moment};
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, Taken};
use milliwatt_receiver::opening::Workspace;
use milliwatt_receiver::playout::AudioPool;
use milliwatt_receiver::stream::Placed;
use milliwatt_wire::capture::{self, Channel, Tap};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::load::{LoadSpec, Role};
use milliwatt_wire::socket::{Datagram, MediaSocket};
use milliwatt_wire::time::RunClock;
use std::sync::atomic::Ordering;

/// The engine, as the reader of its sockets sees it.
pub(super) struct EngineListener<'e, F> {
    pub(super) load: &'e LoadSpec,
    pub(super) clock: RunClock,
    pub(super) status: &'e MediaStatus,
    pub(super) pacer: &'e mut Pacer,
    pub(super) lines: &'e mut [EngineLine],
    pub(super) leg: &'e mut LegLog,
    pub(super) sent: &'e mut SentLog,
    pub(super) pool: &'e mut AudioPool,
    pub(super) drops: &'e mut [SocketDrops],
    pub(super) tap: &'e mut Tap,
    pub(super) space: &'e mut Workspace,
    pub(super) facts: F,
}

impl<F: FnMut(Fact)> Listener for EngineListener<'_, F> {
    fn socket(&self, port: usize, channel: Channel) -> &MediaSocket {
        self.lines[port].port.socket(channel)
    }

    fn expect(&self, port: usize) {
        self.lines[port].touch();
    }

    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, moment: Moment) {
        let mut how = capture::Taken {
            arrived: moment.arrived,
            taken: moment.taken,
            drift: self.status.drift(moment.arrived),
            foreign: false,
        };
        let is_valid = match channel {
            Channel::Rtp => {
                let became = self.take_rtp(port, datagram, (moment, how.drift));
                how.foreign = !matches!(became, Taken::Stream { .. });
                if became == Taken::Unauthentic {
                    self.status.unauthentic.fetch_add(1, Ordering::Relaxed);
                }
                matches!(
                    became,
                    Taken::Stream {
                        placed: Placed::New(_),
                        ..
                    }
                )
            }
            Channel::Rtcp => {
                let line = &mut self.lines[port];
                let octets = datagram.octets;
                line.take_report(octets, moment.arrived, self.space, &mut self.facts)
            }
        };
        self.tap.arrival(port, channel, datagram, how);
        if is_valid {
            let now = self.clock.mono(moment.taken).0;
            self.status.last_valid.store(now, Ordering::Relaxed);
        }
    }
}

impl<F: FnMut(Fact)> EngineListener<'_, F> {
    /// Takes an RTP datagram; an echo sends a new packet back.
    fn take_rtp(
        &mut self,
        port: usize,
        datagram: &Datagram<'_>,
        (moment, drift): (Moment, i64),
    ) -> Taken {
        let line = &mut self.lines[port];
        let opened = line.open(datagram.octets, moment.arrived, self.space, &mut self.facts);
        let octets = match opened {
            Ok(octets) => octets,
            Err(became) => return became,
        };
        let arrival = Arrival {
            arrived: moment.arrived,
            drift,
            dscp: datagram.dscp,
        };
        let became = line.take(
            octets,
            (arrival, moment.taken),
            (self.leg, self.pool),
            &mut self.facts,
        );
        let Taken::Stream {
            plan,
            placed: Placed::New(packet),
        } = became
        else {
            return became;
        };
        self.drops[port].note(datagram.drops, self.status);
        if self.load.role == Role::Echo
            && let Some(sender) = self
                .pacer
                .stream_of(port, plan.stream.call, &mut self.facts)
        {
            reflect(
                sender,
                packet.slot,
                octets,
                (&line.port.rtp, port),
                (self.sent, self.tap),
                moment.taken,
                &mut self.facts,
            );
        }
        became
    }
}
