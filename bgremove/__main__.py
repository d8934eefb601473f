"""`python -m bgremove`: the command line."""

from bgremove.cli import main

if __name__ == "__main__":
    main(prog_name="bgremove")
