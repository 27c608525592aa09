"""Room: plan. Is a backup worth it, which one, how big, what if.

In: numbers an office knows (people, calls, lines, power, deadlines), priors with their sources, the gateway's records.
Out: ranges with reasons: impact, availability, sizes, options, power; papers and a page made from them.
Files: the arithmetic lies flat in this folder, one question per file, and imports no clock, disk, network or process;
    form/ reads and writes plan.toml and the data files; paper/ draws and prints; page/ serves the form on loopback.
Never: import act, sense, judge, decide, engine or netlink; print one number alone; promise anything.
"""
