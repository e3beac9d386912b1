"""The WSGI entry point: ``gunicorn -c service/gunicorn.conf.py service.wsgi:app``."""

from .app import create_app
from .environment import process_environment
from .settings import Settings

app = create_app(Settings.from_environment(process_environment()))
