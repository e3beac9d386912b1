"""The WSGI entry point of ``dev``, which has no authentication and is for callers on its own machine."""

from ..app import create_app
from ..environment import process_environment
from ..settings import Settings

app = create_app(Settings.from_environment(process_environment()), this_machine_only=True)
