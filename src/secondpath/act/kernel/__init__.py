"""The real kernel: reads what it holds of ours, and applies changes.

In:    Change values; marks of flows to end.
Out:   DataPlane as found; counts of flows.
Files: box      `Box`: read and apply, by the files below
       nft      our table: elements by netlink (microseconds), the whole of it by nft(8)
       routes   our routes and rules
       queues   our qdiscs, ifb devices and filters; what this kernel has of that
       sysctls  settings, with what they were before, so that they can be restored
       tampering notices that somebody changed what is ours
       flows    end the flows of an epoch: flush, poke, count
       poke     the packet that makes a TCP client ask for the reset it needs
       dnsmasq  the process that is the office's resolver
       features which features this kernel has, tried in a scratch namespace
       survey   what else is on this box, for the doctor
       clear    take everything of ours out again
Never: decides; waits for anything but the kernel; touches what is not ours.
"""
