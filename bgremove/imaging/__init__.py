"""Conversion of picture files to arrays and back."""
