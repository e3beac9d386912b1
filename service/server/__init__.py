"""The gunicorn side: worker, connections, logs, start-up. Knows nothing of the domain's rules."""
