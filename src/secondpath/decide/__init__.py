"""DECIDE: which class travels on which uplink, when to go home, and what to ask next. Pure: `now` comes in.

In:    LineState of every line, the Site, a person's Override.
Out:   Steering (a Lane for every class and family, a generation for every line).
Files: policy    which uplink a family uses, and what may travel on it
       failback  how long a line must have been good before it is trusted with traffic again
Never: judges health, touches the kernel, reads a clock.

Three rules nothing may break: with no proven better path nothing is withdrawn; a guest never travels on a
metered backup; every class and family always has a Lane.
"""
