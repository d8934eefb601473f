"""Diagnosis of a machine: its facts, the service that it would run, and advice."""
