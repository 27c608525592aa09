"""The catalogue of sentences: every one that people read about the office stands here, and nowhere else.

Plain words are for a manager, technical ones for a technician. A template may use {uplink}, {interface}, {family}
(IPv4 or IPv6), {carrier} (the provider's name), {loss}, {rtt} and {samples}; phrases begin small and end without a
full stop, so that they fit into a sentence or a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from secondpath.model import Cause, Family, FlowKind, Health, OverrideKind, Stage, VerdictCode, Why
from secondpath.wire.account import Kind


class Words(NamedTuple):
    """The same fact for two readers."""

    plain: str
    technical: str


FAMILIES: Mapping[Family, str] = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}

HEALTHS: Mapping[Health, Words] = {
    Health.UNKNOWN: Words("not known yet", "unknown"),
    Health.UP: Words("up", "up"),
    Health.DEGRADED: Words("poor", "degraded"),
    Health.DOWN: Words("down", "down"),
}

CAUSES: Mapping[Cause, Words] = {
    Cause.WELL: Words("it answers as it should", "{samples} probes, {loss} lost, round trip {rtt}"),
    Cause.STARTING: Words("waiting for its first answers", "too few answers to judge yet"),
    Cause.ABSENT: Words(
        "the adapter {interface} is missing from this box", "{interface} does not exist: adapter, modem or driver gone"
    ),
    Cause.DISABLED: Words(
        "{interface} has been switched off on this box",
        "{interface} is administratively down (ip link set {interface} up)",
    ),
    Cause.CARRIER: Words(
        "nothing is connected at the other end of {interface}",
        "{interface} has no carrier: cable, port, or modem without power",
    ),
    Cause.NO_ADDRESS: Words("no address has come from {carrier}", "{interface} has no usable {family} address"),
    Cause.NO_GATEWAY: Words(
        "the way to {carrier} is not known",
        "no {family} next hop on {interface}: no route, no lease, no `gateway` in the configuration",
    ),
    Cause.NO_TARGETS: Words("nothing has been named to test it with", "[reachability] has no {family} target"),
    Cause.UNSENT: Words(
        "this box cannot send through it",
        "probes cannot leave {interface}: route, source address, a rule of this box, or permission",
    ),
    Cause.SILENT: Words(
        "nothing beyond {provider} equipment answers", "carrier is there, none of the probed addresses answers"
    ),
    Cause.MODEM: Words(
        "the modem of {uplink} does not answer", "carrier is there; neither modem nor next hop answers echoes"
    ),
    Cause.ACCESS: Words(
        "the modem is well, {provider} side of it is not", "the modem answers echoes, the next hop does not"
    ),
    Cause.NEXT_HOP: Words(
        "{provider} equipment does not answer", "carrier is there, the next hop that used to answer does not"
    ),
    Cause.LOSS: Words("it loses {loss} of what is sent", "{loss} of {samples} probes lost, round trip {rtt}"),
    Cause.DELAY: Words(
        "answers take {rtt} on it, far longer than usual", "round trip {rtt}, own traffic does not explain it"
    ),
    Cause.JITTER: Words("answers take now long, now short on it: calls break up", "round trips tremble, about {rtt}"),
    Cause.SATURATED: Words(
        "your own traffic fills it, and all else waits",
        "round trip {rtt} under own load: the queue of the line is full",
    ),
    Cause.DNS: Words("names are not found through it", "no resolver answers over this line, echoes and connections do"),
    Cause.TCP: Words("connections do not come about through it", "SYNs go unanswered, echoes and names work"),
    Cause.TLS: Words("secure pages do not open through it", "connections stand, TLS handshakes stall"),
    Cause.PATH_MTU: Words("large packets get lost on it", "echoes of 1,400 bytes vanish, small ones return (path MTU)"),
    Cause.CAPTIVE: Words(
        "a login or payment page of {carrier} answers instead of the internet",
        "HTTP is redirected: captive portal, or the line is suspended",
    ),
    Cause.OWN_RULES: Words(
        "this box itself throws away its questions, or the answers to them",
        "dropped on this box: answers that reach {interface}, or what is to leave by it "
        "(another nft table, a blocklist, rp_filter)",
    ),
    Cause.RECOVERING: Words("it begins to answer again", "answers return, not yet enough in a row"),
}

VERDICTS: Mapping[VerdictCode, Words] = {
    VerdictCode.OK: Words("all lines are well", "every line is up"),
    VerdictCode.STARTING: Words("finding out how the lines are", "no line has been judged yet"),
    VerdictCode.CABLE: Words("nothing is connected at the other end of {interface} ({uplink})", "{lines}: no carrier"),
    VerdictCode.INTERFACE: Words(
        "{interface}, the adapter of {uplink}, is missing or switched off", "{lines}: no link"
    ),
    VerdictCode.ADDRESS: Words(
        "no usable address has come from {carrier} for {uplink}", "{lines}: no address or no next hop"
    ),
    VerdictCode.UPSTREAM: Words(
        "nothing beyond {provider} equipment answers on {uplink}", "{lines}: link up, no probed address answers"
    ),
    VerdictCode.MODEM: Words(
        "the modem of {uplink} does not answer", "{lines}: carrier, but neither modem nor next hop answers"
    ),
    VerdictCode.ACCESS: Words(
        "the modem of {uplink} is well, {provider} side of it is not", "{lines}: modem answers, next hop does not"
    ),
    VerdictCode.NEXT_HOP: Words(
        "{provider} equipment on {uplink} does not answer", "{lines}: carrier, the next hop does not answer"
    ),
    VerdictCode.BROWN_OUT: Words("{uplink} is poor", "{lines}: loss, delay or jitter above the limit for this path"),
    VerdictCode.SATURATED: Words(
        "your own traffic fills {uplink}: calls and pages wait behind it",
        "{lines}: round trips grow with own load (bufferbloat)",
    ),
    VerdictCode.DNS: Words("names are not found through {uplink}", "{lines}: no resolver answers, echoes do"),
    VerdictCode.TCP: Words(
        "connections do not come about through {uplink}", "{lines}: SYNs unanswered, echoes and DNS answered"
    ),
    VerdictCode.TLS: Words("secure pages do not open through {uplink}", "{lines}: TCP connects, TLS handshakes stall"),
    VerdictCode.PATH_MTU: Words(
        "large packets get lost on {uplink}", "{lines}: 1,400-byte packets with DF vanish, small ones pass"
    ),
    VerdictCode.CAPTIVE: Words(
        "a login or payment page of {carrier} answers on {uplink} instead of the internet",
        "{lines}: HTTP is answered by somebody else (captive portal, or suspended)",
    ),
    VerdictCode.OWN_RULES: Words(
        "something on this box throws away what comes in or goes out by {uplink}; its provider is not to blame",
        "{lines}: dropped on this box: answers that reach {interface}, or what is to leave by it "
        "(another nft table, a blocklist, rp_filter)",
    ),
    VerdictCode.BACKUP_NOT_READY: Words("{uplink} is not ready to step in", "{lines}: standby line is down"),
    VerdictCode.ONE_FAMILY: Words(
        "{family} does not work on {uplink}, the rest of it does", "{lines}: down, the other family works"
    ),
    VerdictCode.ALL_DOWN: Words("no line works", "{lines}: all down"),
    VerdictCode.COMMON_CAUSE: Words(
        "no line works; all failed in the same moment, so one cause is likely{shared}",
        "{lines}: all down within 10 s of each other{shared}",
    ),
    VerdictCode.INSIDE: Words(
        "nothing is connected any more at {inside}: the office itself is cut off there",
        "{inside}: carrier lost on the inside; the lines are well",
    ),
    VerdictCode.POWER: Words("mains power has failed", "the UPS runs on its battery"),
    VerdictCode.APPLICATION: Words(
        "{app} does not work through {uplink}, though the line is well, and travels by another line alone",
        "{lines}: {app} fails its test there and passes it over another line",
    ),
    VerdictCode.EVERYWHERE: Words(
        "{what}, over every line alike: the fault is not in your lines",
        "{lines}: {rung} fails, and over all others too",
    ),
}
LAST_HOP = Words(
    "; the fault lies past the {ordinal} device on the way{not_here}",
    "; the last hop that answers is {ttl} ({address}){beyond}",
)
NOT_HERE = ", so not in your modem or cable"
"""... where that device has an address of the provider's."""
BEYOND = ", and hop {ttl} ({address}) used to and does not"
"""How far one still comes on a silent line (judge/path), at the end of a sentence."""
FAILS: Mapping[str, str] = {
    "dns": "names are not found",
    "tcp": "connections do not come about",
    "tls": "secure pages do not open",
    "web": "the test pages do not answer",
    "size": "large packets get lost",
    "": "something fails",
    "application": "{what} does not answer",
}
"""What fails, by its rung, where a verdict names no line."""
WITH_NOTE = frozenset({VerdictCode.BROWN_OUT, VerdictCode.BACKUP_NOT_READY, VerdictCode.ONE_FAMILY})
"""Verdicts after which the line's own note follows."""

