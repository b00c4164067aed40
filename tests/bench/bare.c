/* Bare loops that milliwatt's engine is measured against: the least code that does the same work, with
 * nothing of milliwatt in it. Each prints one line of JSON. tests/README.md says what is compared.
 *
 *     cc -O2 -Wall -o bare bare.c
 *     bare send    --remote A --streams N --seconds S           as fast as one core can, no pacing
 *     bare pace    --remote A --streams N --seconds S --slot US on a slotted grid of 20 ms
 *     bare receive --local A --streams N                        every packet with its kernel stamp
 *     bare sink    --local A --streams N                        every packet, nothing of it looked at
 *
 * Streams use ports two apart (RTP's even ports), N of them from --port on at either end. Receivers begin
 * with the first packet and end 500 ms after the last. Further options:
 *
 *     --fifo PRIORITY            SCHED_FIFO; 0, the default, is the ordinary class
 *     --mode sleep|hybrid|spin   how pace waits for a slot; hybrid spins the last --spin US (100) of it
 *     --clock slot|packet        lateness by one reading of the clock a slot, the default, or one a packet; its first
 *                                second, in which every socket sends for the first time at once, is left out
 *     --poll US                  receivers read this often (1000); 0 blocks until something comes */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RTP = 172, HEADER = 12, BATCH = 16, EVENTS = 256, MAX_STREAMS = 16384 };

static const int64_t US = 1000, MS = 1000000, SECOND = 1000000000;
static const int64_t PTIME = 20000000;
static const int64_t WARM_UP = 1000000000; /* pace leaves this out of its lateness and of what it did not send */
static const int64_t SILENCE = 500000000; /* a receiver ends after this long without a packet */

enum mode { SLEEP, HYBRID, SPIN };

