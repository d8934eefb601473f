"""Commands of the command line, one module each, named after its command."""