ADVICE: Mapping[VerdictCode, str] = {
    VerdictCode.OK: "",
    VerdictCode.STARTING: "",
    VerdictCode.CABLE: "check the cable at {interface} and the power of the modem",
    VerdictCode.INTERFACE: "check that {interface} is plugged in; secondpath doctor says more",
    VerdictCode.ADDRESS: "restart the modem of {uplink}; if that does not help, {call}",
    VerdictCode.UPSTREAM: "{call}; traffic comes back by itself",
    VerdictCode.MODEM: "switch the modem of {uplink} off and on; if that does not help, {call}",
    VerdictCode.ACCESS: "{call}; traffic comes back by itself",
    VerdictCode.NEXT_HOP: "switch the modem of {uplink} off and on; if that does not help, {call}",
    VerdictCode.BROWN_OUT: "if it lasts, {call}",
    VerdictCode.SATURATED: "find the large download or upload; moving to another line would only carry it along",
    VerdictCode.DNS: "if it lasts, {call}",
    VerdictCode.TCP: "{call}",
    VerdictCode.TLS: "{call}",
    VerdictCode.PATH_MTU: "{call}, and say that packets above 1,400 bytes get lost",
    VerdictCode.CAPTIVE: "check whether the bill of {uplink} is paid, or log in at its page; else {call}",
    VerdictCode.OWN_RULES: "look at `nft list ruleset`: something on this box drops what passes {interface}, "
    "another table's rule or a blocklist perhaps",
    VerdictCode.BACKUP_NOT_READY: "mend {uplink} before it is needed",
    VerdictCode.ONE_FAMILY: "if it lasts, {call}",
    VerdictCode.APPLICATION: "nothing need be done; if it lasts, {call}, and say that {app} is out of reach",
    VerdictCode.EVERYWHERE: "nothing here can mend it: a provider that many depend on is out; the lines are watched on",
    VerdictCode.COMMON_CAUSE: "check the power of the modems, ask whether neighbours are offline too; then {call}",
    VerdictCode.INSIDE: "check the switch behind {inside}: its power and its cable",
    VerdictCode.POWER: "nothing need be done while the battery lasts; save your work",
    VerdictCode.ALL_DOWN: "check the power and cables of the modems; then {call}",
}

