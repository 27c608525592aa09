"""Netlink: the ground floor, the only place that speaks the kernel's binary language.

In      element changes, marks and masks, route and rule entries, source addresses
Out     frozen dataclasses of what the kernel holds; events; `NetlinkError` with an errno
Files   wire        messages, attributes, the `Socket`: acknowledgements, errors, dumps
        nftables    `Nft`: one atomic transaction of set elements; elements, counters, chains
        counting    `Counting`: what the counters of a table have counted since the last look
        flow        `Flow`, one connection-tracking entry, packed and parsed
        conntrack   `Conntrack`: flush, dump, count, delete and re-mark flows by mark and mask
        links entries   `Link`, `Address`; `RouteEntry`, `RuleEntry`, packed and parsed
        route       `Route`: read links, addresses, routes, rules; replace and delete the latter two
        copies      `Copies`: packets that rules hand over
        queueing    `Queueing`: read qdiscs, classes of HTB, filters that redirect
        monitor driver  `Monitor`: changes of the same, as they happen; `Driver`: whether there is a carrier, by ioctl
        diag        end the local TCP connections that a dead address left behind
Never   decides, retries a change, logs, forks, reads a clock, waits without a time-out, or touches
        a table, mark or rule it was not handed. One object is one socket of one thread, in the
        network namespace it was made in. CAP_NET_ADMIN suffices; reading routes and links needs nothing.
Bytes are in network order where a packet has them so; marks and counters are Python integers.
Kernel: run on 6.18; where others are known to differ, the docstring of the function says so.
"""
