"""``python -m service``: the operator's commands."""

import sys

from .cli import main

sys.exit(main())