WHYS: Mapping[Why, Words] = {
    Why.PREFERRED: Words("it is the first choice", "most preferred, and well"),
    Why.BETTER: Words("the line used before is worse", "proven better than the line used before"),
    Why.STAYS: Words("the first choice has to stay well for a while before traffic goes home", "hold not served yet"),
    Why.ASKED: Words("a person asked for it", "override"),
    Why.NOTHING_BETTER: Words("no better line is proven to work", "not well, no better line proven"),
    Why.BLOCKED: Words("it has to wait while this backup is in use", "class blocked on this backup"),
    Why.SAVING: Words("paused to keep the data of this line for what matters", "class blocked: data allowance"),
    Why.NO_UPLINK: Words("no line offers it", "no uplink speaks this family"),
    Why.WORKS_THERE: Words(
        "it works there, and not on the line of its class", "its test passes there and fails on the line of its class"
    ),
}

OVERRIDES: Mapping[OverrideKind, Words] = {
    OverrideKind.FAILOVER: Words("{by} asked for {uplink}", "failover to {uplink}"),
    OverrideKind.FAILBACK: Words("{by} asked to go home", "failback"),
    OverrideKind.HOLD: Words("{by} asked that traffic stays where it is", "hold for {span}"),
    OverrideKind.RELEASE: Words("{by} ended what was asked before", "release"),
}

ACCEPTED: Mapping[OverrideKind, str] = {
    OverrideKind.FAILOVER: "Traffic goes over {uplink} until failback or release.",
    OverrideKind.FAILBACK: "Traffic goes home.",
    OverrideKind.HOLD: "Traffic stays where it is for {span}, unless its line fails.",
    OverrideKind.RELEASE: "secondpath decides by itself again.",
}
"""What the person who asked is told."""

