"""Static int8 quantisation of a network."""
