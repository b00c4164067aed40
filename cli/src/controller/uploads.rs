//! Connections for files, dialled by the tester and again when they break: those over which the guest sends its
//! recordings, until it says that there are no more, and those over which the tester sends made-up files.

use super::dial::Dial;
use super::recordings::RecordingSink;
use super::transfer::{Ended, receive_recordings};
use crate::exit::Failure;
use milliwatt_agent::engine::MediaStatus;
use milliwatt_agent::recording::shelf::Shelf;
use milliwatt_agent::transfer::TransferLoad;
use milliwatt_agent::transfer::sender::{Outgoing, TransferTerms, UNSENT_OCTETS, serve_transfer};
use milliwatt_agent::transfer::switch::{Switched, start_switch};
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::transfer::Course;
use milliwatt_wire::frame::ConnectionKind;
use milliwatt_wire::id::End;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::socket::bound_unsent;
use milliwatt_wire::time::RunClock;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

const REDIAL: Duration = Duration::from_millis(500);

/// Opens `parallel` connections; the set is empty once every one has come to its end.
pub(super) fn start_uploads(dial: &Dial, parallel: u32, sink: &Arc<RecordingSink>) -> JoinSet<()> {
    let mut uploads = JoinSet::new();
    for _ in 0..parallel.max(1) {
        uploads.spawn(upload(dial.clone(), Arc::clone(sink)));
    }
    uploads
}

async fn upload(dial: Dial, sink: Arc<RecordingSink>) {
    loop {
        if let Ok(connected) = dial.transfer(ConnectionKind::Transfer).await {
            let _guard = connected.guard;
            let received = receive_recordings(connected.stream, Arc::clone(&sink)).await;
            if matches!(received, Ok(Ended::NoMore)) {
                return;
            }
        }
        sleep(REDIAL).await;
    }
}

/// Made-up files from the tester to the guest.
pub(super) struct Downloads {
    /// How they flow.
    pub(super) transfers: Arc<TransferLoad>,
    /// Always empty: the tester has no recordings to send. Closed, it ends the connections.
    pub(super) shelf: Arc<Shelf>,
    connections: JoinSet<()>,
}

impl Downloads {
    /// Opens the load's connections where it has such files.
    pub(super) fn start(dial: &Dial, load: &LoadSpec, transfers: Arc<TransferLoad>) -> Self {
        let shelf = Arc::new(Shelf::new());
        let mut connections = JoinSet::new();
        let wanted = if transfers.has_made_up() {
            load.transfer.parallel.max(1)
        } else {
            0
        };
        let terms = TransferTerms::new(load);
        for _ in 0..wanted {
            let from = (Arc::clone(&shelf), Arc::clone(&transfers));
            connections.spawn(download(dial.clone(), terms, from));
        }
        Self {
            transfers,
            shelf,
            connections,
        }
    }

    /// Ends made-up files and their connections at once.
    pub(super) fn end(&mut self) {
        self.transfers.end();
        self.shelf.close();
        self.connections.abort_all();
    }
}

/// Made-up files to the guest, where the load has such, and what turns them on and off.
pub(super) fn start_downloads(
    dial: &Dial,
    (load, plan): (&LoadSpec, &CallPlan),
    clock: RunClock,
    status: &Arc<MediaStatus>,
) -> Result<Downloads, Failure> {
    let transfers = Arc::new(TransferLoad::new(load, End::Tester));
    let downloads = Downloads::start(dial, load, transfers);
    let switched = Switched {
        status: Arc::clone(status),
        transfers: Arc::clone(&downloads.transfers),
        shelf: Arc::clone(&downloads.shelf),
    };
    start_switch(Course::of(load, plan, End::Tester), clock, switched).map_err(|e| {
        Failure::could_not_run(format!("cannot start the thread of transfers: {e}"))
    })?;
    Ok(downloads)
}

async fn download(dial: Dial, terms: TransferTerms, from: (Arc<Shelf>, Arc<TransferLoad>)) {
    let (shelf, transfers) = from;
    let outgoing = Outgoing {
        shelf: &shelf,
        transfers: &transfers,
        terms,
        weigh: &|_| 0.0,
    };
    while !transfers.has_ended() {
        if let Ok(connected) = dial.transfer(ConnectionKind::TransferToGuest).await {
            let _guard = connected.guard;
            let bounded = bound_unsent(connected.stream.get_ref().0, UNSENT_OCTETS);
            if bounded.is_ok() && serve_transfer(connected.stream, &outgoing).await.is_ok() {
                return;
            }
        }
        sleep(REDIAL).await;
    }
}
