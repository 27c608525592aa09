"""The shell around the engine: waits for an observation or the deadline, steps, acts, writes down.

In:    a configuration file, what senses deliver, what people ask over the control socket.
Out:   a kernel that follows; the book; answers; word to systemd.
Files: start    from arguments to a running gateway and an exit code
       shell    `Gateway`: the loop itself; the one place that knows every room
       rehearsal would the kernel take a configuration? asked before a reload touches anything
       loading  the configuration, completed by a kept list of networks
       bugs     an exception that nobody caught ends the process
       retiring end the flows of retired epochs, step by step, and say what was left
       watching what is in progress: classes, going home, stragglers;  picture  what there is to tell at one instant
       saving   data allowances: interfaces' counters into the ledger, stages into the engine
       policy   what travels where, and where one flow goes, for those who ask
       answers  what each verb of the control socket does
       examining one thorough look at the lines, on request, beside the loop and without a word to the engine
       knowing  the reader of DNS answers and the resolver, kept in step; evidence  what was counted and is amiss
       recognising  what is known of every application; teaching  which names a device asks for
       systemd  readiness and watchdog (sd_notify(3));  timers  calls that come later;  journal logs  what happened
Never: judges or decides. Act first, then write it down: an fsync never delays a failover.
       If this process dies, traffic keeps flowing; the next start adopts what it finds.
"""
