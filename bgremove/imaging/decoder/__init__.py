"""Decoding of pictures in child processes.

`messages` and `planes` are the protocol, `child` and `process` its two ends, and `pool` shares the
processes among requests. `decode` and the modules it imports run in the child only.
"""
