"""The command line: `python -m feedline serve ./images`, `python -m feedline --help`."""

import signal
import sys

from feedline import _native


def main() -> int:
    """Runs the command line of this process, and returns its exit code."""
    # Python's own handler only notes that Ctrl-C was pressed, and nobody would look at that note.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.main(["feedline", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
