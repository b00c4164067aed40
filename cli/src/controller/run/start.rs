//! A run begins: both ends' media, the files of its folder, and what it is told beside.

use super::{GuestState, LEAD_NS, Run};
use crate::controller::calendar::Calendar;
use crate::controller::clocks::SkewEstimate;
use crate::controller::course::{Course, Judged};
use crate::controller::dial::Dial;
use crate::controller::directory::{FactsLog, capture_path, guest_capture_folder};
use crate::controller::hooks::Hooks;
use crate::controller::media::{self, Opening};
use crate::controller::neighbours::Neighbours;
use crate::controller::programme::Programme;
use crate::controller::record::write_identity;
use crate::controller::recordings::{RecordingSink, score};
use crate::controller::remote::Remote;
use crate::controller::setup::Ready;
use crate::controller::sources::Sources;
use crate::controller::uploads::{start_downloads, start_uploads};
use crate::exit::Failure;
use crate::run::RunRequest;
use crate::speakers::Speakers;
use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_generator::calls::CallPlan;
use milliwatt_scoring::scorer::LiveView;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::ToAgent;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use milliwatt_wire::time::{RunClock, RunTime};
use std::path::Path;
use std::sync::{Arc, mpsc as std_mpsc};

/// Another policy than the default is said: its bursts are the tester's own, and look like the path's.
fn burst_told() -> Fact {
    Fact::Event {
        at: RunTime::ZERO,
        kind: "late-policy".into(),
        text: "packets more than 20 ms behind their time are sent in a burst (--on-late burst)"
            .into(),
    }
}

impl<'a> Run<'a> {
    pub(in crate::controller) fn start(
        request: &'a RunRequest,
        folder: &Path,
        (run, own): (u64, bool),
        speakers: Speakers,
        (ready, mut neighbours): (Ready, Neighbours),
        dial: &Dial,
    ) -> Result<Self, Failure> {
        let clock = RunClock {
            zero: mono_now() + LEAD_NS,
        };
        let (offset, same_clock) = (ready.offset, ready.same_clock);
        let scope = neighbours.scope();
        write_identity(request, folder, (run, own), (&ready, scope), clock)?;
        let remote = Remote::open(run);
        let plan = Arc::new(CallPlan::expand(&ready.load));
        let status = Arc::new(MediaStatus::default());
        let judgement = serde_json::to_string(&request.plan.judgement).map_err(|e| {
            Failure::could_not_run(format!("the thresholds cannot be written: {e}"))
        })?;
        let burst = request.on_late == crate::args::OnLate::Burst;
        let opening = Opening {
            run,
            guest_named: !own,
            judgement,
            voices: Arc::clone(&speakers.voices),
            burst,
            background: request.plan.background,
            pace: request.pace,
            capture: request.capture.then(|| capture_path(folder)),
        };
        let (recorded_sender, recorded) = std_mpsc::channel();
        let tell = move |fact| drop(recorded_sender.send(fact));
        let sink = Arc::new(sink(request, folder, speakers, clock, tell));
        let downloads = start_downloads(dial, (&ready.load, &plan), clock, &status)?;
        let transfers = start_uploads(dial, ready.load.transfer.parallel, &sink);
        let logs = logs(folder).map_err(|e| logs_failed(folder, &e))?;
        let asked = neighbours.start(folder, clock);
        let asked = asked.map_err(|e| logs_failed(folder, &e))?;
        ready.link.send(ToAgent::Start {
            zero: clock.zero + offset,
        });
        let Ready {
            link,
            load,
            keys,
            ports,
            local,
            accept,
            ..
        } = ready;
        let numbers = ports.iter().map(port_numbers).collect();
        let judged = Judged::by(&request.plan.judgement);
        let course = request.plan.course.as_ref();
        let course = course.map(|course| Course::new(course, accept.engines, judged));
        let media = media::start(
            (load, keys),
            (ports, local, same_clock),
            &plan,
            opening,
            &status,
            (&dial.meter, &downloads.transfers),
            clock,
        )?;
        let burst = burst.then(burst_told);
        for fact in asked.into_iter().chain(burst) {
            drop(media.facts.send(fact));
        }
        Ok(Self {
            request,
            folder: folder.to_owned(),
            identity: run,
            ports: numbers,
            remote,
            calendar: Calendar::new(&plan),
            course,
            programme: Programme::new(request.plan.programme.clone()),
            hooks: Hooks::default(),
            neighbours,
            sources: Sources::start(&request.plan.programme.sources),
            plan,
            clock,
            offset,
            same_clock,
            link,
            media,
            status,
            view: LiveView::default(),
            logs,
            skew: SkewEstimate::default(),
            transfers,
            downloads,
            recorded,
            sink,
            parts: 0,
            cut: RunTime(i64::MAX),
            media_over: false,
            guest: GuestState::Speaking,
            last_progress: mono_now(),
        })
    }
}

/// Where recordings go, which are scored as they come; what is found in them is told.
fn sink(
    request: &RunRequest,
    folder: &Path,
    speakers: Speakers,
    clock: RunClock,
    tell: impl Fn(Fact) + Send + Sync + 'static,
) -> RecordingSink {
    let sink = RecordingSink::new(
        folder.join("recordings"),
        request.keep_recordings,
        clock,
        Box::new(move |call, wav| score(&speakers, call, wav)),
        Box::new(tell),
    );
    if request.capture {
        sink.with_capture(guest_capture_folder(folder))
    } else {
        sink
    }
}

fn logs(folder: &Path) -> std::io::Result<[FactsLog; 2]> {
    Ok([
        FactsLog::create(folder, End::Tester)?,
        FactsLog::create(folder, End::Guest)?,
    ])
}

fn logs_failed(folder: &Path, error: &std::io::Error) -> Failure {
    let folder = folder.display();
    Failure::could_not_run(format!("cannot write facts in {folder}: {error}"))
}

fn port_numbers(ports: &PortPair) -> [u16; 2] {
    let there = ports.rtp.peer_addr().map_or(0, |peer| peer.port());
    [ports.rtp.local_addr().port(), there]
}
