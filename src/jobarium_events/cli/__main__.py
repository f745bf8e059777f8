"""Runs the command line by ``python -m jobarium_events.cli``."""

from jobarium_events.cli import main

if __name__ == "__main__":
    main()
