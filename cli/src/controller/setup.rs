//! From the join line to two ends that are ready to start: connection, clocks, ports, proof.

use super::clocks::Exchange;
use super::dial::{Dial, DialError, Unreached};
use super::link::Link;
use crate::exit::Failure;
use milliwatt_agent::engine::PortPair;
use milliwatt_agent::ports::{Proof, bind_ports, connect_ports, prove_ports};
use milliwatt_wire::clock::{boot_id, mono_now};
use milliwatt_wire::control::{Accept, FromAgent, ToAgent};
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Exchanges made before the start; the fastest gives the offset.
const EXCHANGES: usize = 24;
/// Ports that stay unproven for so long are blocked.
const PROOF_NS: i64 = 5 * NS_PER_SECOND;

/// Both ends ready.
pub(super) struct Ready {
    pub(super) link: Link,
    pub(super) accept: Accept,
    pub(super) load: LoadSpec,
    /// What its media is encrypted with.
    pub(super) keys: Option<Arc<MediaKeys>>,
    pub(super) ports: Vec<PortPair>,
    pub(super) same_clock: bool,
    /// Agent's monotonic clock minus ours, ns.
    pub(super) offset: i64,
    pub(super) round_trip: i64,
    pub(super) local: IpAddr,
    pub(super) peer: SocketAddr,
}

/// Connects and makes both ends ready for `load`.
pub(super) async fn set_up(
    dial: &Dial,
    mut load: LoadSpec,
    (guest_named, media_bind, capture): (bool, Option<IpAddr>, bool),
    range: &RangeInclusive<u16>,
    lost_after: Duration,
) -> Result<Ready, Failure> {
    let (connected, accept) = dial.control(0).await.map_err(|e| unreachable(&e))?;
    let (local, peer) = (connected.local, connected.peer);
    let mut link = Link::keep(dial.clone(), connected, lost_after);
    let (measured, round_trip) = relate_clocks(&mut link).await?;
    // A time namespace keeps the boot identity and moves the clock: both must agree.
    let same_boot = boot_id().is_some_and(|ours| Some(ours) == accept.boot_id);
    let same_clock = same_boot && measured.abs() <= round_trip / 2 + NS_PER_MS;
    let offset = if same_clock { 0 } else { measured };
    load.onward_offset = onward_offset(&load, round_trip);
    let keys = draw_keys(&load)?;
    let message = ToAgent::Prepare {
        load: Box::new(load.clone()),
        keys: keys.clone(),
        guest_named,
        same_clock,
        capture,
    };
    link.send(message);
    let (numbers, secret) = link
        .expect("making its ports ready", |message, _| match message {
            FromAgent::Ports { ports, secret } => Some((ports, secret)),
            _ => None,
        })
        .await?;
    let ports = open_ports(
        &load,
        media_bind.unwrap_or(local),
        range,
        (peer.ip(), &numbers),
    )?;
    let ports = prove(&mut link, ports, secret, (peer.ip(), &numbers)).await?;
    Ok(Ready {
        link,
        accept,
        load,
        keys: keys.map(Arc::new),
        ports,
        same_clock,
        offset,
        round_trip,
        local,
        peer,
    })
}

/// The keys of a run whose media is encrypted: new ones for each.
fn draw_keys(load: &LoadSpec) -> Result<Option<MediaKeys>, Failure> {
    let keys = load.srtp.then(MediaKeys::draw).transpose();
    keys.map_err(|e| Failure::could_not_run(e.to_string()))
}

/// Why the agent could not be reached, in the words of someone who has to mend it.
fn unreachable(unreached: &Unreached) -> Failure {
    let (what, hint) = match unreached.telling() {
        Some(DialError::Refused { reason, hint }) => {
            return Failure::could_not_run(format!("the agent refuses: {reason}")).hint(hint);
        }
        Some(DialError::Fingerprint(_)) => (
            "the agent's certificate is not the one of the join line",
            "take the join line that the agent printed when it last started; if it is the same, something else answers at that address",
        ),
        Some(DialError::Version { .. }) => (
            "the agent is of another version",
            "install the same milliwatt version on the tester and in the guest",
        ),
        Some(DialError::Stranger(_)) => (
            "no milliwatt agent answers there",
            "compare address and port with the join line that `milliwatt agent` prints in the guest: another program listens there",
        ),
        Some(DialError::Bind(..)) => (
            "the agent could not be reached",
            "give --bind an address of this machine, or leave it out",
        ),
        _ => (
            "the agent could not be reached",
            "is `milliwatt agent` running in the guest, and may this machine reach its TCP port (7700 unless --listen says otherwise)?",
        ),
    };
    Failure::could_not_run(what)
        .detail(unreached.to_string())
        .hint(hint)
}

