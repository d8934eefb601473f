"""Many pictures: which, where their cut-outs go, who computes them, and what became of each."""
