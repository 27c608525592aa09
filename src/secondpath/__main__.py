"""`python -m secondpath` is the command `secondpath`."""

import sys

from secondpath.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
