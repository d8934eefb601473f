"""Who is let in: keys as hashes in a file, and the secret of a gateway in front."""
