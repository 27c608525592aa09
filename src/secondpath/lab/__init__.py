"""LAB: a virtual office in network namespaces, for the demo, the rehearsal and the tests.

In     a topology (data), fault names, stories (data); a gateway somebody else starts in the host `gw`.
Out    hosts that run commands, instants at which faults took effect, what people felt, a story's findings.
Files  topology wiring namespaces state building office   an office, standing
       relay · world services zone tls                   processes in it: distance, the internet's servers
       faults breaking changes                           what can break, and what breaks and heals it
       people streams streams_udp streams_tcp habit seat gaps  what staff feel, and what it amounts to
       story stories measures story_run                  stories as data, what must hold, who plays them
       box · toll                                        the real gateway, as a process on host gw; what passes it
       calls switchboard quality                         calls timed packet by packet, how they sounded, load
       verbs                                             what the command line calls
       errors                                            sentences for people
Never  touches a namespace, process or file that is not this office's own; never lets traffic out of the
       namespaces; never leaves anything behind `down`; is imported by nobody but the command line.
"""