EVENTS: Mapping[str, str] = {
    "line": "{uplink} ({family}) is {health}: {note}.",
    "line.up": "{uplink} ({family}) is up.",
    "steering.failover": "{family} traffic moved from {before} to {after}: {because}.",
    "steering.failback": "{family} traffic came home from {before} to {after}.",
    "steering.found": "{family} traffic uses {after}.",
    "steering.lost": "{family} traffic has no line.",
    "application.apart": "{application} does not work through {home} over {family}: it alone travels by {after} now.",
    "application.home": "{application} works again: its {family} traffic came home from {before} to {after}.",
    "class.moved": "{class}: {family} traffic moved from {before} to {after} alone: {because}.",
    "class.home": "{class}: {family} traffic came home from {before} to {after}.",
    "class.drained": "{class}: connections left behind on {before} ({family}) were ended.",
    "allowance.warned": "{uplink} has used {share} of its data ({used} of {data}).",
    "allowance.squeezed": "{uplink} has used {share} of its data ({used} of {data}){restraint}.",
    "allowance.critical": "{uplink} has used {share} of its data ({used} of {data}){restraint}.",
    "allowance.used-up": "The data of {uplink} is used up ({used} of {data}){restraint}.",
    "allowance.ample": "{uplink} has used {share} of its data ({used} of {data}).",
    "allowance.foretold": "At this rate the data of {uplink} is used up at {moment}.",
    "allowance.hurried": "The data of {uplink} would not last today{restraint}.",
    "allowance.left": "{uplink} is not in use any more, so nothing more is saved of its data today.",
    "allowance.renewed": "The data of {uplink} begins anew: {data} until {renews}.",
    "allowance.corrected": "Somebody looked it up: {uplink} has used {used} of {data}{restraint}.",
    "allowance.lifted": "{by} lifted what the data of {uplink} restrained, until it begins anew on {renews}.",
    "allowance.kept": "{by} put back what the data of {uplink} restrains{restraint}.",
    "verdict": "{verdict}.",
    "override": "{override}.",
    "flows": "Connections left behind on {uplink} ({family}) were ended, so that programs connect again.",
    "path": "The last hop that answers on {uplink} ({family}) is {hop}.",
    "flows.finished": "Nothing is in progress on {uplink} ({family}) any more: the office has come home.",
    "straggler": "{device} still used {uplink} for {destination} ({class}, {octets}), though nobody should: that was "
    "ended.",
    "sweep": "Connections of {uplink} ({family}) were swept: {after}.",
    "config.reload": "The configuration was loaded anew.",
    "config": "The new configuration was refused, the old one stays: {facts}.",
    "daemon": "secondpath {after}.",
    "book.failing": "Nothing can be written to the record: {facts}.",
    "book.mended": "The record is written again.",
    "book.corrupt": "The record could not be read; it was kept as {facts}, and a new one begun.",
}
"""By the event's name, else by its subject."""

IN_PROGRESS: Mapping[FlowKind, tuple[str, str]] = {
    FlowKind.CALL: ("a call", "{count} calls"),
    FlowKind.MEETING: ("a meeting", "{count} meetings"),
    FlowKind.TUNNEL: ("a tunnel", "{count} tunnels"),
    FlowKind.PAYMENT: ("a payment", "{count} payments"),
    FlowKind.SESSION: ("a session", "{count} sessions"),
    FlowKind.OFFICE: ("a connection", "{count} connections"),
}
"""What is in progress on a line that the office has gone home from: one, and several."""
FINISHING: Mapping[bool, str] = {
    True: "{what} finishes on {uplink}, within {span} at the latest",
    False: "{what} finish on {uplink}, within {span} at the latest",
}
"""... as a sentence: is it one?"""

BECAUSE: Mapping[Cause, str] = {
    Cause.STARTING: "{uplink} is waiting for its first answers",
    Cause.RECOVERING: "{uplink} only begins to answer again",
}
"""Why traffic is not on its first choice, where "it is down because …" would not make sense."""

SUMMARIES: Mapping[str, str] = {
    "online": "Online on {uplink}.",
    "poor": "Online on {uplink}, but poorly: {note}, and no better line is proven to work.",
    "stuck": "{uplink} is down and no other line is proven to work: {note}.",
    "running": "Running on {uplink} since {moment}, {span}: {because}.",
    "starting": "Starting: finding out how the lines are. Traffic uses {uplink} meanwhile.",
    "offline": "Offline since {moment}, {span}: no line works.",
    "nothing": "No line offers a way out.",
    "ready": "{names} {stands} ready.",
    "part": "{family} traffic uses {uplink}.",
    "home": "{home} is well again, traffic goes home in {left}",
    "soon": "{home} is well again, traffic goes home soon",
    "held": "{home} is well again, but {by} asked that traffic stays",
    "asked": "{by} asked for it",
    "faulty": "{home} is {health} because {note}",
}
"""What `status` says first, and the reasons that stand for {because}."""

