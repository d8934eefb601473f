"""What this machine has, what would run on it, and what to do about what is wrong."""
