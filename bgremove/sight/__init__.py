"""Find the subject of a picture, by its own alpha, the colour of its ground, or networks."""
