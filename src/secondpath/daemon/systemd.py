"""Word to systemd: sd_notify(3) in a few lines of its own protocol. Without systemd nothing is sent."""

from __future__ import annotations

import math
import os
import socket

from secondpath.model import Instant


class Systemd:
    """Sends readiness, status and watchdog pings to whoever started us; `NOTIFY_SOCKET` says where that is."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.ping_every_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6
        self._pinged_at: Instant = float("-inf")
        self._status = ""

    def ready(self) -> None:
        """The kernel follows us: the service has started."""
        self._send("READY=1")

    def reloading(self, now: Instant) -> None:
        """A reload begins (`now` in monotonic seconds); `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1e6)}")

    def stopping(self) -> None:
        """We end in good order."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent when it differs from the last."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def alive(self, now: Instant) -> None:
        """Called by the decision loop: pings the watchdog at half its period, and only while decisions are made."""
        if self.ping_every_s and now - self._pinged_at >= self.ping_every_s:
            self._pinged_at = now
            self._send("WATCHDOG=1")

    def ping_in_s(self, now: Instant) -> float:
        """Seconds until the loop has to say that it lives, even when there is nothing to decide."""
        return max(0.0, self._pinged_at + self.ping_every_s - now) if self.ping_every_s else math.inf

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.sendto(message.encode(), self._address)
            except OSError:
                return  # systemd is being restarted itself; its next question is answered
