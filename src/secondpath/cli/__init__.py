"""The room of commands: what a person types.

In:    arguments; the daemon's documents over the control socket; the book, read-only; a configuration file.
Out:   words for people, JSON for programs (`--json`, with a schema number), an exit code:
       0 all well, 1 a problem was found, 2 wrong usage or input, 3 the daemon cannot be reached.
Files: main · parser (globals, help, nearest spelling) · table (the list of commands) · one file for each command ·
       asking (the daemon) · screen, view, story (how it looks) · fish, troff (other people's formats).
Never: imports a command that was not asked for, decides anything, or says by colour alone what words do not say.
"""
