//! What the virtual machine boots: a file system in memory with the program under test, the libraries that it is linked with,
//! drivers, and busybox.

use super::files;
use crate::lab::{Lab, MILLIWATT, Side};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Programs of busybox that [`INIT`] calls.
const APPLETS: [&str; 8] = [
    "sh", "mount", "insmod", "ip", "poweroff", "dd", "sleep", "grep",
];

/// The first process. `dirty` on the kernel's command line: 40 MB of memory are written each second, so that a migration has to
/// copy what changed meanwhile.
const INIT: &str = "#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover \\
    virtio_net vmxnet3 e1000; do
    insmod /modules/$module.ko
done
ip link set lo up
ip link set eth0 up
ip address add ADDRESS/24 dev eth0
if grep -q dirty /proc/cmdline; then
    while sleep 1; do dd if=/dev/urandom of=/tmp/dirty bs=1M count=40 2>/dev/null; done &
fi
milliwatt agent --listen ADDRESS:7700 --dir /tmp/agent
poweroff -f
";

/// Writes `initrd` to the lab's folder.
pub(super) fn make(lab: &Lab) {
    let root = lab.path("image");
    for folder in ["bin", "proc", "sys", "dev", "tmp", "modules"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::copy(files("root/bin/busybox"), root.join("bin/busybox")).unwrap();
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    for module in std::fs::read_dir(files("modules")).unwrap() {
        let module = module.unwrap();
        std::fs::copy(module.path(), root.join("modules").join(module.file_name())).unwrap();
    }
    let program = root.join("bin/milliwatt");
    lab.execute(
        Side::Guest,
        "strip",
        &["-o", program.to_str().unwrap(), MILLIWATT],
    );
    copy_libraries(lab, &root);
    let init = root.join("init");
    std::fs::write(&init, INIT.replace("ADDRESS", Side::Guest.address())).unwrap();
    std::fs::set_permissions(&init, PermissionsExt::from_mode(0o755)).unwrap();
    let busybox = files("root/bin/busybox");
    let pack = format!(
        "cd image && find . | {} cpio -o -H newc 2>/dev/null | gzip -1 >../initrd",
        busybox.display()
    );
    lab.execute(Side::Guest, "sh", &["-c", &pack]);
}

/// Writes `disk.qcow2` to the lab's folder: 256 MiB that no compression makes smaller.
pub(super) fn make_disk(lab: &Lab) {
    let programs = files("root/usr/bin");
    let make = format!(
        "PATH=$PATH:{} && head -c 256M /dev/urandom >disk.raw && qemu-img convert -O qcow2 disk.raw disk.qcow2 && rm disk.raw",
        programs.display()
    );
    lab.execute(Side::Guest, "sh", &["-c", &make]);
}

/// As the loader finds them on this machine.
fn copy_libraries(lab: &Lab, root: &Path) {
    let linked = lab.execute(Side::Guest, "ldd", &[MILLIWATT]);
    for library in linked
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let to = root.join(library.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(library, to).unwrap();
    }
}
