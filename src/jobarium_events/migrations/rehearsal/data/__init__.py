"""What a rehearsal runs on: a scratch database, tables filled as they would be, and digests to compare."""
