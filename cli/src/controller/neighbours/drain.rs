//! The tester's end of the load that a neighbour puts on the network: it is taken and let go.

use crate::controller::dial::Dial;
use milliwatt_wire::frame::ConnectionKind;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::sleep;

const REDIAL: Duration = Duration::from_millis(500);
/// Read at once at most, octets.
const PIECE: usize = 256 << 10;

/// Dials for what the neighbour sends, takes it, and dials again when the connection breaks; until it is aborted.
pub(super) async fn drain(dial: Dial) {
    let mut piece = vec![0; PIECE];
    loop {
        if let Ok(mut connected) = dial.transfer(ConnectionKind::Transfer).await {
            while matches!(connected.stream.read(&mut piece).await, Ok(read) if read > 0) {}
        }
        sleep(REDIAL).await;
    }
}
