"""Protection of a gunicorn worker against its clients and against native code that hangs."""
