"""ACT: the one hand that touches the kernel.

In:    Site, Steering, InterfaceChange of every uplink.
Out:   a kernel that does what the steering says; Report of what was done; what was left, as evidence.
Files: plane    the words of this room: DataPlane (keyed entries), Change; marks, tables, priorities
       compile  Steering -> the moving entries;  Site -> the whole DataPlane
       ruleset  the text of table inet secondpath, with the essay on why each chain is as it is
       exchange the same in the place of a table that stands, with no moment in which packets meet half of each
       recognition  who is who: device, destination, port, DSCP;  doors  port forwards, what the gateway answers to
       reading  DNS answers handed to our reader;  resolver  what the office's own resolver is told
       calling  phones whose calls are on a line that the office has left
       counting what the table counts of every line's traffic, and where
       settings the sysctls a router needs
       tree     the words of shaping;  shaping  Shapes -> trees of queues, devices, filters; the map from class to queue
       diff     two planes -> the changes, in an order of which no prefix cuts anybody off
       paper    the kernel of paper: applies changes, and answers where a flow would leave
       hand     holds a kernel; adopts, flips, reconciles, retires epochs
       footing/ is this box fit for it, and who else works on it: what the doctor judges
       kernel/  the real kernel: nft, routes, rules, conntrack, sysctls, pokes
Never: judges, decides, or touches a table, rule, route or mark that is not ours.
"""
