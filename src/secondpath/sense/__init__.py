"""Sense: asks the world, and says what came back. It never judges an answer.

In:    `Probe` values (the engine says which and when); uplinks with their interfaces and marks; netlink events; leases.
Out:   `ProbeResult`, `InterfaceChange`, `TrafficSample`, `AnswerSeen`, `RateReading`, handed to `deliver`.
Files: prober      runs probes in parallel; the catalogue of kinds
       icmp tcp dns http https tls   one kind each: `ask(attempt) -> ProbeResult`
       attempt     one probe under way      egress      sockets which leave by one line only
       tap         does an answer arrive at the interface, before any rule?      arrival     such packets, pure
       echo        ICMP packets, pure       refusal     what a socket's error says of the way
       stamp       how long an answer took, as the kernel saw it
       stream      connect, and non-blocking calls made awaitable
       interfaces  the interfaces of the uplinks, followed by netlink
       traffic     people's own traffic, from the counters in our table
       answers     what names people are answered, read as it passes
       flows       the connections in progress, walked in slices      calls       how many calls are in progress
       usage       what the interfaces have counted, for data allowances
       gateways    which next hop, pure     usable      which addresses, pure     leases      DHCP lease files
       examining   a room inside: one thorough look at some lines, on request
Never: decides what is asked, or what an answer means; sends by another interface than the line's; raises for what
       the world does (that is a value); retries on its own.
"""
