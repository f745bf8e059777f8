"""Example payloads and events of a contract: valid by its own validators, always the same, and nice to read.

`plausible` knows what a text or a number of some name looks like, `drawing` makes a payload of these as a schema asks
for it, and `finding` sees to it that the contract accepts what is given.
"""

from jobarium_events.examples.finding import NoExample, event_example, example

__all__ = ["NoExample", "event_example", "example"]
