"""What Prometheus reads: the only room that knows its client; gunicorn's master needs `folder`."""
