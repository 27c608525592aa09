"""The runbook: numbered steps by kind of failure, with the office's own lines, numbers and limits."""

from secondpath.plan import rounding as r
from secondpath.plan.inputs import Uplink
from secondpath.plan.paper.leaflet import Leaflet, Section
from secondpath.plan.study import Study

_INTRO = "Work through the section that fits, from top to bottom. Print this: you will need it when nothing else works."

_CLOUD = Section(
    "One cloud service is down, both lines are up",
    (
        "The status says that one service fails on every line: no second line helps.",
        "Look at the provider's status page by telephone data, not by the office line.",
        "Use the offline way of that program; note what must be entered later.",
    ),
    numbered=True,
)
_BACKUP = Section(
    "The backup is dead (found by a test or drill)",
    (
        "Cellular: look at SIM and plan in the carrier's portal, then the antenna, then restart the modem.",
        "Wired: open a ticket as for the main line.",
        "Until it is mended the office has one line: postpone risky work and the next drill.",
    ),
    numbered=True,
)
_BOTH = Section(
    "Both lines are down",
    (
        "Declare it: from now on paper and telephones.",
        "Deadline today? First attempt now, second attempt in 60 minutes or more, log both.",
        "At your limit of business hours the owner decides: send people home or to another place.",
    ),
    numbered=True,
)
_HOME = Section(
    "Going back to the main line",
    (
        "The gateway waits until the main line has been good long enough; nobody needs to help.",
        "Calls in progress end where they are.",
        "Afterwards answer two questions: how many people stopped, how many calls were missed.",
    ),
    numbered=True,
)
_EVIDENCE = Section(
    "Evidence",
    (
        "Export: secondpath events --json. Keep it with the ticket numbers.",
        "For the ISP's credit: the outage facts. For a court or auditor: the outage statement.",
    ),
    blanks=("Done by", "Date and time"),
)


def runbook_of(study: Study) -> Leaflet:
    """Steps for the ISP, the cloud, power, our own gear, a dead backup, both lines down, and going home."""
    people = ("IT, name and telephone", "Manager on duty")
    sections = (
        Section("Whom to call", tuple(_line_words(u) for u in _used(study)), blanks=people),
        Section("Our limits", _limits(study)),
        _main_line(study.plan.primary),
        _CLOUD,
        _mains(study),
        _gear(study.plan.power.gateway_spare),
        _BACKUP,
        _BOTH,
        _HOME,
        _EVIDENCE,
    )
    return Leaflet("runbook", "Runbook", study.plan.name, _INTRO, sections, r.DISCLAIMER)


def _main_line(main: Uplink) -> Section:
    carrier = main.path.facts.get("carrier") or main.key
    lines = (
        "Do nothing for one minute: the office moves to the backup by itself.",
        "Look at the status page or run: secondpath status. It says since when and whose fault it seems.",
        f"Open a ticket with {carrier}; read out the outage facts. Write the ticket number down.",
        "Hold large uploads. Tell staff with the notice.",
        "Do not restart the modem unless the status names the modem.",
    )
    return Section("The main line is down (ISP)", lines, numbered=True)


def _mains(study: Study) -> Section:
    lines = (
        f"The UPS carries the network for about {r.hours(study.supply.ups_h)} at the end of its battery's life.",
        "Switch off what hangs on it and is not needed.",
        "Before it is empty: save, end calls, tell clients who wait.",
        f"Beyond about {r.hours(study.supply.useful_h)} the carrier's own battery may be empty as well.",
    )
    return Section("Mains power is out", lines, numbered=True)


def _gear(spare: bool) -> Section:
    dead = "put the spare in; same cables, same ports." if spare else "no spare; call IT before you move cables."
    lines = (
        "Ask whether wired computers work. If yes: Wi-Fi. If no: switch or gateway.",
        "Power-cycle the named box once. Wait three minutes.",
        f"If the gateway is dead: {dead}",
    )
    return Section("Our own gear (gateway, switch, Wi-Fi)", lines, numbered=True)


def _used(study: Study) -> list[Uplink]:
    """The main line and the backups of the advised option."""
    best = study.advice.best or study.advice.nearest
    keys = [b.key for b in best.option.backups] if best else []
    return [study.plan.primary, *(study.plan.uplink(key) for key in keys)]


def _line_words(uplink: Uplink) -> str:
    carrier = uplink.path.facts.get("carrier") or "carrier unknown"
    phone = uplink.support_phone or "____________"
    account = uplink.support_account or "____________"
    repair = f"{uplink.repair_h:g} h" if uplink.repair_h else "____"
    return (
        f"{uplink.key} ({carrier}): telephone {phone}, account or circuit {account}, repair time in the contract"
        f" {repair}"
    )


def _limits(study: Study) -> tuple[str, ...]:
    owner = study.plan.owner
    low, mid, high = study.impact.unacceptable_after_h
    when = "not within a day" if mid is None else f"after about {r.hours(mid)}"
    spread = f" (between {r.hours(high)} and {r.hours(low)})" if low is not None and high is not None else ""
    critical = ", ".join(("Telephones", *(a.title for a in study.plan.applications if a.critical)))
    return (
        f"Maximum tolerable disruption (MTPD), signed by the owner: {owner.longest_h:g} business hours.",
        f"Recovery time to aim for (RTO): an outage costs {r.usd(owner.unacceptable_usd)} {when}{spread}.",
        f"Least that must work (MBCO): {critical}.",
    )
