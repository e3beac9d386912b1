"""``completion``: print a script with which a shell completes these commands.

    bash   source <(python -m service completion bash)
    zsh    source <(python -m service completion zsh)
    fish   python -m service completion fish | source

The program's name is ``python`` or ``python3``, so the scripts act only on command lines that begin with
``python -m service`` and leave all others as they are.  They run the interpreter of the line itself.
"""

from __future__ import annotations

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
)

from .base import Command
from .root import COMPLETE_VARIABLE, PROGRAM

_BASH = r"""
_secret_manager_completion() {
    local IFS=$'\n' type value
    COMPREPLY=()
    [[ ${COMP_WORDS[1]} == -m && ${COMP_WORDS[2]} == service && $COMP_CWORD -gt 2 ]] || return 0
    compopt +o default +o bashdefault
    while IFS=, read -r type value; do
        case $type in
            plain) COMPREPLY+=("$value") ;;
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]:2}" COMP_CWORD=$((COMP_CWORD - 2)) \
        %(complete_var)s=bash_complete "${COMP_WORDS[0]}" -m service 2> /dev/null)
}
complete -o bashdefault -o default -F _secret_manager_completion python python3
"""

_ZSH = r"""
_secret_manager_completion() {
    if [[ ${words[2]} != -m || ${words[3]} != service ]] || ((CURRENT < 4)); then
        if (($+functions[_python])); then _python "$@"; else _default "$@"; fi
        return
    fi
    local -a described plain response
    local type key description
    response=("${(@f)$(env COMP_WORDS="${words[3,-1]}" COMP_CWORD=$((CURRENT - 3)) \
        %(complete_var)s=zsh_complete "${words[1]}" -m service 2> /dev/null)}")
    for type key description in $response; do
        case $type in
            plain)
                if [[ $description == _ ]]; then plain+=("$key"); else described+=("$key:$description"); fi ;;
            file) _path_files -f ;;
            dir) _path_files -/ ;;
        esac
    done
    (($#described)) && _describe -V unsorted described -U
    (($#plain)) && compadd -U -V unsorted -a plain
    return 0
}
(($+functions[compdef])) || { autoload -Uz compinit && compinit; }
compdef _secret_manager_completion python python3
"""

_FISH = r"""
function __secret_manager_called
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    test (count $words) -ge 3; and test "$words[2]" = -m; and test "$words[3]" = service
end
function __secret_manager_completion
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in (env COMP_WORDS="$words[3..-1] $current" COMP_CWORD="$current" \
            %(complete_var)s=fish_complete $words[1] -m service 2> /dev/null)
        set -l parts (string split --max 1 , $line)
        switch $parts[1]
            case plain
                echo $parts[2]
            case file
                __fish_complete_path $current
            case dir
                __fish_complete_directories $current
        end
    end
end
for python in python python3
    complete --command $python --condition __secret_manager_called --no-files \
        --arguments '(__secret_manager_completion)'
end
"""


class _Bash(BashComplete):
    source_template = _BASH

    def source(self) -> str:
        """Return the script; click would start a bash to learn its version first."""
        return ShellComplete.source(self)


class _Zsh(ZshComplete):
    source_template = _ZSH


class _Fish(FishComplete):
    source_template = _FISH


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}
for _name, _class in _SHELLS.items():
    add_completion_class(_class, _name)


@click.command(cls=Command, help="Print a script that completes these commands in bash, zsh or fish.")
@click.argument("shell", type=click.Choice([*_SHELLS]), metavar="SHELL", help="bash, zsh or fish")
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the script."""
    return complete(context.find_root().command, f"{shell}_source")


def complete(root: click.Command, instruction: str) -> int:
    """Answer a shell: ``bash_source`` prints the script, ``bash_complete`` the candidates."""
    return shell_complete(root, {}, PROGRAM, COMPLETE_VARIABLE, instruction)
