"""ENGINE: one site's mind, judge and decide behind five calls and one timer. Pure: `now` is handed down.

In:    observations, one by one, and instants; a Site; the Steering found in the kernel.
Out:   Step: the whole steering, what changed, and the probes to send.
Files: mind   the engine itself
       ways   where the classes travel, and what becomes of flows left behind
       apart  applications that travel apart from their class
       shapes what has been found of each uplink's rates, and the shapes that follow
Never: fetches anything, reads a clock, or knows who else is there.
"""
