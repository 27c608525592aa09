"""Examining: one thorough look at some lines, as a network engineer would take it, while the gateway runs.

In:    one `Order` for each line (interface, mark, state, targets, STUN servers); a limit in seconds.
Out:   `examine.results.Report`, complete within the limit; what was not finished by then is named.
Files: examiner  the lines in parallel, and the parts of each        meter    what it costs, and the bound of that
       echoing   echoes of any size, never fragmented                sizing   the path MTU, by `examine.mtu`
       hop       does the gateway answer ARP, ND, pings?             neighbour  those packets, pure
       binding   what STUN servers see of one port of ours           stun     those packets, pure
       denial    what a resolver says of a name that cannot exist
Never: feeds what it finds to the engine, leaves by another line than the one it examines, or asks without end.
"""
