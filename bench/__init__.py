"""The benchmark of the server over real HTTP, compared with rembg's own: `make bench`."""