STAGES: Mapping[Stage, str] = {
    Stage.AMPLE: "",
    Stage.WARNED: "",
    Stage.SQUEEZED: "guests, bulk and streaming wait, office and personal traffic is limited",
    Stage.CRITICAL: "only voice, payments, line-of-business and remote access travel by it",
    Stage.USED_UP: "{beyond}",
}
"""What a stage of a data allowance means for people."""
BEYOND_THE_DATA: Mapping[str, str] = {
    "rate": "the provider slows it to {rate}, which is left to what matters and a little office traffic",
    "price": "each GB more costs {price}, so only what matters travels by it",
    "stop": "the provider may let nothing more pass; only what matters is let try",
    "unknown": "only what matters travels by it",
}
ALLOWANCE: Mapping[str, str] = {
    "used": "{used} of {data} used ({share}), anew on {day}",
    "rate": "at this rate used up {moment}",
    "lifted": "nobody is restrained for it until then",
}
TRACED: Mapping[str, str] = {
    "network": "all that comes from this network is",
    "device": "all that comes from this device is",
    "destination": "it is {application}, which has the address {address}",
    "port": "it is {application}, by its port",
    "dscp": "it is marked so, and the network is trusted",
    "calling": "a call of this phone is in progress on that line",
    "not-learned": "the application of that name is known, but no address of it yet in this family",
    "unrecognised": "nobody in the configuration has such a destination and port",
}
"""By which rule a flow is taken for what it is."""
NOT_INSIDE = "{source} is on none of the inside networks: {names}. Say which one is meant with --network."
NO_SUCH_NETWORK = "There is no network named {name}. The networks are: {names}."
NO_SUCH_ADDRESS = "{source} is no address."
NO_ALLOWANCE = "The plan of {name} has no limit. Those with a limit: {names}."

NO_SUCH_UPLINK = "There is no uplink named {name}. The uplinks are: {names}."
NO_SUCH_UPLINK_HINT = "There is no uplink named {name}; did you mean {meant}?"
EXAMINING = "Another examination is under way; ask again in a few seconds."
NOT_FIT = "{uplink} cannot take the traffic: it is {health} ({note})."

ACCOUNT: Mapping[Kind, str] = {
    Kind.EARLIER: "{line} had been doubted {times} in the minutes before, and was acquitted each time: the last "
    "time {first}.",
    Kind.UNANSWERED: "{line}: {asked} was asked, and no answer came within {patience}.",
    Kind.DOUBTED: "So {line} was doubted, and others were asked at once: {answers}.",
    Kind.ACQUITTED: "That acquitted {line}: {first}.",
    Kind.CONVICTED: "None of {count} to {addresses} was answered: {line} does not work.",
    Kind.INTERFACE: "The kernel said so of {line}: {note}. That is a fact, and needs no questions.",
    Kind.LOSS: "{line} lost {lost} of {count} in the last minute: more than chance explains.",
    Kind.FAILED: "{line} answered echoes, and failed in this way with {addresses}: {answers}.",
    Kind.CARRIED: "{line} carried the same: {answers}.",
    Kind.EATEN: "Answers on {line} arrived, and this box threw them away: {answers}.",
    Kind.RETURNED: "{line} answered again: {answers}.",
    Kind.HELD: "{line} had then been good for {good}, and had to be for {hold}.",
    Kind.PROVEN: "{line} was proven to work: {answers}.",
}
"""The links of a decision's account; a change is told as an event. Two that begin otherwise:"""
DOUBTED_ALONE = "So {line} was doubted."
DOUBTED_BESIDE = "The other family of {uplink} was doubted, so {line} was asked too: {answers}."

REPLAYED: Mapping[bool, str] = {
    True: "Replayed: {steps} from {began} to {ended}. The engine decided the same again.",
    False: "Replayed: {steps} from {began} to {ended}. The engine decided otherwise than recorded:",
}
BY_ANOTHER = " The record was written by secondpath {version}."
DIFFERENCE = "{at}  recorded: {recorded}  Now: {replayed}"
UNASKED = "{at}  question {number} was answered then and is not asked now: the rest cannot be compared."
"""How a replay compares with what it replays."""
