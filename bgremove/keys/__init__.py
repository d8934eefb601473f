"""Authentication: API keys, stored as hashes in a file, and the secret of a gateway."""
