"""The WSGI entry point: ``gunicorn -c service/gunicorn.conf.py service.wsgi:app``."""

import os

from .app import create_app
from .environment import Environment
from .settings import Settings

app = create_app(Settings.from_environment(Environment(os.environ)))
