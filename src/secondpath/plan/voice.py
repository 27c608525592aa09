"""Would a call sound right on that link: the E-model's rating R, and the network rate of a codec.

R = R0 - Id - Ie,eff with R0 = 93.2 (ITU-T G.107 defaults). Id is the usual two-slope short form of G.107's delay curve;
Ie,eff is G.107's packet-loss formula for random loss. The MOS conversion is G.107 Annex B.
"""

from dataclasses import dataclass

R0 = 93.2
VOICE_CAPABLE_R = 70.0
_HEADERS_BYTES = 40  # IPv4 20 + UDP 8 + RTP 12
_ETHERNET_BYTES = 18
_SRTP_TAG_BYTES = 10
_WIREGUARD_BYTES = 60  # outer IPv4 20 + UDP 8 + type, receiver, counter 16 + tag 16
_WIREGUARD_PAD_BYTES = 16  # it pads what it carries to a multiple of 16


@dataclass(frozen=True, slots=True)
class Codec:
    """A voice codec: `payload_bytes` per packet of `packet_s` seconds, `impairment` Ie and loss robustness `bpl`."""

    name: str
    payload_bytes: int
    packet_s: float
    impairment: float
    bpl: float


def rating(delay_s: float, loss_ratio: float, impairment: float, bpl: float) -> float:
    """E-model rating R (0..93.2) of a one-way mouth-to-ear delay and a random loss ratio."""
    delay_ms = delay_s * 1000.0
    delay_impairment = 0.024 * delay_ms + 0.11 * max(delay_ms - 177.3, 0.0)
    loss_percent = loss_ratio * 100.0
    equipment = impairment + (95.0 - impairment) * loss_percent / (loss_percent + bpl)
    return R0 - delay_impairment - equipment


def mean_opinion(r: float) -> float:
    """Mean opinion score (1..4.5) of a rating R: ITU-T G.107 Annex B."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6


def voice_capable(r: float) -> bool:
    """False under R 70: G.107 Annex B calls that 'many users dissatisfied'."""
    return r >= VOICE_CAPABLE_R


def ip_rate_bps(codec: Codec) -> float:
    """One direction of one call at the IP level: what data allowances bill."""
    return _rate_bps(codec, _HEADERS_BYTES)


def ethernet_rate_bps(codec: Codec) -> float:
    """One direction of one call with Ethernet's header and checksum: what shapers see."""
    return _rate_bps(codec, _HEADERS_BYTES + _ETHERNET_BYTES)


def srtp_rate_bps(codec: Codec) -> float:
    """One direction of one encrypted (SRTP, 80-bit tag) call at the IP level."""
    return _rate_bps(codec, _HEADERS_BYTES + _SRTP_TAG_BYTES)


def tunnel_rate_bps(codec: Codec) -> float:
    """One direction of one call inside WireGuard over IPv4, padding included."""
    inner_bytes = codec.payload_bytes + _HEADERS_BYTES
    return _rate_bps(codec, _HEADERS_BYTES + -inner_bytes % _WIREGUARD_PAD_BYTES + _WIREGUARD_BYTES)


def megabytes_per_h(codec: Codec) -> float:
    """Both directions of one call for one hour, in 10^6 bytes at the IP level."""
    return 2.0 * ip_rate_bps(codec) * 3600.0 / 8.0 / 1e6


def _rate_bps(codec: Codec, overhead_bytes: int) -> float:
    return (codec.payload_bytes + overhead_bytes) * 8.0 / codec.packet_s
