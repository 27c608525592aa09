"""Room: cli. The commands.

In: arguments, files, standard input.
Out: text or JSON on standard output, sentences about mistakes on standard error, exit codes 0 to 3.
Files: one per command family.
Never: compute; print a traceback for what a person typed.
"""
