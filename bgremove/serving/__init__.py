"""Protection of a gunicorn worker against slow or abusive clients and hanging native code."""
