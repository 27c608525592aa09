"""The words of the house: frozen values that every room speaks. Imports nothing of ours.

One word, one meaning. *Uplink* is one connection to one provider; *link* is netlink's word.
A *line* is one address family of one uplink: health is a property of lines, since IPv4 can be dead while IPv6 lives.
Instants are monotonic seconds (`Instant`); wall-clock time exists only in record, tell, plan and drill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

Instant: TypeAlias = float
"""Seconds of a monotonic clock (CLOCK_BOOTTIME: it also counts while the machine sleeps)."""
IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network


class Family(StrEnum):
    """An address family; steering and health are kept for each alone."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def family_of(address: IPAddress | IPNetwork) -> Family:
    """The family that an address or a network belongs to."""
    return Family.IPV4 if address.version == 4 else Family.IPV6


# ── The office, as configured ────────────────────────────────────────────────────────


class Technology(StrEnum):
    """How an uplink reaches its provider."""

    FIBRE = "fibre"
    CABLE = "cable"
    DSL = "dsl"
    FIXED_WIRELESS = "fixed-wireless"
    CELLULAR = "cellular"
    SATELLITE = "satellite"
    HOTSPOT = "hotspot"


class Treatment(StrEnum):
    """What becomes of a traffic class on an uplink: all it wants, a small share of the rate, or nothing."""

    KEEP = "keep"
    LIMIT = "limit"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """A kind of traffic. `ident` (1..127) is its number in connection marks; a lower `priority` goes first."""

    name: str
    ident: int
    priority: int
    on_backup: Treatment


CLASSES: Mapping[str, TrafficClass] = {
    c.name: c
    for c in (
        TrafficClass("voice", 1, 0, Treatment.KEEP),
        TrafficClass("payments", 2, 1, Treatment.KEEP),
        TrafficClass("line-of-business", 3, 2, Treatment.KEEP),
        TrafficClass("remote-access", 4, 3, Treatment.KEEP),
        TrafficClass("office", 5, 4, Treatment.KEEP),
        TrafficClass("personal", 6, 5, Treatment.KEEP),
        TrafficClass("bulk", 7, 6, Treatment.KEEP),
        TrafficClass("streaming", 8, 7, Treatment.KEEP),
        TrafficClass("guest", 9, 8, Treatment.BLOCK),
    )
}
"""The catalogue of classes, most important first."""

CRITICAL = frozenset({"voice", "payments", "line-of-business", "remote-access"})
"""The classes without which an office stands still: the last to be restrained."""
OFFICE = CLASSES["office"]
"""What an inside network carries unless the configuration says otherwise; also the gateway's own traffic."""


@dataclass(frozen=True, slots=True)
class DataPlan:
    """What an uplink's contract costs and allows. `beyond` is a rate in bit/s, dollars per GB, or "stop"."""

    monthly_usd: float | None = None
    data_bytes: int | None = None
    renews_on: int | None = None
    beyond_bps: int | None = None
    beyond_usd_per_gb: float | None = None
    beyond_stop: bool = False


@dataclass(frozen=True, slots=True)
class Uplink:
    """One connection to one provider through one interface.

    `prefixes` are networks which this provider routes to the office: they leave untranslated here, and only here.
    `gateways` are set only where the system's routes and leases do not tell.
    """

    name: str
    interface: str
    technology: Technology | None = None
    carrier: str | None = None
    down_bps: int | None = None
    up_bps: int | None = None
    gateways: tuple[IPAddress, ...] = ()
    prefixes: tuple[IPNetwork, ...] = ()
    modem: IPAddress | None = None
    shares: tuple[str, ...] = ()
    support: Mapping[str, str] = field(default_factory=dict)
    plan: DataPlan | None = None
    metered: bool = False
    resolvers: tuple[IPAddress, ...] = ()
    """The provider's own, which answer only by this uplink."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network inside the office, on one interface; `traffic_class` names an entry of CLASSES."""

    name: str
    interface: str
    traffic_class: str = OFFICE.name
    trust_dscp: bool = False
    """Whether what its devices write into packets about their importance (DSCP, RFC 2474) counts."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device inside the office, told by its MAC address (written 52:54:00:12:34:56), that is a class by itself."""

    name: str
    mac: str
    traffic_class: str