/// Half a round trip is what packets take on the way; two slots more let them arrive before
/// their turn, so that the playout buffer is as deep as it is called.
fn onward_offset(load: &LoadSpec, round_trip: i64) -> i64 {
    let slots = (round_trip / 2).min(15 * NS_PER_MS) / load.slot_width + 2;
    slots * load.slot_width
}

pub(super) async fn relate_clocks(link: &mut Link) -> Result<(i64, i64), Failure> {
    let mut best: Option<Exchange> = None;
    for _ in 0..EXCHANGES {
        link.send(ToAgent::Clock { t1: mono_now() });
        let exchange = link
            .expect("comparing clocks", |message, t4| match message {
                FromAgent::Clock { t1, t2, t3 } => Some(Exchange { t1, t2, t3, t4 }),
                _ => None,
            })
            .await?;
        if best.is_none_or(|b| exchange.round_trip() < b.round_trip()) {
            best = Some(exchange);
        }
    }
    best.map(|e| (e.offset(), e.round_trip()))
        .ok_or_else(|| Failure::could_not_run("the clocks could not be compared"))
}

fn open_ports(
    load: &LoadSpec,
    local: IpAddr,
    range: &RangeInclusive<u16>,
    (host, numbers): (IpAddr, &[u16]),
) -> Result<Vec<PortPair>, Failure> {
    let ports = bind_ports(load, local, range).map_err(|e| {
        Failure::could_not_run(e.to_string())
            .hint("give another --media-ports range or --bind address")
    })?;
    let peers = numbers.iter().map(|port| SocketAddr::new(host, *port));
    connect_ports(&ports, peers).map_err(|e| Failure::could_not_run(e.to_string()))?;
    Ok(ports)
}

async fn prove(
    link: &mut Link,
    ports: Vec<PortPair>,
    secret: [u8; 16],
    agent: (IpAddr, &[u16]),
) -> Result<Vec<PortPair>, Failure> {
    let until = mono_now() + PROOF_NS;
    let proving = tokio::task::spawn_blocking(move || {
        let proof = prove_ports(&ports, secret, until);
        (ports, proof)
    });
    let (ports, proof) = proving
        .await
        .map_err(|e| Failure::could_not_run(format!("the address proof failed: {e}")))?;
    let ours = proof
        .map_err(|e| Failure::could_not_run(format!("the media ports could not be read: {e}")))?;
    link.send(ToAgent::ProbesDone);
    let (heard, proven) = link
        .expect("proving the media ports", |message, _| match message {
            FromAgent::Proven { heard, proven } => Some((heard, proven)),
            _ => None,
        })
        .await?;
    let all = u32::try_from(ports.len() * 2).unwrap_or(u32::MAX);
    if proven == all && ours.proven() == all {
        Ok(ports)
    } else {
        Err(blocked(&ports, (&ours, heard), agent))
    }
}

/// Control passes, media does not: in which direction, on which ports, and by what likely rule.
fn blocked(
    ports: &[PortPair],
    (ours, heard): (&Proof, u32),
    (host, theirs): (IpAddr, &[u16]),
) -> Failure {
    let all = ports.len() * 2;
    let local = ports
        .first()
        .map_or_else(String::new, |p| p.rtp.local_addr().ip().to_string());
    let numbers: Vec<u16> = ports
        .iter()
        .flat_map(|p| [p.rtp.local_addr().port(), p.rtcp.local_addr().port()])
        .collect();
    let span = |of: &[u16]| {
        (
            of.iter().min().copied().unwrap_or(0),
            of.iter().max().copied().unwrap_or(0),
        )
    };
    let ((a, b), (c, d)) = (span(&numbers), span(theirs));
    let (way, hint) = if heard == 0 {
        (
            format!("tester -> guest: not one of {all} ports heard us"),
            format!(
                "allow UDP from {local} ports {a}-{b} to {host} ports {c}-{d}: the guest's own firewall, or one in between, drops it"
            ),
        )
    } else if ours.heard == 0 {
        (
            format!(
                "guest -> tester: the guest heard {heard} of {all} ports, none of its answers came back"
            ),
            format!(
                "allow UDP from {host} ports {c}-{d} to {local} ports {a}-{b}: this machine's own firewall, or one in between that keeps no state, drops it"
            ),
        )
    } else {
        (
            format!("{} of {all} ports proven", ours.proven()),
            format!(
                "some of UDP {host} ports {c}-{d} <-> {local} ports {a}-{b} are closed, or packets are being lost on the way"
            ),
        )
    };
    Failure::could_not_run("control passes, media does not")
        .detail(way)
        .hint(hint)
}
