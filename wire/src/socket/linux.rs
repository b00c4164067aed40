//! System calls that neither rustix nor socket2 offers safely: socket options by number, batched
//! receiving. The only unsafe code of the workspace.
#![expect(
    unsafe_code,
    reason = "recvmmsg and untyped socket options have no safe wrapper"
)]

use super::TcpCounters;
use super::batch::{BATCH_MAX, Slot};
use std::io;
use std::mem::{MaybeUninit, offset_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Kernel stamps on arrival, in software (the wall clock).
const RECEIVE_STAMPS: u32 = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;

/// Has the kernel stamp each datagram on arrival; false when it will not.
pub(super) fn stamp_arrivals(socket: BorrowedFd<'_>) -> bool {
    set_option(socket, libc::SO_TIMESTAMPING, RECEIVE_STAMPS).is_ok()
}

/// Kernel stamps, too, on what leaves, when it is handed to the driver: told on the error queue, by number, without
/// the datagram itself.
const DEPARTURE_STAMPS: u32 = libc::SOF_TIMESTAMPING_TX_SOFTWARE
    | libc::SOF_TIMESTAMPING_OPT_ID
    | libc::SOF_TIMESTAMPING_OPT_TSONLY;

/// Has the kernel stamp each datagram that leaves as well; false when it will not.
pub(super) fn stamp_departures(socket: BorrowedFd<'_>) -> bool {
    set_option(
        socket,
        libc::SO_TIMESTAMPING,
        RECEIVE_STAMPS | DEPARTURE_STAMPS,
    )
    .is_ok()
}

/// Takes the next message of the error queue into `control`: how many octets it has; none when there is none.
pub(super) fn take_error(socket: BorrowedFd<'_>, control: &mut [u8]) -> Option<usize> {
    // SAFETY: a msghdr is integers and pointers: all zeros is a valid (empty) one.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = control.len();
    // SAFETY: the header has no buffer and no name, and its control buffer, of the length set beside it, outlives
    // the call.
    let received = unsafe {
        libc::recvmsg(
            socket.as_raw_fd(),
            &raw mut header,
            libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT,
        )
    };
    (received >= 0).then(|| header.msg_controllen.min(control.len()))
}

/// Has each datagram carry the count of those dropped before it.
pub(super) fn tell_drops(socket: BorrowedFd<'_>) -> io::Result<()> {
    set_option(socket, libc::SO_RXQ_OVFL, 1)
}

/// Datagrams dropped at the socket since it was opened (`SO_MEMINFO`).
pub(super) fn drops(socket: BorrowedFd<'_>) -> Option<u32> {
    let mut counters = [0_u8; 9 * 4];
    let length = get_option(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut counters).ok()?;
    u32_at(counters.get(..length)?, 8 * 4) // SK_MEMINFO_DROPS
}

/// The counters of a TCP connection; none when it is not one, or when the kernel (before 4.19)
/// does not tell them all.
#[must_use]
pub fn tcp_counters(connection: BorrowedFd<'_>) -> Option<TcpCounters> {
    let mut info = [0_u8; size_of::<libc::tcp_info>()];
    let length = get_option(connection, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info).ok()?;
    let info = info.get(..length)?;
    Some(TcpCounters {
        segments_out: u32_at(info, offset_of!(libc::tcp_info, tcpi_segs_out))?,
        segments_in: u32_at(info, offset_of!(libc::tcp_info, tcpi_segs_in))?,
        octets_sent: u64_at(info, offset_of!(libc::tcp_info, tcpi_bytes_sent))?,
        octets_sent_again: u64_at(info, offset_of!(libc::tcp_info, tcpi_bytes_retrans))?,
        octets_received: u64_at(info, offset_of!(libc::tcp_info, tcpi_bytes_received))?,
        retransmissions: u32_at(info, offset_of!(libc::tcp_info, tcpi_total_retrans))?,
        octets_acknowledged: u64_at(info, offset_of!(libc::tcp_info, tcpi_bytes_acked))?,
        round_trip_us: u32_at(info, offset_of!(libc::tcp_info, tcpi_rtt))?,
        unacknowledged: u32_at(info, offset_of!(libc::tcp_info, tcpi_unacked))?,
        last_acknowledgement_ms: u32_at(info, offset_of!(libc::tcp_info, tcpi_last_ack_recv))?,
    })
}

/// Receives what is there into the slots, at most one datagram each, and of each the first `octets`; `WouldBlock` when
/// nothing is. Who sent it is asked for `with_sources`.
pub(super) fn receive(
    socket: BorrowedFd<'_>,
    slots: &mut [Slot],
    (octets, with_sources): (usize, bool),
) -> io::Result<usize> {
    let used = slots.len().min(BATCH_MAX);
    // Only what is used is written: mostly one waits, and this is done for each packet.
    let mut buffers = [const { MaybeUninit::<libc::iovec>::uninit() }; BATCH_MAX];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH_MAX];
    for ((slot, buffer), header) in slots.iter_mut().zip(&mut buffers).zip(&mut headers) {
        describe(slot, (buffer, octets), header, with_sources);
    }
    let count = u32::try_from(used).unwrap_or(0);
    // Straight to the system: the C library's wrapper is a cancellation point, at two atomic operations a packet.
    // SAFETY: the first `used` headers are written and point to buffers of their slots with the lengths set beside
    // them, all of which outlive the call; no timeout is given.
    let received = unsafe {
        libc::syscall(
            libc::SYS_recvmmsg,
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count,
            // Of what is cut the whole length is told.
            libc::MSG_DONTWAIT | libc::MSG_TRUNC,
            ptr::null_mut::<libc::timespec>(),
        )
    };
    let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    for (slot, header) in slots.iter_mut().zip(&headers).take(received.min(used)) {
        // SAFETY: the first `used` headers were written above.
        let header = unsafe { header.assume_init_ref() };
        slot.length = usize::try_from(header.msg_len).unwrap_or(0);
        slot.kept = slot.length.min(octets).min(slot.octets.len());
        slot.source_length = usize::try_from(header.msg_hdr.msg_namelen)
            .unwrap_or(0)
            .min(slot.source.len());
        slot.control_length = header.msg_hdr.msg_controllen.min(slot.control.len());
    }
    Ok(received)
}

