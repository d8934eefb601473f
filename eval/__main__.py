"""Entry point of ``python -m eval``."""

import sys

from eval.command import main

if __name__ == "__main__":
    main(sys.argv[1:])