static struct {
    const char *local, *remote;
    int port, streams, priority;
    double seconds;
    int64_t slot, poll, spin;
    enum mode mode;
    int per_packet;
} options = {
    .local = "0.0.0.0", .remote = "127.0.0.1", .port = 20000, .streams = 500,
    .seconds = 5, .slot = 500 * 1000, .poll = 1000 * 1000, .spin = 100 * 1000,
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t mono(void) { return now(CLOCK_MONOTONIC); }

static int64_t cpu(void) { return now(CLOCK_THREAD_CPUTIME_ID); }

static void sleep_until(int64_t due) {
    struct timespec t = {due / SECOND, due % SECOND};
    while (mono() < due && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

/* Ends at `due` or later; gives the time that it read last. */
static int64_t wait_until(int64_t due) {
    if (options.mode == SLEEP) sleep_until(due);
    if (options.mode == HYBRID) sleep_until(due - options.spin);
    int64_t at;
    while ((at = mono()) < due)
        ;
    return at;
}

/* A UDP socket of one stream: connected to its port at the remote end, or bound to receive. */
static int open_stream(int stream, int sends) {
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (s < 0) fail("socket");
    int on = 1, octets = 256 * 1024;
    if (!sends && setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets))
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    if (!sends) setsockopt(s, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(options.port + 2 * stream)};
    inet_pton(AF_INET, options.local, &a.sin_addr);
    if (bind(s, (struct sockaddr *)&a, sizeof a)) fail("bind");
    inet_pton(AF_INET, options.remote, &a.sin_addr);
    if (sends && connect(s, (struct sockaddr *)&a, sizeof a)) fail("connect");
    return s;
}

static int sockets[MAX_STREAMS];
static uint8_t packets[MAX_STREAMS][RTP];

static void open_senders(void) {
    for (int i = 0; i < options.streams; i++) {
        sockets[i] = open_stream(i, 1);
        uint32_t ssrc = htonl(0x62617265 + i);
        memset(packets[i], 0xff, RTP);
        memset(packets[i], 0, HEADER);
        packets[i][0] = 0x80;
        memcpy(packets[i] + 8, &ssrc, 4);
    }
}

/* The next packet of a stream; 1 when the system took it. */
static int send_next(int i) {
    uint8_t *p = packets[i];
    uint16_t seq;
    uint32_t timestamp;
    memcpy(&seq, p + 2, 2);
    memcpy(&timestamp, p + 4, 4);
    seq = htons(ntohs(seq) + 1);
    timestamp = htonl(ntohl(timestamp) + 160);
    memcpy(p + 2, &seq, 2);
    memcpy(p + 4, &timestamp, 4);
    /* An ICMP answer to an earlier packet is told once in place of sending this one. */
    ssize_t sent = send(sockets[i], p, RTP, MSG_DONTWAIT);
    if (sent < 0 && errno == ECONNREFUSED) sent = send(sockets[i], p, RTP, MSG_DONTWAIT);
    return sent == RTP;
}

static void send_unpaced(void) {
    open_senders();
    int64_t sent = 0, refused = 0, start = mono(), cpu_start = cpu(), at;
    do {
        for (int i = 0; i < options.streams; i++) {
            if (send_next(i)) sent++; else refused++;
        }
        at = mono();
    } while (at - start < options.seconds * SECOND);
    double used = cpu() - cpu_start;
    printf("{\"sent\": %ld, \"refused\": %ld, \"packets_per_second\": %.0f, \"cpu_us_per_packet\": %.3f}\n",
           sent, refused, sent * 1e9 / (at - start), used / 1e3 / sent);
}

/* Lateness in steps of 0.1 us, up to past 20 ms; later ones share the last. */
enum { STEP = 100, STEPS = 250000 };
static uint32_t lateness[STEPS];
static int64_t late_most;

static void count(int64_t late, int of) {
    if (late > late_most) late_most = late;
    lateness[late / STEP < STEPS ? late / STEP : STEPS - 1] += of;
}

/* Nearest rank, us; the upper end of its step. */
static double percentile(double share, int64_t of) {
    int64_t rank = (int64_t)(share * of + 0.9999999), seen = 0;
    for (int i = 0; i < STEPS - 1; i++) {
        seen += lateness[i];
        if (seen >= rank) return (i + 1) * STEP / 1e3;
    }
    return late_most / 1e3;
}

static void pace(void) {
    open_senders();
    prctl(PR_SET_TIMERSLACK, 1);
    int64_t slots = PTIME / options.slot, ticks = options.seconds * SECOND / PTIME * slots;
    int64_t planned = 0, sent = 0, refused = 0, not_sent = 0;
    int64_t start = mono() + 20 * MS, cpu_start = cpu();
    for (int64_t tick = 0; tick < ticks; tick++) {
        int64_t slot = tick % slots, due = start + tick / slots * PTIME + slot * options.slot;
        /* Streams i with i * slots / streams == slot: spread evenly. */
        int first = (slot * options.streams + slots - 1) / slots;
        int next = ((slot + 1) * options.streams + slots - 1) / slots;
        int64_t at = wait_until(due);
        int counts = due - start >= WARM_UP;
        planned += counts ? next - first : 0;
        if (at - due > PTIME) {
            if (counts) count(at - due, next - first), not_sent += next - first;
            continue;
        }
        if (counts && !options.per_packet) count(at - due, next - first);
        for (int i = first; i < next; i++) {
            if (counts && options.per_packet) count(mono() - due, 1);
            if (send_next(i)) sent++; else refused++;
        }
    }
    double wall = mono() - start, used = cpu() - cpu_start;
    printf("{\"planned\": %ld, \"sent\": %ld, \"refused\": %ld, \"not_sent\": %ld, \"packets_per_second\": %.0f, "
           "\"cpu_percent\": %.1f, \"cpu_us_per_packet\": %.3f, "
           "\"lateness_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}}\n",
           planned, sent, refused, not_sent, sent * 1e9 / wall, used * 100 / wall, used / 1e3 / sent,
           percentile(0.5, planned), percentile(0.99, planned), percentile(0.999, planned), late_most / 1e3);
}

static struct { uint8_t octets[2048]; char control[192]; } slots[BATCH];
static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static uint32_t drops[MAX_STREAMS];
static int64_t received, stamped, waited_most;

/* What the kernel says beside a packet: when it arrived, and the socket's drops so far. */
static void read_control(struct msghdr *message, int stream, int64_t wall) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SO_RXQ_OVFL) memcpy(&drops[stream], CMSG_DATA(c), 4);
        if (c->cmsg_type != SO_TIMESTAMPING) continue;
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        if (!t.tv_sec) continue;
        int64_t waited = wall - (t.tv_sec * SECOND + t.tv_nsec);
        if (waited > waited_most) waited_most = waited;
        stamped++;
    }
}

/* Reads one batch of a socket. */
static int take(int stream, int stamps) {
    for (int i = 0; i < BATCH; i++) messages[i].msg_hdr.msg_controllen = stamps ? sizeof slots[i].control : 0;
    int got = recvmmsg(sockets[stream], messages, BATCH, MSG_DONTWAIT, NULL);
    int64_t wall = stamps ? now(CLOCK_REALTIME) : 0;
    for (int i = 0; i < got && stamps; i++) read_control(&messages[i].msg_hdr, stream, wall);
    return got < 0 ? 0 : got;
}

