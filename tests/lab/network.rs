//! The lab's two machines as network namespaces, and what can be done to the cable between them.

use super::Lab;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// One of the lab's two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where `milliwatt run` runs.
    Tester,
    /// Where `milliwatt agent` runs.
    Guest,
}

impl Side {
    /// Its address, known inside the lab only.
    pub(crate) fn address(self) -> &'static str {
        match self {
            Self::Tester => "10.77.0.1",
            Self::Guest => "10.77.0.2",
        }
    }
}

/// Name of the network interface at either end of the cable.
pub(crate) const WIRE: &str = "wire0";

/// An interface's own counters, octets since it was made; Ethernet headers counted, no FCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Octets {
    /// Came in.
    pub(crate) received: u64,
    /// Went out.
    pub(crate) sent: u64,
}

/// The two namespaces, removed at the end with all that is in them.
#[derive(Debug)]
pub(super) struct Namespaces {
    tester: String,
    guest: String,
}

impl Namespaces {
    pub(super) fn make() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let name = |end: char| {
            format!(
                "mw-{}-{}-{end}",
                std::process::id(),
                MADE.load(Ordering::Relaxed)
            )
        };
        let made = Self {
            tester: name('t'),
            guest: name('g'),
        };
        MADE.fetch_add(1, Ordering::Relaxed);
        done(ip(&["netns", "add", &made.tester]));
        done(ip(&["netns", "add", &made.guest]));
        let peer = ["type", "veth", "peer", "name", WIRE, "netns", &made.guest];
        done(ip(
            &[&["-n", &made.tester, "link", "add", WIRE], &peer[..]].concat()
        ));
        for side in [Side::Tester, Side::Guest] {
            let (name, address) = (made.name(side), format!("{}/24", side.address()));
            done(ip(&["-n", name, "address", "add", &address, "dev", WIRE]));
            done(ip(&["-n", name, "link", "set", "lo", "up"]));
            // No IPv6 address, so that nothing announces it: the counters hold the test's own packets.
            done(ip(&[
                "-n",
                name,
                "link",
                "set",
                WIRE,
                "addrgenmode",
                "none",
            ]));
            done(ip(&["-n", name, "link", "set", WIRE, "up"]));
        }
        made
    }

    pub(super) fn name(&self, side: Side) -> &str {
        match side {
            Side::Tester => &self.tester,
            Side::Guest => &self.guest,
        }
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in [&self.tester, &self.guest] {
            drop(ip(&["netns", "delete", name]).output());
        }
    }
}

/// Removes namespaces whose test process was killed before it could.
fn remove_leftovers() {
    let list = done(ip(&["netns", "list"]));
    for name in list.lines().filter_map(|line| line.split(' ').next()) {
        let owner = name
            .strip_prefix("mw-")
            .and_then(|rest| rest.split('-').next())
            .and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            drop(ip(&["netns", "delete", name]).output());
        }
    }
}

fn ip(args: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(args);
    command
}

/// Runs it to its end, which must be a success; gives what it printed.
fn done(mut command: Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    assert!(
        status.success(),
        "{command:?}: {status}: {}",
        String::from_utf8_lossy(&stderr)
    );
    String::from_utf8(stdout).unwrap()
}

impl Lab {
    /// Runs a program on that machine to its end, which must be a success; gives what it printed.
    pub(crate) fn execute(&self, side: Side, program: &str, args: &[&str]) -> String {
        let mut command = self.command(side, program);
        command.args(args);
        done(command)
    }

    /// Drops what **arrives** at that machine and matches, in nftables' words, such as
    /// `udp length 180 numgen random mod 50 == 0`; may be called again with more. On arrival, since
    /// a packet dropped on its way out is an error to its sender, not a loss.
    pub(crate) fn drop_arriving(&self, side: Side, matching: &str) {
        let rules = format!(
            "add table inet lab; add counter inet lab dropped;
             add chain inet lab arriving {{ type filter hook prerouting priority 0; }};
             add rule inet lab arriving {matching} counter name dropped drop"
        );
        self.execute(side, "nft", &[&rules]);
    }

    /// Drops what **leaves** that machine and matches, behind the sender's back: the system says that it was
    /// sent, and a capture at either end does not hold it.
    pub(crate) fn drop_leaving(&self, side: Side, matching: &str) {
        let rules = format!(
            "add table netdev lab; add counter netdev lab dropped;
             add chain netdev lab leaving {{ type filter hook egress device {WIRE} priority 0; }};
             add rule netdev lab leaving {matching} counter name dropped drop"
        );
        self.execute(side, "nft", &[&rules]);
    }

    /// Ends all dropping at that machine; its counter is gone too.
    pub(crate) fn stop_dropping(&self, side: Side) {
        self.execute(side, "nft", &["delete table inet lab"]);
    }

    /// Packets dropped so far at that machine, by the kernel's own count.
    pub(crate) fn dropped(&self, side: Side) -> u64 {
        let listed = self.execute(side, "nft", &["--json", "list", "counters"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let counters = listed["nftables"].as_array().unwrap();
        let packets = |entry: &serde_json::Value| entry["counter"]["packets"].as_u64();
        counters.iter().filter_map(packets).sum()
    }

    /// Queues what that machine sends, in tc's words, such as `tbf rate 100mbit burst 32kb latency 50ms`.
    pub(crate) fn shape(&self, side: Side, queue: &str) {
        let words: Vec<&str> = queue.split(' ').collect();
        self.execute(
            side,
            "tc",
            &[&["qdisc", "replace", "dev", WIRE, "root"], &words[..]].concat(),
        );
    }

    /// Drops what leaves that machine faster than `mbit`, frames of Ethernet without their check sequence: a policer, as good
    /// as a queue that holds 6 kB is one. A sender that stood still for some 30 ms may catch up.
    pub(crate) fn police(&self, side: Side, mbit: u32) {
        self.shape(side, &format!("tbf rate {mbit}mbit burst 120kb limit 6kb"));
    }

    /// Packets that the queue of that machine dropped, by its own count.
    pub(crate) fn dropped_by_queue(&self, side: Side) -> u64 {
        let listed = self.execute(side, "tc", &["-s", "-j", "qdisc", "show", "dev", WIRE]);
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        listed[0]["drops"].as_u64().unwrap()
    }

    /// What the cable's interface of that machine counted.
    pub(crate) fn octets(&self, side: Side) -> Octets {
        let file = |direction: &str| format!("/sys/class/net/{WIRE}/statistics/{direction}_bytes");
        let text = self.execute(side, "cat", &[&file("rx"), &file("tx")]);
        let numbers: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
        Octets {
            received: numbers[0],
            sent: numbers[1],
        }
    }
}