/// Points a header at its slot: the kernel overwrites the lengths, so this is done for each call.
fn describe(
    slot: &mut Slot,
    (buffer, octets): (&mut MaybeUninit<libc::iovec>, usize),
    header: &mut MaybeUninit<libc::mmsghdr>,
    with_sources: bool,
) {
    let buffer = buffer.write(libc::iovec {
        iov_base: slot.octets.as_mut_ptr().cast(),
        iov_len: slot.octets.len().min(octets),
    });
    // SAFETY: an mmsghdr is integers and pointers: all zeros is a valid (empty) one.
    let header = &mut header.write(unsafe { zeroed() }).msg_hdr;
    header.msg_iov = buffer;
    header.msg_iovlen = 1;
    if with_sources {
        header.msg_name = slot.source.as_mut_ptr().cast();
        header.msg_namelen = u32::try_from(slot.source.len()).unwrap_or(0);
    }
    header.msg_control = slot.control.as_mut_ptr().cast();
    header.msg_controllen = slot.control.len();
}

/// Pieces of memory from this many octets on go back to the system when they are freed.
#[cfg(target_env = "gnu")]
const RETURNED_OCTETS: i32 = 64 << 10;

/// Has large pieces of memory go back to the system as soon as they are freed. Left to itself the GNU C library learns
/// from the first of them to keep the next, between others that stay: a run of hours then grows.
pub fn return_large_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number of the allocator's; any value is valid, and an answer of 0 means that it stays as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, RETURNED_OCTETS);
    }
}

fn set_option(socket: BorrowedFd<'_>, name: i32, value: u32) -> io::Result<()> {
    let length = libc::socklen_t::from(4_u8);
    // SAFETY: `value` lives through the call and is `length` octets long.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            ptr::from_ref(&value).cast(),
            length,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// How many octets of the option the kernel wrote.
fn get_option(
    socket: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: &mut [u8],
) -> io::Result<usize> {
    let mut length = libc::socklen_t::try_from(value.len()).unwrap_or(0);
    // SAFETY: the kernel writes at most `length` octets to `value`, which has as many.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(usize::try_from(length).unwrap_or(0))
    } else {
        Err(io::Error::last_os_error())
    }
}

fn u32_at(octets: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*octets.get(offset..)?.first_chunk()?))
}

fn u64_at(octets: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*octets.get(offset..)?.first_chunk()?))
}
