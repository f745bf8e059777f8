"""One step, or one query of `verify`, run on a connection: time-outs, another try, and what is said of a failure."""
