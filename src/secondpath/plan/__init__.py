"""Room: plan. Is a backup worth it, which one, how big, what if.

In: numbers an office knows (people, calls, lines, power, deadlines), priors with their sources, the gateway's records.
Out: ranges with reasons: impact, availability, sizes, options, power; papers and a page made from them.
Files, the arithmetic, which imports no clock, disk, network or process:
    estimate, special, rounding, spans, duration, hours, calendars, money (numbers, times, dates); inputs (a plan);
    people, impact, drivers, deadlines (what an outage costs); causes, availability, means, markov, failover, paths (how
    often); simulate, timeline, years, options, choose (lived years and advice); erlang, voice, sizing, data_use,
    allowance (how big); power, supply (UPS); evidence, learn (the record); build, study (all together); explain, cited.
    form/ reads and writes plan.toml and the data files; paper/ draws and prints; page/ serves the form on loopback.
Never: import act, sense, judge, decide, engine or netlink; print one number alone; promise anything.
"""
