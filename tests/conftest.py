"""For all tests: hypothesis measures no time, since the machine may be busy with other things; and signals mean what
they mean, though a shell that starts us in the background has us ignore some.
"""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("secondpath", deadline=None)
settings.load_profile("secondpath")

for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
