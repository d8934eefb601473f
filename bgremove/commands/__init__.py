"""Commands of the command line, one a module; `bgremove.cli` names them."""
