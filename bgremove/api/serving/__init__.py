"""What holds a worker of gunicorn up against its clients and its native code."""
