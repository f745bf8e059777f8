"""Data moved by key range, in batches that do not hurt traffic, and what keeps two representations alike meanwhile."""
