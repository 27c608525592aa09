"""One thorough look at a line: what was found, and what it means. Said once, on request, and never steered by.

In:    what the senses of an examination brought home, as frozen values.
Out:   a `Report`; the `Finding` of a line (what is wrong, what works); what is translated, and how.
Files: results (the values) · echoes (median, loss, jitter of round trips) · mtu (the search for the largest packet,
       a state machine) · nat (mapping and carrier-grade NAT, from what STUN servers saw) · finding (what is wrong)
Never: asks the world, reads a clock, finds words for people, or moves anybody: judge and decide know nothing of it.
"""
