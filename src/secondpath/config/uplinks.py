"""[[uplink]] and [[network]]: the connections to the internet, and the networks inside that use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

from secondpath.config.addresses import ADDRESS, INTERFACE, NAME, ROUTED_NETWORK, overlap
from secondpath.config.problem import Place, WrongError
from secondpath.config.table import FLAG, PLAIN, Key, Placed, Section, Table, choice, list_of, number, one_table, text
from secondpath.config.units import (
    MONEY,
    RATE,
    SIZE,
    parse_money,
    parse_price_per_gb,
    parse_rate,
    parse_size,
)
from secondpath.model import (
    CLASSES,
    OFFICE,
    DataPlan,
    Family,
    IPAddress,
    Network,
    Technology,
    Uplink,
    family_of,
)

MOST_UPLINKS = 16

_TECHNOLOGY_MEANT = {
    **dict.fromkeys(("lte", "4g", "5g", "mobile", "sim", "gsm"), "cellular"),
    **dict.fromkeys(("fttp", "ftth", "gpon", "pon", "optical"), "fibre"),
    **dict.fromkeys(("adsl", "vdsl", "pppoe"), "dsl"),
    **dict.fromkeys(("docsis", "coax"), "cable"),
    **dict.fromkeys(("starlink", "vsat"), "satellite"),
    **dict.fromkeys(("wisp", "fwa", "microwave"), "fixed-wireless"),
    **dict.fromkeys(("phone", "tethering"), "hotspot"),
}
TECHNOLOGY = choice("technology", {str(t): t for t in Technology}, _TECHNOLOGY_MEANT)
TRAFFIC_CLASS = choice("class", {name: name for name in CLASSES}, {"voip": "voice", "default": "office"})
RATE_KIND = text("rate", RATE, parse_rate)

# ── plan ─────────────────────────────────────────────────────────────────────────────


def _parse_beyond(said: str) -> DataPlan:
    if said == "stop":
        return DataPlan(beyond_stop=True)
    if said.lstrip().startswith("$"):
        return DataPlan(beyond_usd_per_gb=parse_price_per_gb(said))
    try:
        return DataPlan(beyond_bps=parse_rate(said))
    except WrongError as wrong:
        if "did you mean" in str(wrong):
            raise
        raise WrongError(f'{wrong} (or a price such as "$15/GB", or "stop")') from None


MONTHLY = Key("monthly", text("money", MONEY, parse_money), "What the connection costs in a month.", '"$119"')
DATA = Key("data", text("data", SIZE, parse_size), "Data included in a month. GB is 10⁹ bytes, GiB 2³⁰.", '"20 GB"')
RENEWS_ON = Key(
    "renews_on",
    number(1, 31),
    "Day of the month on which the data starts anew; in a month without that day, its last day.",
    "5",
)
BEYOND = Key(
    "beyond",
    text("rate, price or stop", '"600 kbit/s", "$15/GB" or "stop"', _parse_beyond),
    "What follows when the data is used up: a lower rate, a price, or nothing more. Needs `data`.",
    '"600 kbit/s"',
)
PLAN = Table("plan", "What the contract costs and allows.", (MONTHLY, DATA, RENEWS_ON, BEYOND))


def _build_plan(section: Section) -> DataPlan:
    beyond = section.get(BEYOND) or DataPlan()
    if BEYOND in section and DATA not in section:
        section.place_of(BEYOND).wrong('says what follows when "data" is used up, and there is no "data" in this plan')
    return DataPlan(
        monthly_usd=section.get(MONTHLY),
        data_bytes=section.get(DATA),
        renews_on=section.get(RENEWS_ON),
        beyond_bps=beyond.beyond_bps,
        beyond_usd_per_gb=beyond.beyond_usd_per_gb,
        beyond_stop=beyond.beyond_stop,
    )


# ── support ──────────────────────────────────────────────────────────────────────────

SUPPORT = Table(
    "support",
    "Whom to call, and what they ask for.",
    (
        Key("phone", PLAIN, "Telephone number of the provider's support.", '"1-800-555-0100"'),
        Key("account", PLAIN, "The account number they ask for.", '"8260-1144-2211"'),
        Key("circuit", PLAIN, "The circuit or line number, where there is one.", '"73/KQXA/012345"'),
        Key("email", PLAIN, "Mail address of support.", '"noc@example.net"'),
        Key("url", PLAIN, "Status or support page.", '"https://status.example.net"'),
        Key("note", PLAIN, "Anything else that helps at three in the morning.", '"ask for tier 2"'),
    ),
    {"account_number": 'did you mean "account"?'},
)


def _build_support(section: Section) -> dict[str, str]:
    told = ((key.name, section.get(key)) for key in SUPPORT.keys)
    return {name: value for name, value in told if isinstance(value, str)}


# ── uplink ───────────────────────────────────────────────────────────────────────────

UPLINK_NAME = Key("name", NAME, "What people and commands call it.", '"cable"', required=True)
UPLINK_INTERFACE = Key("interface", INTERFACE, "The interface that leads to the provider.", '"wan0"', required=True)
UPLINK_TECHNOLOGY = Key(
    "technology", TECHNOLOGY, f"How it reaches the provider: {', '.join(Technology)}.", '"cable"', unset="not known"
)
CARRIER = Key("carrier", PLAIN, "The provider's name.", '"Spectrum"', unset="not known")
DOWN = Key("down", RATE_KIND, "Contracted rate towards the office; shaped to 85 % of it.", '"300 Mbit/s"')
UP = Key("up", RATE_KIND, "Contracted rate towards the internet; shaped to 95 % of it.", '"20 Mbit/s"')
GATEWAY = Key(
    "gateway",
    list_of(ADDRESS, most=2, write='["198.51.100.1"]'),
    "The next hop of each family, only where the system's routes or leases do not tell.",
    '["198.51.100.1", "2001:db8:1::1"]',
    unset="from the system's routes and leases",
)
PREFIXES = Key(
    "prefixes",
    list_of(ROUTED_NETWORK, most=64, write='["2001:db8:1:100::/56"]'),
    "Networks that this provider routes to the office. Their addresses leave untranslated here, and only here.",
    '["2001:db8:1:100::/56"]',
)
MODEM = Key("modem", ADDRESS, "An address of the modem, to tell a dead modem from a dead line.", '"192.168.100.1"')
SHARES = Key(
    "shares",
    list_of(PLAIN, most=32, write='["pole-line: Elm Street"]'),
    "What it shares with others; what two uplinks share can fail both.",
    '["pole-line: Elm Street", "power: suite 4"]',
)
SUPPORT_KEY = Key("support", one_table(SUPPORT, _build_support), SUPPORT.about, '{ phone = "1-800-555-0100" }')
PLAN_KEY = Key("plan", one_table(PLAN, _build_plan), PLAN.about, '{ monthly = "$45", data = "20 GB" }')
RESOLVERS = Key(
    "resolvers",
    list_of(ADDRESS, most=4, write='["198.51.100.53"]'),
    "The provider's own resolvers: the office's resolver asks them while this uplink is in use.",
    '["198.51.100.53"]',
    unset="`servers` of [resolver]",
)
METERED = Key(
    "metered",
    FLAG,
    "Whether data costs or runs out: it is then asked sparingly, and guests wait while it is a backup in use.",
    "true",
    False,
)
UPLINK = Table(
    "[[uplink]]",
    "One connection to one provider through one interface. The first is the most preferred; "
    f"at least one, at most {MOST_UPLINKS}.",
    (
        *(UPLINK_NAME, UPLINK_INTERFACE, UPLINK_TECHNOLOGY, CARRIER, DOWN, UP, GATEWAY, PREFIXES, MODEM),
        *(SHARES, SUPPORT_KEY, PLAN_KEY, METERED, RESOLVERS),
    ),
    {
        "priority": "the order of the [[uplink]] tables is the order of preference",
        "weight": "the order of the [[uplink]] tables is the order of preference",
        "targets": 'did you mean "targets" in [reachability]?',
    },
)


def build_uplink(section: Section) -> Uplink:
    """An uplink from its table."""
    gateways = section.get_or(GATEWAY, ())
    _one_gateway_a_family(gateways, section.place_of(GATEWAY))
    return Uplink(
        name=section.get_or(UPLINK_NAME, ""),
        interface=section.get_or(UPLINK_INTERFACE, ""),
        technology=section.get(UPLINK_TECHNOLOGY),
        carrier=section.get(CARRIER),
        down_bps=section.get(DOWN),
        up_bps=section.get(UP),
        gateways=gateways,
        prefixes=section.get_or(PREFIXES, ()),
        modem=section.get(MODEM),
        shares=section.get_or(SHARES, ()),
        support=section.get_or(SUPPORT_KEY, {}),
        plan=section.get(PLAN_KEY),
        metered=section.get_or(METERED, False),
        resolvers=section.get_or(RESOLVERS, ()),
    )


def _one_gateway_a_family(gateways: tuple[IPAddress, ...], place: Place) -> None:
    for family, said in ((Family.IPV4, "IPv4"), (Family.IPV6, "IPv6")):
        of_family = [g for g in gateways if family_of(g) is family]
        if len(of_family) > 1:
            place.wrong(f'two {said} gateways, "{of_family[0]}" and "{of_family[1]}"; expected one for each family')


# ── network ──────────────────────────────────────────────────────────────────────────

NETWORK_NAME = Key("name", NAME, "What people call it.", '"staff"', required=True)
NETWORK_INTERFACE = Key("interface", INTERFACE, "The interface on which it lives.", '"lan0"', required=True)
NETWORK_CLASS = Key(
    "class", TRAFFIC_CLASS, f"What its traffic is, unless an application says more: {', '.join(CLASSES)}.",
    '"guest"', OFFICE.name,
)  # fmt: skip
TRUST_DSCP = Key(
    "trust_dscp",
    FLAG,
    "Whether a packet's own word counts where nothing else tells what it is: EF is voice, CS1 and LE are bulk.",
    "true",
    False,
)
NETWORK = Table(
    "[[network]]",
    "One network inside the office. At least one.",
    (NETWORK_NAME, NETWORK_INTERFACE, NETWORK_CLASS, TRUST_DSCP),
    {"dscp": 'did you mean "trust_dscp"?'},
)


def build_network(section: Section) -> Network:
    """An inside network from its table."""
    return Network(
        name=section.get_or(NETWORK_NAME, ""),
        interface=section.get_or(NETWORK_INTERFACE, ""),
        traffic_class=section.get_or(NETWORK_CLASS, OFFICE.name),
        trust_dscp=section.get_or(TRUST_DSCP, False),
    )


# ── What must hold between them ──────────────────────────────────────────────────────


def judge_uplinks(uplinks: Sequence[Placed[Uplink]], networks: Sequence[Placed[Network]]) -> None:
    """Note names and interfaces that stand twice, and networks that two providers are said to route."""
    note_twins("name", ((u.place.at("name"), u.value.name) for u in uplinks))
    note_twins("name", ((n.place.at("name"), n.value.name) for n in networks))
    outside = ((u.place.at("interface"), u.value.interface) for u in uplinks)
    inside = ((n.place.at("interface"), n.value.interface) for n in networks)
    note_twins("interface", chain(outside, inside))
    for one, other in combinations(uplinks, 2):
        for i, prefix in enumerate(other.value.prefixes):
            for routed in one.value.prefixes:
                if overlap(prefix, routed):
                    other.place.at("prefixes", i).wrong(
                        f'"{prefix}" overlaps "{routed}" of {one.place}; a network is routed by one provider only'
                    )


def note_twins(what: str, said: Iterator[tuple[Place, str]]) -> None:
    """Note every value that stood at an earlier place already."""
    first: dict[str, Place] = {}
    for place, value in said:
        if value and value in first:
            place.wrong(f'"{value}" is the {what} of {key_owner(first[value])} too; expected one of its own')
        first.setdefault(value, place)


def key_owner(place: Place) -> Place:
    """The table in which a key stands."""
    return Place(place.path[:-1], place.noted)
