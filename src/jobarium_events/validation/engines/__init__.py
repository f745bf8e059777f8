"""One module for each engine. Each imports its engine, so none is imported before it is needed."""
