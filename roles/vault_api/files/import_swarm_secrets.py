"""Imports secrets that are mounted as files; runs in a container of the API's image.

usage: FOLDER PATHS OPTION..., where PATHS is a JSON object of paths by file name, and the options are those
of ``python -m service import``, which gets the values through a pipe.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path


def main(folder: str, paths: str, *options: str) -> int:
    """Import the files and return the command's exit code."""
    lines = [
        json.dumps({"path": path, "secret": base64.b64encode((Path(folder) / name).read_bytes()).decode()})
        for name, path in json.loads(paths).items()
    ]
    command = [sys.executable, "-m", "service", "import", "-", "--format", "jsonl", *options]
    return subprocess.run(command, input="\n".join(lines).encode(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
