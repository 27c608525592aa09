"""REPLAY: the engine once more, on what it was told then.

In:    the lines of an incident (wire/incident), from the book or from a stranger's file.
Out:   Replay (the transitions it gives, and where they differ from the recorded ones); Links, the chain of a decision.
Files: rerun    an engine from its written state, stepped through the record and compared
       notes    what is seen of an engine on the way: questions, doubts, facts
       chain    from those to the links that lead to one event
Never: reads a clock, asks the world, finds words, or runs anything that a file says.
"""
