"""What one statement does while it runs: locks, rewrites and scans."""
