"""BENCH: `python -m bench`: what the gateway does to people and to the machine, beside references in the same run.

In     nothing but this machine: root, its kernel, some namespaces for as long as it runs.
Out    a plain table (80 columns), and with --json FILE every distribution; the promised bounds, met or not.
Files  __main__                    arguments, the order of the questions, the end
       gaps switch strays guests idle throughput false_alarms names    one question each: `ask(ground) -> Answer`
       ground machine              offices, what is common to the questions; load and steal beside each result
       figures felt bounds         pure: distributions, tables; what people felt in figures; what is promised
       oracle ping_script.sh       the two references: told of the fault and only switches; what people use
       crowd pump                  processes in a host: many connections; as many bytes and packets as it takes
Never  leaves anything behind, measures in absolute terms only, or lets traffic out of the namespaces.

The machine is shared and small, so a single time says little: every result is a distribution, stands beside a floor or
a reference measured in the same minutes, and carries the load and the steal under which it was taken.
"""
