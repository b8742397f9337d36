# SPDX-License-Identifier: Apache-2.0
"""What every lint needs: the files of the checkout, and C++ without its comments and strings."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\\ ]*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)


def blank(text):
    """The same text, lines and columns kept, with comments and literals emptied."""

    def empty(match):
        kept = re.sub(r"[^\n]", " ", match.group())
        return '"' + kept[1:-1] + '"' if not match.group().startswith("/") and len(kept) > 1 else kept

    return _TOKENS.sub(empty, text)


def without_comments(text):
    """The same C++ text, literals kept."""
    return _TOKENS.sub(lambda match: "" if match.group().startswith("/") else match.group(), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def tracked(root=ROOT):
    """Every file that git knows or would add, as paths relative to the root."""
    words = ["git", "-c", "safe.directory=*", "-C", str(root),
             "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in sorted(set(names)) if (root / name).is_file()]


def sources(*places, root=ROOT, endings=(".cpp", ".hpp")):
    """(path, text) of the C++ files below the places."""
    for name in tracked(root):
        if name.endswith(endings) and name.split("/")[0] in places:
            yield name, (root / name).read_text(encoding="utf-8")


def report(faults):
    """Prints the faults, one a line, and ends the program."""
    for fault in faults:
        print(fault)
    name = pathlib.Path(sys.argv[0]).stem
    print(f"{name}: {len(faults)} faults" if faults else f"{name}: clean")
    sys.exit(1 if faults else 0)
