"""``python -m service``: the operator's commands."""

import sys

from .cli import main
from .hardening import harden_process

harden_process()
sys.exit(main())
