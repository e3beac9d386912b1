"""``python -m service``: the operator's commands."""

import sys

from .cli import main
from .hardening import harden_process
from .output import replace_stdout

harden_process()
replace_stdout()
sys.exit(main())
