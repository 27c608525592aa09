"""JUDGE: what is wrong, and whose it is. Pure: `now` comes in as an argument.

In:    ProbeResult, InterfaceChange and TrafficSample, told by the engine; the probes it has sent.
Out:   LineState for every line (one address family of one uplink), Verdict for the site; whom to ask next.
Files: window  what was asked and answered, and the arithmetic of loss and delay on it
       reading what can be seen of a line, and the table of its states; line  how one line is seen
       suspicion  a burst under way, which precedes DOWN; doubts  what the losses of both families say
       traffic when people's traffic makes a line suspicious
       probing whom to ask, how often, how patiently; asking  the questions themselves
       delay   round trips that grow or tremble, and whether our own traffic explains it
       ladder  what a line that answers can do: names, connections, TLS, the web, full size
       near    the modem and the next hop, path the hops beyond, own_rules what this box itself throws away
       trials  who is heard when a rung is accused; applications, names, seen  which works where, at which addresses
       flows   what a connection in progress is, by what it does
       blame   from the states of all lines to one verdict
Never: reads a clock, talks to the world, or knows where traffic travels.
       Nobody else says *down*.

Loss is a view of the window at `now`, never a stored verdict: nothing times out, and a late answer
corrects the next look. Towards distrust: at once. Towards trust: only after the hold (decide/failback).
"""
