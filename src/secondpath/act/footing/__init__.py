"""What a box stands on: what was found of it, and what of that is in the way. Pure; for `secondpath doctor`.

In:    Facts of a box, gathered by act/kernel/survey and by the command; the Site that is meant to run on it.
Out:   Finding after finding, each with its remedy.
Files: facts     the words: Facts and what they consist of; Finding
       means     rights, tools, kernel features, connection tracking, the clock
       lines     interfaces, addresses, next hops, resolvers, and the session one is sitting in
       chains    from what nft prints to other people's base chains
       conflicts other people's packet filters, policy rules and marks
       managers  other people's network managers, services and sysctl files
Never: looks at the box itself, or changes anything.
"""
