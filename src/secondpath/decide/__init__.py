"""DECIDE: which class travels on which uplink, when to go home, and what to ask next. Pure: `now` comes in.

In:    LineState of every line, the Site, a person's Override.
Out:   Steering (a Lane for every class and family, a generation for every line).
Files: policy    which uplink a family uses
       treatment what becomes of a class on an uplink, and in which manner it chooses one
       failback  how long a line must have been good before it is trusted with traffic again
       homecoming  which lines were left, what may finish there, until when
       detours   applications that travel apart from their class
       word      what people asked for
       shaping   what each uplink is shaped to: rates, what each class is sure of, and the most it may have
       pacing    the rate of a line whose capacity varies, by its delay
Never: judges health, touches the kernel, reads a clock.

Three rules nothing may break: with no proven better path nothing is withdrawn; a guest never travels on a
metered backup; every class and family always has a Lane.
"""
