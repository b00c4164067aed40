//! Connections over which the guest sends its recordings: dialled by the tester, and again when
//! they break, until the guest says that there are no more.

use super::dial::Dial;
use super::recordings::RecordingSink;
use super::transfer::{Ended, receive_recordings};
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
        if let Ok(connected) = dial.transfer().await {
            let _guard = connected.guard;
            let received = receive_recordings(connected.stream, Arc::clone(&sink)).await;
            if matches!(received, Ok(Ended::NoMore)) {
                return;
            }
        }
        sleep(REDIAL).await;
    }
}
