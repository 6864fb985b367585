"""`python -m oxflow`: the command line."""

import sys

from oxflow.cli import main

if __name__ == "__main__":
    sys.exit(main())