@dataclass(frozen=True, slots=True)
class PortSpan:
    """Ports first..last (inclusive) of "tcp" or "udp"."""

    protocol: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Match:
    """How an application is recognised."""

    domains: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    ports: tuple[PortSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the office says of one class, where it does not want the defaults (decide/treatment).

    `uplinks` is the class's own order of preference; those not named follow in the office's order. `on_backup` is its
    treatment on every backup, `on` that on a backup of that name. A class that `stays_if_poor` leaves a line that is
    down, and not one that is merely poor.
    """

    traffic_class: str
    uplinks: tuple[str, ...] = ()
    on_backup: Treatment | None = None
    on: Mapping[str, Treatment] = field(default_factory=dict)
    stays_if_poor: bool = False


class SourceBinding(StrEnum):
    """Whether a service binds itself to the office's public address, and so refuses the office over a backup."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Application:
    """Something that must keep working: a catalogue preset, or an entry of the office's own."""

    name: str
    traffic_class: str | None = None
    preset: str | None = None
    match: Match = Match()
    test: str | None = None
    source_ip_bound: SourceBinding = SourceBinding.UNKNOWN
    on_backup: Treatment | None = None
    """Its own treatment on every backup, where that is not its class's."""


class ProbeKind(StrEnum):
    """The kinds of question that can be asked of a target."""

    ICMP = "icmp"
    TCP = "tcp"
    DNS = "dns"
    HTTP = "http"
    HTTPS = "https"
    TLS = "tls"
    """A handshake, whoever's the certificate. Not named in the configuration: derived from an address named there."""
    SIZE = "size"
    """An echo in a packet of full size that nobody may cut in pieces. Derived, as TLS is."""
    NAME = "name"
    """Which addresses has a name? Asked of a resolver. Derived from the applications of the office."""


DERIVED = frozenset({ProbeKind.TLS, ProbeKind.SIZE, ProbeKind.NAME})
"""Kinds that nobody names in the configuration."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that proves reachability, and how it is asked (the `uri` is the configuration's spelling).

    `host` is the HTTP Host header and TLS server name, or the name that a DNS or NAME probe asks for; of the latter
    `path` is the type of record, A or AAAA.
    """

    uri: str
    kind: ProbeKind
    address: IPAddress
    port: int = 0
    host: str = ""
    path: str = "/"

    @property
    def family(self) -> Family:
        """The family of the target's address."""
        return family_of(self.address)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A UDP service: an address and a port, written 192.0.2.1:3478 or [2001:db8::1]:3478."""

    address: IPAddress
    port: int

    @property
    def family(self) -> Family:
        """The family of the address."""
        return family_of(self.address)

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


class Profile(StrEnum):
    """One word that sets probing and thresholds together."""

    CAREFUL = "careful"
    BALANCED = "balanced"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Failover:
    """When to leave an uplink and when to come home."""

    profile: Profile = Profile.BALANCED
    hold_s: float = 60.0
    hold_max_s: float = 1800.0
    drain_s: float = 600.0


@dataclass(frozen=True, slots=True)
class PortForward:
    """A service inside the office that people outside may reach; `uplink` None means through any of them."""

    protocol: str
    port: int
    to: IPAddress
    to_port: int
    uplink: str | None = None
    sources: tuple[IPNetwork, ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    """A service of the gateway itself that may be reached through uplinks; protocol "icmp" is echo, without a port."""

    protocol: str
    port: int
    sources: tuple[IPNetwork, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """Where messages go: an Apprise URL, or a file that holds one with a secret in it."""

    to: str | None
    file: str | None
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Power:
    """The UPS, by its NUT address, and what it feeds."""

    nut: str
    protects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drill:
    """When the backup is proven."""

    schedule: str
    live: bool = False
    duration_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Resolver:
    """The office's resolver, which we run.

    `servers` are whom it asks where the uplink in use has none of its own; none: the resolvers in the targets.
    With `hide_hints` answers of type HTTPS (RFC 9460), which tell addresses past the sets, are left out; `canaries` are
    names that do not exist here: those by which browsers and devices learn whether they should go round it, and with
    `only_this` those of other resolvers that hide names, whose port for DNS over TLS is refused too.
    """

    servers: tuple[IPAddress, ...] = ()
    hide_hints: bool = True
    canaries: tuple[str, ...] = ()
    only_this: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """One office: its uplinks (most preferred first), networks, applications and probes."""

    name: str
    timezone: str
    profile: str
    hours: Mapping[str, str]
    uplinks: tuple[Uplink, ...]
    networks: tuple[Network, ...]
    applications: tuple[Application, ...] = ()
    targets: tuple[Target, ...] = ()
    stun: tuple[Endpoint, ...] = ()
    failover: Failover = Failover()
    forwards: tuple[PortForward, ...] = ()
    allows: tuple[Allow, ...] = ()
    notify: tuple[Notify, ...] = ()
    power: Power | None = None
    drill: Drill | None = None
    devices: tuple[Device, ...] = ()
    resolver: Resolver | None = None
    policies: tuple[Policy, ...] = ()

    def uplink(self, name: str) -> Uplink:
        """The uplink of that name; KeyError when there is none."""
        for uplink in self.uplinks:
            if uplink.name == name:
                return uplink
        raise KeyError(name)

    def policy(self, traffic_class: str) -> Policy:
        """What the office says of a class; a policy that says nothing where it does not."""
        return next((p for p in self.policies if p.traffic_class == traffic_class), Policy(traffic_class))

    def targets_of(self, family: Family) -> tuple[Target, ...]:
        """The targets which prove reachability over one family."""
        return tuple(t for t in self.targets if t.family is family)


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One address family of one uplink: what health is said of."""

    uplink: str
    family: Family

    def __str__(self) -> str:
        return f"{self.uplink}/{self.family}"


# ── What senses report ───────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Probe:
    """A question: ask `target` through `line`, and give up after `timeout_s` seconds. `number` tells answers apart.

    An echo with a `ttl` (RFC 791; IPv6: hop limit) comes so many hops far, and the last of them says so. Of one that is
    `watched` the answer is also looked for at the interface, before any rule of this box.
    """

    number: int
    line: Line
    target: Target
    timeout_s: float
    ttl: int | None = None
    watched: bool = False


class Outcome(StrEnum):
    """How a probe ended. A failure is a value, never an exception."""

    OK = "ok"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    """Somebody on the way said no: RST, ICMP unreachable, or an answer that is none (DNS SERVFAIL, HTTP 5xx)."""
    REDIRECTED = "redirected"
    """An HTTP answer that is somebody else's: a captive portal or a suspended line."""
    UNSENT = "unsent"
    """The probe could not leave the box: no route, no address, no carrier, no permission."""
    FORBIDDEN = "forbidden"
    """A rule of this box dropped it on its way out. Of a connection the kernel does not tell: that is a TIMEOUT."""
    EXPIRED = "expired"
    """It came as far as its `ttl` let it, and a router there said so (`by`)."""
    EATEN = "eaten"
    """The answer arrived at the interface, and something on this box threw it away. `rtt_s` is until it arrived."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer to a probe; `rtt_s` is the time of its first round trip, where there was one.

    `by` is who answered, where that was a hop on the way; `addresses` are what a NAME probe was answered.
    """

    probe: Probe
    outcome: Outcome
    rtt_s: float | None = None
    detail: str = ""
    by: IPAddress | None = None
    addresses: tuple[IPAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class InterfaceChange:
    """The state of an uplink's interface as the kernel tells it: the whole of it, not the difference.

    `addresses` are its usable source addresses with their prefix length, `gateways` the next hops found for it;
    a family without a gateway but with `point_to_point` True needs none.
    """

    uplink: str
    present: bool
    admin_up: bool
    carrier: bool
    addresses: tuple[str, ...] = ()
    gateways: tuple[IPAddress, ...] = ()
    point_to_point: bool = False
    mtu: int = 1500

    def gateway(self, family: Family) -> IPAddress | None:
        """The next hop of one family, or None."""
        return next((g for g in self.gateways if family_of(g) is family), None)


@dataclass(frozen=True, slots=True)
class TrafficSample:
    """What people's traffic did on one line since the sample before (senses tell only where something moved).

    All are packets of flows that we route: `out` all that left, `in_` all that came back; `syn` and `dnsq` new TCP
    connections and new questions to port 53, `synack` and `dnsr` the answers to these. `out_bytes` and `in_bytes` are
    the IP bytes of `out` and `in_`.
    """

    line: Line
    out: int = 0
    in_: int = 0
    syn: int = 0
    synack: int = 0
    dnsq: int = 0
    dnsr: int = 0
    out_bytes: int = 0
    in_bytes: int = 0


@dataclass(frozen=True, slots=True)
class InsideChange:
    """Whether something is connected at the interface of an inside network (present, up, and with carrier)."""

    network: str
    connected: bool


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """Somebody in the office was answered: these addresses belong to a name of an application, for `ttl_s` seconds.

    `name` is the name as the application spells it, exact or a domain above what was asked for.
    """

    name: str
    addresses: tuple[IPAddress, ...]
    ttl_s: float


class FlowKind(StrEnum):
    """What a connection in progress is to the person behind it: decides when it goes home (adr/0021)."""

    CALL = "call"
    """Voice: packets at the rhythm of speech, both ways."""
    MEETING = "meeting"
    """Sound and picture over UDP, both ways."""
    DIALOG = "dialog"
    """The signalling of a phone: SIP. It stays with the phone's calls."""
    TUNNEL = "tunnel"
    PAYMENT = "payment"
    SESSION = "session"
    """A remote session, or work in the office's own applications."""
    OFFICE = "office"
    BULK = "bulk"
    """Downloads, updates, streaming, guests: what nobody waits for."""


FINISHING = frozenset({FlowKind.CALL, FlowKind.MEETING, FlowKind.TUNNEL, FlowKind.PAYMENT, FlowKind.SESSION})
"""What may finish where it is when the office goes home."""


@dataclass(frozen=True, slots=True)
class FlowsReading:
    """What is in progress on a line that the office has left, summed up: told when it has changed.

    `counts` holds how many there are of each kind that is there; `calling` are the inside addresses that have a call
    there, or may have one: a flow too young to be known counts. `unknown` flows have not been looked at twice yet.
    """

    line: Line
    counts: Mapping[FlowKind, int] = field(default_factory=dict)
    calling: tuple[IPAddress, ...] = ()
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Straggler:
    """A connection on a line that nobody should use: device and destination, class, IP bytes both ways."""

    line: Line
    device: str
    destination: str
    traffic_class: str
    octets: int


class Stage(StrEnum):
    """How much of an uplink's data allowance is used: each stage restrains more than the one before."""

    AMPLE = "ample"
    WARNED = "warned"
    """From 75 %: told, and nothing else."""
    SQUEEZED = "squeezed"
    """From 90 %, or where it would not last at this rate: bulk, streaming and guests wait, office and personal limited.
    """
    CRITICAL = "critical"
    """From 95 %: critical classes only."""
    USED_UP = "used-up"
    """From 100 %: what the contract says."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What an uplink's interface has counted: IP bytes, both ways. Another `counter` is one that has begun anew."""

    counter: str
    octets: int


@dataclass(frozen=True, slots=True)
class UsageReading:
    """How much of an uplink's data allowance is used; told when the stage changes, not with every byte.

    `pace_bps` is told from SQUEEZED on: the mean rate, both ways and of all classes together, at which it lasts.
    """

    uplink: str
    stage: Stage
    pace_bps: int | None = None


@dataclass(frozen=True, slots=True)
class RateReading:
    """What an uplink is found to carry each way, in bit/s, and how many calls are in progress on it.

    `spent`: its data allowance is used up. None says nothing of that; a rate of 0, that it is not known any more.
    """

    uplink: str
    down_bps: int | None = None
    up_bps: int | None = None
    calls: int | None = None
    spent: bool | None = None


class OverrideKind(StrEnum):
    """What a person may ask for."""

    FAILOVER = "failover"
    FAILBACK = "failback"
    HOLD = "hold"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word. FAILOVER names an uplink; HOLD lasts `duration_s`; FAILBACK and RELEASE need neither."""

    kind: OverrideKind
    uplink: str | None = None
    duration_s: float = 0.0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Reload:
    """A new configuration, already found good."""

    site: Site


Observation: TypeAlias = (
    ProbeResult
    | InterfaceChange
    | InsideChange
    | TrafficSample
    | AnswerSeen
    | FlowsReading
    | UsageReading
    | RateReading
    | Override
    | Reload
)
"""All that a sense can report; new senses add their reading here."""


# ── What judge says ──────────────────────────────────────────────────────────────────


class Health(StrEnum):
    """The state of a line."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


CARRIES = frozenset({Health.UP, Health.DEGRADED})
"""A line in such a state can carry traffic, well or badly."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a line's window shows: number of probes, loss (0..1), smoothed round trip and its variation (RFC 6298)."""

    samples: int = 0
    loss_ratio: float = 0.0
    rtt_s: float | None = None
    jitter_s: float | None = None


class Cause(StrEnum):
    """Why a line is not well, or why nothing is known of it: the codes of reasons."""

    WELL = "well"
    STARTING = "starting"
    ABSENT = "absent"
    """The interface does not exist."""
    DISABLED = "disabled"
    """Somebody set the interface down."""
    CARRIER = "carrier"
    """Nothing at the other end of the cable."""
    NO_ADDRESS = "no-address"
    NO_GATEWAY = "no-gateway"
    NO_TARGETS = "no-targets"
    """The configuration names nothing to ask over this family."""
    UNSENT = "unsent"
    """Probes cannot leave the box."""
    SILENT = "silent"
    """Nothing outside answers."""
    MODEM = "modem"
    """Not even the modem answers, though there is carrier."""
    ACCESS = "access"
    """The modem answers, the provider's next hop does not."""
    NEXT_HOP = "next-hop"
    """The next hop does not answer; of a modem between nothing is known."""
    LOSS = "loss"
    """A brown-out: answers come, too many are missing."""
    DELAY = "delay"
    """A brown-out: answers take far longer than they used to, and our own traffic does not explain it."""
    JITTER = "jitter"
    """A brown-out: answers take now longer, now shorter, too much for a call."""
    SATURATED = "saturated"
    """Our own traffic fills the line, and answers wait in its queue. That is no fault of the line."""
    DNS = "dns"
    """Names are not resolved over this line; all else works."""
    TCP = "tcp"
    """Connections do not come about; echoes and names work."""
    TLS = "tls"
    """Connections stand, and stall in the handshake of TLS."""
    PATH_MTU = "path-mtu"
    """Small packets pass, full-size ones vanish."""
    CAPTIVE = "captive"
    """Somebody else answers in the web's place: a portal, or a suspended line."""
    OWN_RULES = "own-rules"
    """This box throws answers away, and the line is down only where people's traffic is lost too; or the questions."""
    RECOVERING = "recovering"
    """Answers come again; not yet enough of them."""


NOT_SET_UP = frozenset({Cause.NO_ADDRESS, Cause.NO_GATEWAY, Cause.NO_TARGETS})
"""Causes that say: nobody has set this family up here."""


@dataclass(frozen=True, slots=True)
class LastHop:
    """The last that answers on the way to the internet, counted from here; and who used to answer next, and does not.

    `beyond` is None where nobody was ever heard there. `at` is when that was found out.
    """

    at: Instant
    ttl: int
    address: IPAddress
    beyond_ttl: int | None = None
    beyond: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class LineState:
    """What judge thinks of one line, since when, and why."""

    line: Line
    health: Health
    cause: Cause
    since: Instant
    measurement: Measurement = Measurement()
    answered_at: Instant | None = None
    last_hop: LastHop | None = None

    @property
    def offered(self) -> bool:
        """Whether this line exists as far as anybody can tell; False for the IPv6 of an uplink that has none."""
        return not (self.health is Health.UNKNOWN and self.cause in NOT_SET_UP)


class VerdictCode(StrEnum):
    """What is wrong at the site: the codes other programs rely on."""

    OK = "ok"
    STARTING = "starting"
    CABLE = "cable"
    INTERFACE = "interface"
    ADDRESS = "address"
    MODEM = "modem"
    ACCESS = "access"
    NEXT_HOP = "next-hop"
    UPSTREAM = "upstream"
    BROWN_OUT = "brown-out"
    SATURATED = "saturated"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    PATH_MTU = "path-mtu"
    CAPTIVE = "captive"
    OWN_RULES = "own-rules"
    BACKUP_NOT_READY = "backup-not-ready"
    ONE_FAMILY = "one-family"
    ALL_DOWN = "all-down"
    EVERYWHERE = "everywhere"
    """Every line answers, and something fails over all of them alike: the fault is not in the lines."""
    APPLICATION = "application"
    """One application does not work over a line that is well, and works over another."""
    COMMON_CAUSE = "common-cause"
    """All lines failed in the same moment: what they share is likely to blame."""
    INSIDE = "inside"
    """The office's own gear: nothing is connected any more where an inside network was."""
    POWER = "power"
    """Mains power failed. Told by the UPS alone."""


class Confidence(StrEnum):
    """How sure a verdict is."""

    FACT = "fact"
    """The kernel or a device says so."""
    PROVEN = "proven"
    """Asked of several, compared with other lines; wrong by chance less than once in a million."""
    LIKELY = "likely"
    """Inferred from who has fallen silent, or from what happened at the same time."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong at the site, on which lines, with the states that prove it.

    `what` is what fails where the code alone does not say it: a rung's name (judge/ladder), an application's,
    or an inside network's.
    """

    code: VerdictCode
    lines: tuple[Line, ...] = ()
    evidence: tuple[LineState, ...] = ()
    what: str = ""
    confidence: Confidence = Confidence.PROVEN


# ── What decide says ─────────────────────────────────────────────────────────────────


class Why(StrEnum):
    """Why a class travels where it does, or does not travel."""

    PREFERRED = "preferred"
    """The most preferred uplink, and it is well."""
    BETTER = "better"
    """What was used before failed or is poor; this one is proven better."""
    STAYS = "stays"
    """Not the most preferred, and not yet time to go home."""
    ASKED = "asked"
    """A person asked for it."""
    NOTHING_BETTER = "nothing-better"
    """It is not well either, and no better path is proven."""
    BLOCKED = "blocked"
    """The class may not use this backup."""
    SAVING = "saving"
    """The data allowance of this uplink is kept for what is more important."""
    NO_UPLINK = "no-uplink"
    """No uplink speaks this family."""
    WORKS_THERE = "works-there"
    """An application that works there, and not on the line of its class."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Where one class of one family travels: an uplink's name, or None; and how much it may have there.

    A class that is blocked has no uplink; it is `barred_from` the one that it would use.
    """

    uplink: str | None
    why: Why
    treatment: Treatment = Treatment.KEEP
    barred_from: str | None = None


OWN = "own"
"""What the gateway itself sends (probes, look-ups, ARP): no class of people's, but it has a share of its own."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a class has of one direction of an uplink: the rate it is sure of, and the most it may have, in bit/s."""

    traffic_class: str
    rate_bps: int
    ceil_bps: int


@dataclass(frozen=True, slots=True)
class Pipe:
    """One direction of an uplink, shaped to `rate_bps`; all but voice together have `others_bps` at most."""

    rate_bps: int
    others_bps: int
    shares: tuple[Share, ...]

    def share(self, traffic_class: str) -> Share:
        """The share of one class, or of OWN."""
        return next(share for share in self.shares if share.traffic_class == traffic_class)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an uplink is to be shaped to; a direction of which no rate is known is left alone."""

    uplink: str
    down: Pipe | None = None
    up: Pipe | None = None


@dataclass(frozen=True, slots=True)
class Shaped:
    """What act made of a shape: by which means each direction is shaped ("" for not at all), and why it is not."""

    uplink: str
    down: str = ""
    up: str = ""
    down_bps: int = 0
    up_bps: int = 0
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Steering:
    """The whole decision.

    `lanes` holds one Lane for every class and family. `generations` counts, for every line, how often its flows were
    given up: when act sees a number grow it retires the flows which that line carried before.

    `paces` holds, for uplinks whose data is squeezed, the mean rate at which it lasts the day.

    `class_generations` counts the same for the flows of one class alone, where others go on using the line.

    `detours` holds the lanes of applications that travel elsewhere than their class, by name and family; `treated` of
    those that travel with their class and may have more or less there. `application_generations` counts how often an
    application's flows on a line were given up; `destinations` are the addresses by which applications are known, so
    far. `shapes` has the uplinks that are shaped.

    `left` are the lines that the office has left and on which flows in progress may finish; `calling` are the inside
    addresses whose calls are on such a line: their signalling and their voice go there too.
    """

    lanes: Mapping[tuple[str, Family], Lane]
    generations: Mapping[Line, int]
    detours: Mapping[tuple[str, Family], Lane] = field(default_factory=dict)
    application_generations: Mapping[tuple[str, Line], int] = field(default_factory=dict)
    destinations: Mapping[str, frozenset[IPAddress]] = field(default_factory=dict)
    left: frozenset[Line] = frozenset()
    calling: Mapping[IPAddress, Line] = field(default_factory=dict)
    class_generations: Mapping[tuple[str, Line], int] = field(default_factory=dict)
    treated: Mapping[tuple[str, Family], Lane] = field(default_factory=dict)
    shapes: tuple[Shape, ...] = ()
    paces: Mapping[str, int] = field(default_factory=dict)

    def lane(self, traffic_class: str, family: Family) -> Lane:
        """The lane of one class and family."""
        return self.lanes[traffic_class, family]

    def lane_of(self, application: Application, family: Family) -> Lane:
        """The lane of an application: its own, or else that of its class."""
        own = self.detours.get((application.name, family)) or self.treated.get((application.name, family))
        return own or self.lanes[application.traffic_class or OFFICE.name, family]


@dataclass(frozen=True, slots=True)
class Transition:
    """Something changed: the only thing recorded, told and reported.

    `subject` is `line:<uplink>/<family>`, `flows:<uplink>/<family>`, `sweep:<uplink>/<family>`,
    `path:<uplink>/<family>`, `steering:<family>`, `class:<name>/<family>`, `application:<name>/<family>`,
    `allowance:<uplink>`, `verdict`, `override`, `config`, `daemon` or `book`.
    """

    at: Instant
    subject: str
    before: str
    after: str
    reason: str
    detail: Mapping[str, str | int | float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What the engine answers: the steering as it now stands, what changed, and what to ask the world."""

    steering: Steering
    transitions: tuple[Transition, ...] = ()
    probes: tuple[Probe, ...] = ()
