"""Static int8 quantisation of a network, for commands only; needs the extra `weights`."""