/* Reads until no socket has anything; waits for that at most `timeout` ms the first time. */
static int take_all(int epoll, int timeout, int stamps) {
    struct epoll_event events[EVENTS];
    int taken = 0, ready;
    while ((ready = epoll_wait(epoll, events, EVENTS, timeout)) > 0) {
        for (int i = 0; i < ready; i++) taken += take(events[i].data.u32, stamps);
        timeout = 0;
    }
    return taken;
}

static int open_receivers(int stamps) {
    int epoll = epoll_create1(0);
    int software = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    for (int i = 0; i < options.streams; i++) {
        sockets[i] = open_stream(i, 0);
        if (stamps) setsockopt(sockets[i], SOL_SOCKET, SO_TIMESTAMPING, &software, sizeof software);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event)) fail("epoll_ctl");
    }
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){slots[i].octets, sizeof slots[i].octets};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = slots[i].control};
    }
    return epoll;
}

struct reading { int64_t at, cpu, packets; };

static struct reading read_now(void) { return (struct reading){mono(), cpu(), received}; }

static void receive(int stamps) {
    int epoll = open_receivers(stamps);
    prctl(PR_SET_TIMERSLACK, 1);
    fprintf(stderr, "ready\n");
    /* Read every 100 ms while packets come, so that the silence at the end is no part of it. */
    struct reading first = {0}, last = {0};
    int64_t wake = mono(), silent_since = 0;
    do {
        if (options.poll) sleep_until(wake);
        int taken = take_all(epoll, options.poll ? 0 : 100, stamps);
        received += taken;
        int64_t at = mono();
        wake = wake + options.poll > at ? wake + options.poll : at;
        if (!taken) continue;
        silent_since = at;
        if (!first.at) first = last = read_now();
        if (at - last.at > 100 * MS) last = read_now();
    } while (!first.at || mono() - silent_since < SILENCE);
    int64_t dropped = 0, packets = last.packets - first.packets;
    for (int i = 0; i < options.streams; i++) dropped += drops[i];
    printf("{\"received\": %ld, \"stamped\": %ld, \"dropped\": %ld, \"packets_per_second\": %.0f, "
           "\"cpu_us_per_packet\": %.3f, \"waited_us_max\": %.1f}\n",
           received, stamped, dropped, packets ? packets * 1e9 / (last.at - first.at) : 0.0,
           packets ? (last.cpu - first.cpu) / 1e3 / packets : 0.0, waited_most / 1e3);
}

/* Real-time scheduling where a priority is given, and everything in memory. */
static void prepare(void) {
    struct sched_param fifo = {.sched_priority = options.priority};
    if (options.priority && sched_setscheduler(0, SCHED_FIFO, &fifo)) fail("SCHED_FIFO");
    if (mlockall(MCL_CURRENT | MCL_FUTURE)) perror("mlockall");
    struct rlimit files = {MAX_STREAMS + 64, MAX_STREAMS + 64};
    setrlimit(RLIMIT_NOFILE, &files);
}

static void read_option(const char *name, const char *value) {
#define IS(option) !strcmp(name, option)
    if (IS("--local")) options.local = value;
    else if (IS("--remote")) options.remote = value;
    else if (IS("--port")) options.port = atoi(value);
    else if (IS("--streams")) options.streams = atoi(value);
    else if (IS("--seconds")) options.seconds = atof(value);
    else if (IS("--slot")) options.slot = atoi(value) * US;
    else if (IS("--poll")) options.poll = atoi(value) * US;
    else if (IS("--spin")) options.spin = atoi(value) * US;
    else if (IS("--fifo")) options.priority = atoi(value);
    else if (IS("--clock")) options.per_packet = !strcmp(value, "packet");
    else if (IS("--mode")) options.mode = !strcmp(value, "spin") ? SPIN : !strcmp(value, "hybrid") ? HYBRID : SLEEP;
    else { fprintf(stderr, "no such option: %s\n", name); exit(2); }
#undef IS
}

int main(int argc, char **argv) {
    for (int i = 2; i + 1 < argc; i += 2) read_option(argv[i], argv[i + 1]);
    if (argc % 2 || options.streams < 1 || options.streams > MAX_STREAMS || options.slot < US || options.slot > PTIME) {
        fprintf(stderr, "usage: bare send|pace|receive|sink [--OPTION VALUE]...: see the first lines of bare.c\n");
        return 2;
    }
    prepare();
    if (!strcmp(argv[1], "send")) send_unpaced();
    else if (!strcmp(argv[1], "pace")) pace();
    else if (!strcmp(argv[1], "receive")) receive(1);
    else if (!strcmp(argv[1], "sink")) receive(0);
    else return 2;
    return 0;
}
