"""What a migration would do to running code, told from its SQL alone."""
