"""gunicorn's settings, from the package: those that `bgremove serve` uses."""

import runpy

# Run anew at each reload, which reads the keys again.
globals().update(runpy.run_module("bgremove.gunicorn_conf"))
