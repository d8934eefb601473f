"""Score cut-outs against pictures whose true alpha is known."""
