"""What brings events to other systems: brokers, formats and telemetry, one file and one extra each."""
