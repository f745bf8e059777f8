"""What is known of the tables from the statements so far."""
