"""Other people's network managers, services and sysctl files. Pure.

Few of them are a reason not to run: the daemon looks every two seconds and mends what differs. But two programs that
undo each other's work are a fault waiting for a bad moment, so each is told to leave ours alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from secondpath.act.footing.facts import Facts, Finding, care, ok, outside_of, wrong
from secondpath.model import Site

NFTABLES = "/etc/nftables.conf"
_SECTION = re.compile(r"^\s*\[(.+?)\]\s*$")
_SETTING = re.compile(r"^\s*-?\s*(net[./][^=\s]+)\s*=\s*(\S+)")


def judge_managers(site: Site, facts: Facts) -> Iterator[Finding]:
    """Findings about other software that manages networks."""
    found = [
        *_nftables(facts),
        *_network_manager(facts),
        *_networkd(site, facts),
        *_dhcpcd(facts),
        *_firewalls(facts),
        *_sysctl_files(site, facts),
        *_settings(site, facts),
    ]
    yield from found or [ok("managers", "no other software manages what secondpath manages")]


def _nftables(facts: Facts) -> Iterator[Finding]:
    """`systemctl restart nftables` runs /etc/nftables.conf; Debian ships it with `flush ruleset` on top."""
    lines = (line.split("#")[0].strip() for line in facts.files.get(NFTABLES, "").splitlines())
    if "nftables.service" in facts.services and any(line.rstrip(";") == "flush ruleset" for line in lines):
        yield care(
            "nftables",
            f"{NFTABLES} begins with `flush ruleset`: each restart of nftables.service takes our table out as well. "
            "The daemon puts it back within 2 s; meanwhile nobody is online",
            f"in {NFTABLES}, instead of `flush ruleset`, for each table of its own:\n"
            "table inet filter\ndelete table inet filter",
        )


def _network_manager(facts: Facts) -> Iterator[Finding]:
    if "NetworkManager.service" not in facts.services:
        return
    settings = _ini(facts, "/NetworkManager/")
    uri, enabled = settings.get("connectivity.uri"), settings.get("connectivity.enabled", "true").lower()
    if uri and enabled not in ("false", "no", "0"):
        yield care(
            "networkmanager.connectivity",
            "NetworkManager tests connectivity too, and changes the metrics of routes when a line seems dead",
            "printf '[connectivity]\\nenabled=false\\n' > /etc/NetworkManager/conf.d/90-secondpath.conf && "
            "systemctl reload NetworkManager",
        )


def _networkd(site: Site, facts: Facts) -> Iterator[Finding]:
    if "systemd-networkd.service" not in facts.services:
        return
    settings = _ini(facts, "/networkd.conf")
    foreign = ("ManageForeignRoutes", "ManageForeignRoutingPolicyRules")
    if any(settings.get(f"Network.{key}", "yes").lower() not in ("no", "false", "0") for key in foreign):
        yield care(
            "networkd.foreign",
            "systemd-networkd takes out routes and rules that it did not make, whenever it restarts (networkd.conf(5))",
            "mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\nManageForeignRoutes=no\\n"
            "ManageForeignRoutingPolicyRules=no\\n' > /etc/systemd/networkd.conf.d/secondpath.conf && "
            "systemctl restart systemd-networkd",
        )
    for uplink in site.uplinks:
        if uplink.interface in facts.required_online and len(site.uplinks) > 1:
            text = f"the boot waits for {uplink.interface}, even while {uplink.name} is out of order"
            remedy = f"in the .network file of {uplink.interface}:\n[Link]\nRequiredForOnline=no"
            yield care("networkd.online", text, remedy)


def _dhcpcd(facts: Facts) -> Iterator[Finding]:
    words = {line.split("#")[0].strip() for line in facts.files.get("/etc/dhcpcd.conf", "").splitlines()}
    if "dhcpcd.service" in facts.services and "noipv4ll" not in words:
        text = "dhcpcd makes up an address (169.254.x.y) where no lease came: a dead line looks as if it had one"
        yield care("dhcpcd", text, "echo noipv4ll >> /etc/dhcpcd.conf && systemctl restart dhcpcd")


def _firewalls(facts: Facts) -> Iterator[Finding]:
    for service, words in {
        "mwan3.service": "mwan3 steers traffic as well",
        "shorewall.service": "shorewall makes routes, rules and marks of its own",
        "keepalived.service": "keepalived moves addresses between boxes",
    }.items():
        if service in facts.services:
            stop = f"systemctl disable --now {service.removesuffix('.service')}"
            say = care if service.startswith("keepalived") else wrong
            yield say(f"service.{service.removesuffix('.service')}", words, stop)


def _sysctl_files(site: Site, facts: Facts) -> Iterator[Finding]:
    """What `sysctl --system`, or a new interface, would set back."""
    for path, content in facts.files.items():
        if "sysctl" not in path:
            continue
        for number, line in enumerate(content.splitlines(), 1):
            setting = _SETTING.match(line)
            if setting and (wanted := _against_ours(setting[1].replace(".", "/"), setting[2], site)):
                text = f"{path}, line {number} sets {setting[1]} = {setting[2]}; secondpath needs {wanted}"
                yield care("sysctl.file", text, f"sed -i '{number}s/=.*/= {wanted}/' {path}")


def _against_ours(key: str, value: str, site: Site) -> str:
    """The value that secondpath sets, if a setting is another one for the same thing."""
    names = {*outside_of(site), "all", "*"}
    family, _, rest = key.removeprefix("net/").partition("/")
    if (family, rest) in (("ipv4", "ip_forward"), ("ipv6", "conf/all/forwarding")) and value != "1":
        return "1"
    parts = rest.split("/")
    if len(parts) == 3 and parts[0] == "conf" and parts[1] in names and family == "ipv4" and parts[2] == "rp_filter":
        return "0" if value != "0" else ""
    return ""


def _settings(site: Site, facts: Facts) -> Iterator[Finding]:
    """While our table is in force the settings should be ours too; before, router advertisements matter."""
    for interface in outside_of(site):
        rp_filter = facts.settings.get(f"net/ipv4/conf/{interface}/rp_filter", "0")
        if facts.ours and rp_filter != "0":
            text = f"somebody has set rp_filter of {interface} back to {rp_filter}: answers are dropped"
            remedy = f"sysctl -w net.ipv4.conf.{interface}.rp_filter=0; who sets it: grep -r rp_filter /etc"
            yield wrong("rp_filter", text, remedy)
        accepts = facts.settings.get(f"net/ipv6/conf/{interface}/accept_ra")
        if facts.settings.get("net/ipv6/conf/all/forwarding") == "1" and accepts == "1":
            say = wrong if facts.ours else care
            text = f"{interface} forwards IPv6 and so ignores router advertisements: its default route expires"
            remedy = f"sysctl -w net.ipv6.conf.{interface}.accept_ra=2   (secondpath sets it while it runs)"
            yield say("accept_ra", text, remedy)
    if facts.ours and facts.settings.get("net/ipv4/ip_forward") == "0":
        yield wrong("ip_forward", "somebody has switched forwarding off", "sysctl -w net.ipv4.ip_forward=1")


def _ini(facts: Facts, part: str) -> Mapping[str, str]:
    """Section.key -> value, of all files whose path has this part, the later overriding the earlier."""
    found, section = {}, ""
    for path in sorted((p for p in facts.files if part in p), key=_name_of):
        for line in facts.files[path].splitlines():
            if heading := _SECTION.match(line):
                section = heading[1]
            elif "=" in line and not line.lstrip().startswith(("#", ";")):
                key, _, value = line.partition("=")
                found[f"{section}.{key.strip()}"] = value.strip()
    return found


def _name_of(path: str) -> tuple[bool, str]:
    """Drop-in folders come after the main file, in the order of their files' names."""
    return ".d/" in path, path.rsplit("/", 1)[-1]
