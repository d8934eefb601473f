"""The commands of the command line, a module each: its name is the command's."""
