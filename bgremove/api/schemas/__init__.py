"""The JSON bodies and the form of the contract: what is documented is what is loaded and dumped."""
