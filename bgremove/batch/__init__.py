"""Batches of pictures: find the sources, plan the targets, remove backgrounds, record outcomes."""
