//! A QEMU of the lab.

use super::files;
use crate::lab::{Agent, Lab, Program, Side, wait_for};
use std::path::PathBuf;

/// Where a machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Where it boots.
    Source,
    /// Where a migration goes.
    Destination,
}

impl Place {
    /// Its port of the switch.
    pub(super) fn tap(self) -> &'static str {
        match self {
            Self::Source => "tap0",
            Self::Destination => "tap1",
        }
    }

    /// Its QMP socket, in the lab's folder.
    pub(super) fn socket(self) -> &'static str {
        match self {
            Self::Source => "source.qmp",
            Self::Destination => "destination.qmp",
        }
    }
}

/// How a machine is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Build<'a> {
    /// QEMU's name of its network adapter.
    pub(super) adapter: &'a str,
    /// Further words of the kernel's command line.
    pub(super) kernel: &'static str,
    /// It has the lab's `disk.qcow2`, which nothing in it uses: for what a host does to disks.
    pub(super) disk: bool,
}

impl<'a> Build<'a> {
    /// A quiet machine.
    pub(crate) fn with(adapter: &'a str) -> Self {
        Self {
            adapter,
            kernel: "",
            disk: false,
        }
    }
}

/// The program that talks QMP.
pub(super) fn tool() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vm/qmp"))
}

/// Boots one and waits for its agent's join line, which comes by its serial port.
pub(crate) fn boot(lab: &Lab, build: Build<'_>) -> Agent {
    let serial = lab.path("source.serial");
    std::fs::remove_file(&serial).unwrap_or_default(); // another machine's, with its join line
    let mut program = start(lab, build, Place::Source, &[]);
    let mut join = String::new();
    wait_for("the virtual machine's join line", 60, || {
        assert!(program.runs(), "QEMU ended: {}", program.stderr());
        let text = std::fs::read_to_string(&serial).unwrap_or_default();
        let mut lines = text.lines().filter(|line| line.starts_with("milliwatt1:"));
        lines
            .next()
            .unwrap_or_default()
            .trim()
            .clone_into(&mut join);
        // The whole of it: the token is its last part.
        text.ends_with('\n') && !join.is_empty()
    });
    Agent { program, join }
}

/// Starts a QEMU; one that is the destination of a migration waits for it in the lab's folder.
pub(super) fn start(lab: &Lab, build: Build<'_>, place: Place, more: &[&str]) -> Program {
    let root = files("root");
    let libraries = ["usr/lib", "lib"].map(|lib| root.join(lib).join("x86_64-linux-gnu"));
    let libraries = libraries
        .map(|folder| folder.display().to_string())
        .join(":");
    let share = |name: &str| root.join("usr/share").join(name).display().to_string();
    let text = |path: PathBuf| path.display().to_string();
    let name = place.socket().trim_end_matches(".qmp");
    let words = [
        format!("LD_LIBRARY_PATH={libraries}"),
        text(files("root/usr/bin/qemu-system-x86_64")),
        format!("-L {} -L {}", share("qemu"), share("seabios")),
        "-nodefaults -display none -no-reboot -machine pc -accel tcg,thread=multi -m 256 -smp 1"
            .to_owned(),
        format!("-kernel {} -initrd initrd", text(files("kernel"))),
        format!("-serial file:{name}.serial -qmp unix:{name}.qmp,server=on,wait=off"),
        format!(
            "-netdev tap,id=n0,ifname={},script=no,downscript=no,vhost=off",
            place.tap()
        ),
        format!(
            "-device {},netdev=n0,mac=52:54:00:77:00:02,romfile=",
            build.adapter
        ),
    ];
    let mut args: Vec<&str> = words.iter().flat_map(|word| word.split(' ')).collect();
    let append = format!("console=ttyS0 quiet panic=-1 {}", build.kernel);
    args.extend(["-append", &append]);
    if build.disk {
        args.extend(["-drive", "if=none,id=disk,file=disk.qcow2,format=qcow2"]);
    }
    args.extend(more);
    lab.start(Side::Guest, "env", &args)
}
