"""The benchmark of the server over real HTTP, beside rembg's own: `make bench`."""
