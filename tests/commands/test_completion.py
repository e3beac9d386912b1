"""commands.completion: what a shell offers after ``python -m service``."""

import os
import subprocess
import sys

import pytest

from tests.gunicorn_server import ROOT

PATH = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"  # noqa: PTH120


def bash(script: str) -> str:
    """Run a script in bash, with the completion loaded, and return what it prints."""
    # `compopt` works only while bash itself completes.
    load = "compopt() { :; }; source <(python -m service completion bash) || exit 9\n"
    finished = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", load + script],
        cwd=ROOT,
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "" == finished.stderr
    return finished.stdout


def complete(*words: str) -> list[str]:
    """Return the candidates for the last of the words, as bash asks for them."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = (
        f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}\n"
        "function=$(complete -p python); function=${function##*-F }; ${function% python}\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return bash(script).split()


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        (("a",), ["approle", "audit"]),
        (("key", ""), ["earlier", "names", "rewrap", "status"]),
        (("--v",), ["--version"]),
        (("token", "revoke", "--k"), ["--keep-descendants"]),
        (("mongo", "setup", "--member", "a:1", "--e"), ["--election-timeout"]),
        (("audit", "export", "--format", ""), ["jsonl", "ocsf", "syslog"]),
        (("import", "--existing", "u"), ["update"]),
        (("completion", ""), ["bash", "fish", "zsh"]),
        # The shell's own completion of file names.
        (("import", ""), []),
        (("backup", "create", "--output", ""), []),
    ],
    ids=str,
)
def test_completes_in_bash(words: tuple[str, ...], candidates: list[str]) -> None:
    """Commands, options and choices; for files it leaves the choice to the shell."""
    assert candidates == sorted(complete("python", "-m", "service", *words))


def test_completes_all_commands_after_the_module() -> None:
    """With either name of the interpreter."""
    assert {"audit", "backup", "completion", "health", "token"} < set(
        complete("python3", "-m", "service", "")
    )


@pytest.mark.parametrize("words", [("python", ""), ("python", "-m", "ven"), ("python", "-m", "service")])
def test_leaves_other_command_lines_alone(words: tuple[str, ...]) -> None:
    """No candidates: bash goes on with its default."""
    assert [] == complete(*words)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_prints_a_script_for_each_shell(shell: str) -> None:
    """The same with the variable that click's own users know; what the program is called is filled in."""
    command = [sys.executable, "-m", "service"]
    variable = {"_SECRET_MANAGER_COMPLETE": f"{shell}_source"}
    printed = subprocess.run([*command, "completion", shell], cwd=ROOT, capture_output=True, check=True)
    asked = subprocess.run(command, cwd=ROOT, env={"PATH": PATH} | variable, capture_output=True, check=True)

    assert printed.stdout == asked.stdout
    assert f"_SECRET_MANAGER_COMPLETE={shell}_complete".encode() in printed.stdout
    assert b"%(" not in printed.stdout
