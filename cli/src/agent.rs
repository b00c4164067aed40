//! `milliwatt agent`: the guest's side.

use crate::args::AgentArgs;
use crate::background;
use crate::exit::{ExitCode, Failure};
use crate::output;
use crate::signals::Signals;
use milliwatt_agent::limits::Limits;
use milliwatt_agent::server::{AgentOptions, serve};
use milliwatt_wire::socket::raise_file_limit;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// Disk for recordings at most, unless `--max-disk` says otherwise.
const MAX_DISK: u64 = 20_000_000_000;

/// Serves testers until it is stopped.
pub fn execute(args: AgentArgs) -> Result<ExitCode, Failure> {
    let (_, files) = raise_file_limit();
    if files < 4096 {
        output::complain(&format!(
            "this process may open {files} files only, about {} calls: raise `ulimit -n`",
            files / 4
        ));
    }
    if args.background
        && let Err(why) = background::give_way()
    {
        output::complain(&format!(
            "warning: this agent does not give way to other programs: {why}"
        ));
    }
    let with_stdin = args.with_stdin;
    let options = options(args)?;
    let failed = |e: std::io::Error| Failure::could_not_run(format!("cannot start: {e}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(failed)?;
    let served = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let announce = |join: &milliwatt_wire::join::Join| {
            if let Err(error) = output::print(&format!("{join}\n")) {
                output::complain(&error.to_string());
            }
        };
        tokio::select! {
            served = serve(options, announce) => served,
            _ = signals.next() => Ok(()),
            () = end_of_input(with_stdin) => Ok(()),
        }
    });
    runtime.shutdown_background();
    served
        .map(|()| ExitCode::Pass)
        .map_err(|e| Failure::could_not_run(format!("{e:#}")))
}

/// Waits until nobody holds the other end of standard input any more; for ever, where that does not matter.
async fn end_of_input(matters: bool) {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    if matters {
        std::thread::spawn(move || {
            drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
            drop(ended);
        });
        drop(end.await);
    } else {
        std::future::pending::<()>().await;
    }
}

fn options(args: AgentArgs) -> Result<AgentOptions, Failure> {
    let token = args.token_file.as_deref().map(read_token).transpose()?;
    let advertise = args
        .advertise
        .iter()
        .map(|text| advertised(text, args.listen.port()))
        .collect::<Result<_, _>>()?;
    std::fs::create_dir_all(&args.dir).map_err(|e| {
        Failure::could_not_run(format!(
            "cannot make the agent's folder {} (--dir): {e}",
            args.dir.display()
        ))
    })?;
    let limits = Limits {
        max_streams: args.max_streams,
        max_pps: args.max_pps,
        max_duration: args.max_duration.0,
        max_disk: args
            .max_disk
            .map_or_else(|| free_disk(&args.dir), |octets| octets.0),
        allow: args.allow,
        media_ports: args.media_ports.range(),
        allow_neighbour: args.allow_neighbour,
    };
    Ok(AgentOptions {
        tester_lost_after: args.tester_lost_after.0,
        listen: args.listen,
        dir: args.dir,
        token,
        advertise,
        bind: args.bind,
        limits,
    })
}

/// The smaller of 20 GB and half of what is free.
fn free_disk(dir: &Path) -> u64 {
    rustix::fs::statvfs(dir).map_or(MAX_DISK, |fs| (fs.f_bavail * fs.f_frsize / 2).min(MAX_DISK))
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let failed = |why: String| {
        Failure::usage(format!(
            "cannot use the token file {}: {why}",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let token = text.trim();
    if token.is_empty() || token.contains(['#', ' ', '\n']) {
        return Err(failed("expected one word without `#`".into()));
    }
    Ok(token.to_owned())
}

fn advertised(text: &str, port: u16) -> Result<SocketAddr, Failure> {
    let address = text
        .parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port)));
    address.map_err(|_| {
        Failure::usage(format!(
            "--advertise {text}: expected an address, or ADDRESS:PORT"
        ))
    })
}
