"""The upstream path of one ISP: takes packets from a tun device, keeps them for a while, hands them on.

The kernel here has no netem, so distance is made in user space: one tun device in the ISP's namespace (`core`),
one in the internet's, this process between them. Packets leave in the order they came, as through a queue; a
change of delay concerns only packets that come after it, so healing is instantaneous. Two microseconds of
heap, eight of system call per packet: good for some 20,000 packets a second, hence optional.

Control: a Unix stream socket; one JSON line {"extra_s", "jitter_s", "stall_s"} in, one {"at_s"} out (CLOCK_MONOTONIC).
"""

import argparse
import fcntl
import gc
import heapq
import json
import os
import random
import select
import socket
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

from secondpath.lab.namespaces import inside

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
QUEUE_LIMIT = 20_000
BATCH = 128
LOOK_AROUND_S = 0.5


@dataclass(slots=True)
class Distance:
    """How far away the other end is, now."""

    delay_s: float
    extra_s: float = 0.0
    jitter_s: float = 0.0
    still_until_s: float = 0.0


@dataclass(slots=True)
class Lane:
    """One direction: packets under way from one tun device to the other."""

    source: int
    target: int
    distance: Distance
    under_way: list[tuple[float, int, bytes]] = field(default_factory=list)
    taken: int = 0
    last_due_s: float = 0.0

    def take(self, now_s: float) -> None:
        """Read what has come, up to a batch, and decide when each packet arrives."""
        distance, under_way = self.distance, self.under_way
        for _ in range(BATCH):
            try:
                packet = os.read(self.source, 65535)
            except BlockingIOError:  # nothing left; where the device itself is gone, so is our work
                return
            if len(under_way) >= QUEUE_LIMIT:
                continue
            due_s = max(now_s + distance.delay_s + distance.extra_s, distance.still_until_s)
            if distance.jitter_s:
                due_s = max(self.last_due_s, due_s + random.uniform(0, distance.jitter_s))  # noqa: S311 - not a secret
                self.last_due_s = due_s
            self.taken += 1
            heapq.heappush(under_way, (due_s, self.taken, packet))

    def deliver(self, now_s: float) -> None:
        """Hand on every packet whose time has come."""
        under_way = self.under_way
        while under_way and under_way[0][0] <= now_s:
            packet = heapq.heappop(under_way)[2]
            try:
                os.write(self.target, packet)
            except OSError:  # the other device is down: the packet is lost, as on a wire
                continue


def open_tun(device: str, netns: str) -> int:
    """Make a tun device in a namespace; it lives as long as the descriptor."""
    with inside(netns):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN | IFF_NO_PI))
    return descriptor


def apply_order(line: bytes, distance: Distance, lanes: tuple[Lane, Lane]) -> bytes:
    """Obey one line from the control socket; the answer is the instant from which it holds."""
    order = json.loads(line)
    distance.extra_s = float(order.get("extra_s", distance.extra_s))
    distance.jitter_s = float(order.get("jitter_s", distance.jitter_s))
    if "stall_s" in order:
        distance.still_until_s = time.monotonic() + float(order["stall_s"])
    for lane in lanes:
        lane.last_due_s = 0.0
    return json.dumps({"at_s": time.monotonic()}).encode() + b"\n"


def serve(control: socket.socket, distance: Distance, lanes: tuple[Lane, Lane]) -> None:
    """Answer one caller of the control socket."""
    caller, _ = control.accept()
    with caller:
        caller.settimeout(1.0)
        try:
            line = caller.recv(4096)
            if line:
                caller.sendall(apply_order(line, distance, lanes))
        except (OSError, ValueError):
            return


def relay(control: socket.socket, distance: Distance, lanes: tuple[Lane, Lane], home: Path) -> None:
    """Carry packets until our office's directory is gone."""
    sources = {lane.source: lane for lane in lanes}
    look_s = 0.0
    while True:
        now_s = time.monotonic()
        if now_s >= look_s:
            if not home.exists():
                return
            look_s = now_s + LOOK_AROUND_S
        due_s = min((lane.under_way[0][0] for lane in lanes if lane.under_way), default=look_s)
        ready, _, _ = select.select([*sources, control.fileno()], [], [], max(0.0, min(due_s, look_s) - now_s))
        now_s = time.monotonic()
        for one in ready:
            if one in sources:
                sources[one].take(now_s)
            else:
                serve(control, distance, lanes)
        for lane in lanes:
            lane.deliver(now_s)


def main() -> None:
    """`python -m secondpath.lab.relay`: started by the office, ended with it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--near", nargs=2, metavar=("NETNS", "DEVICE"), required=True)
    parser.add_argument("--far", nargs=2, metavar=("NETNS", "DEVICE"), required=True)
    parser.add_argument("--delay-s", type=float, required=True)
    parser.add_argument("--control", type=Path, required=True)
    args = parser.parse_args()
    near, far = open_tun(args.near[1], args.near[0]), open_tun(args.far[1], args.far[0])
    distance = Distance(args.delay_s)
    lanes = Lane(near, far, distance), Lane(far, near, distance)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fresh = args.control.with_suffix(".new")
    control.bind(str(fresh))
    control.listen()
    fresh.rename(args.control)  # the name appears when we are ready
    gc.freeze()
    relay(control, distance, lanes, args.control.parent)


if __name__ == "__main__":
    main()
