"""Take everything of ours out of the kernel, and put the settings back as they were."""

from __future__ import annotations

from pathlib import Path

from secondpath.act.kernel import nft, queues, routes, sysctls
from secondpath.act.kernel.dnsmasq import Dnsmasq
from secondpath.act.plane import TABLE
from secondpath.netlink.route import Route as RouteSocket


def clear(run_dir: Path, state_dir: Path) -> list[str]:
    """Clear the kernel of us; a sentence for each thing done. Nothing there is nothing done. `state_dir` is kept."""
    done = []
    resolver = Dnsmasq(run_dir / "resolver")
    if resolver.adopt():
        resolver.stop()
        done.append("the office's resolver has ended")
    if nft.delete_table():
        done.append(f"table inet {TABLE} is gone")
    done += [f"{device} is shaped no more" for device in queues.clear_queues(run_dir)]
    with RouteSocket() as netlink:
        rules, ours = routes.read_rules(netlink), routes.read_routes(netlink)
        for rule in rules:
            routes.drop_rule(netlink, rule)
        for route in ours:
            routes.drop_route(netlink, route)
    if rules:
        done.append(f"{len(rules)} policy rules are gone")
    if ours:
        done.append(f"{len(ours)} routes are gone")
    done += [f"{path} is as it was before" for path in sysctls.restore_settings(run_dir)]
    return done
