"""The room with the one door for people and other programs: the control socket.

In:    one request line from a client whom the kernel vouches for (SO_PEERCRED).
Out:   one response line; for `watch` a line on every change and each second. What a person asks for is handed to
       the daemon, which turns it into an Observation like any probe.
Files: server (the socket, its bounds, who may do what) · peer (who is asking) · client (for the commands; synchronous).
Never: acts on a request itself, runs anything, waits for a slow client, or opens a TCP port.
"""
