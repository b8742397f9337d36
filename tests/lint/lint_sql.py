# SPDX-License-Identifier: Apache-2.0
"""The format of the statements, and that each is used by name and each used name exists."""

import itertools
import posixpath
import re

from source import ROOT, report, tracked, without_comments

FOLDER = "lib/awa/sql/"
PARTS = "parts/"  # what stands in several statements, each of which says \\ir; no statement by itself
KEYWORDS = """select from where with as insert into update delete set values returning order by group
having limit offset for skip nowait join left right full inner cross lateral on using union all
distinct exists in not and or is null case when then else end array cast between like create alter drop
truncate lock table mode begin commit rollback materialized recursive ordinality conflict do nothing
only desc asc nulls over partition filter""".split()

SHORT = {"timestamp with time zone": "timestamptz", "int": "integer", "bool": "boolean",
         "smallint": "int2", "double precision": "float8"}

_INCLUDED = re.compile(r"^\\ir (\S+)$", re.MULTILINE)
_NOT_CODE = re.compile(r"--[^\n]*|'(?:''|[^'])*'|\"(?:\"\"|[^\"])*\"|\$\$.*?\$\$", re.DOTALL)
_PARAMETER = re.compile(r"-- \$(\d+) ([a-z_][\w. ]*(?:\[\])?): \S.*")
_LITERAL = re.compile(r'"([a-z_]+/[a-z0-9_]+)"')


def code_of(text):
    return _NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def resolved(folder, path):
    """Of what a statement in that folder includes, the name."""
    return posixpath.normpath(posixpath.join(folder, path)).removesuffix(".sql")


def expanded(name, texts):
    """The statement with what it includes, as the server gets it, but for line numbers."""
    def part(match):
        included = resolved(posixpath.dirname(name), match[1])
        return re.sub(r"\A(?:--.*\n)+", "", expanded(included, texts) if included in texts else "")
    return _INCLUDED.sub(part, texts[name])


def part_faults(texts):
    users = {}
    for name, text in texts.items():
        for path in _INCLUDED.findall(text):
            users.setdefault(resolved(posixpath.dirname(name), path), []).append(name)
    for included, names in users.items():
        if included not in texts:
            yield f"{FOLDER}{names[0]}.sql:1: it includes {included}, which is not there"
    for name in texts:
        if name.startswith(PARTS) and len(users.get(name, [])) < 2:
            yield f"{FOLDER}{name}.sql:1: a part that fewer than two statements include"


def head_faults(name, lines):
    """A sentence or more about the statement, then one line a parameter, in order."""
    head = list(itertools.takewhile(lambda line: line.startswith("--"), lines))
    said = list(itertools.takewhile(lambda line: not line.startswith("-- $"), head))
    if not re.fullmatch(rf"-- {re.escape(name)}: \S.*\.", "\n".join(said), re.DOTALL):
        yield 1, f"it does not begin with `-- {name}: what it does.`"
    for place, line in enumerate(head[len(said) :], start=1):
        match = _PARAMETER.fullmatch(line)
        if not match or int(match[1]) != place:
            yield len(said) + place, f"not `-- ${place} type: meaning`"


def parameter_faults(text, code):
    declared = {int(n): kind for n, kind in _PARAMETER.findall(text)}
    used = {int(n) for n in re.findall(r"\$(\d+)", code)}
    for n in sorted(declared.keys() ^ used):
        yield 1, f"${n} is {'declared and not used' if n in declared else 'used and not declared'}"
    for n in sorted(declared.keys() & used):
        wanted = SHORT.get(declared[n], declared[n])
        casts = re.findall(rf"\${n}(?!\d)(?:::([a-z_][\w.]*(?: precision)?(?:\[\])?))?", code)
        if {SHORT.get(cast, cast) for cast in casts if cast} != {wanted}:
            yield 1, f"${n} is not cast to its type, ${n}::{declared[n]}"


def check(name, texts):
    """(line, fault) of one statement or part, of all by their names."""
    text = texts[name]
    code = code_of(text)
    yield from head_faults(name, text.splitlines() or [""])
    whole = expanded(name, texts)
    yield from parameter_faults(whole, code_of(whole))
    if ";" in code:
        yield code[: code.index(";")].count("\n") + 1, "a semicolon: one statement a file, none at its end"
    for star in (r"\bRETURNING\s+\*", r"\bINSERT\s+INTO\s[^()]*\bSELECT\b",
                 r"\bINSERT\s+INTO[^()]*\([^()]*\)\s*SELECT\s+(?:\w+\.)?\*"):
        for match in re.finditer(star, code):
            yield code[: match.start()].count("\n") + 1, "a table's columns moved without their names"
    for number, line in enumerate(code.splitlines(), start=1):
        for word in re.findall(r"(?<![\w.:])[a-z]+(?![\w(.])", line):
            if word in KEYWORDS:
                yield number, f"keyword in lower case: {word}"


def use_faults(names, sources):
    """sources: path to text of the C++ that names statements."""
    folders = {name.split("/")[0] for name in names}
    used = {}
    for path, text in sources.items():
        for literal in _LITERAL.findall(text):
            if literal.split("/")[0] in folders:
                used.setdefault(literal, path)
    for name in sorted(names - used.keys()):
        yield f"{FOLDER}{name}.sql:1: nothing uses it"
    for name in sorted(used.keys() - names):
        yield f"{used[name]}:1: no statement is named {name}"
    for path, text in sources.items():
        if "const Branch " not in text or not path.startswith("lib/branches/"):
            continue
        lists = "".join(re.findall(r"string_view k\w*[Ss]tatements\w*\[\] = \{(.*?)\};", text, re.DOTALL))
        for literal in sorted(set(_LITERAL.findall(text)) & names):
            if f'"{literal}"' not in lists:
                yield f"{path}:1: {literal} stands in no list of statements"


if __name__ == "__main__":
    texts = {path[len(FOLDER) : -4]: (ROOT / path).read_text(encoding="utf-8") for path in tracked()
             if path.startswith(FOLDER) and path.endswith(".sql")}
    faults = list(part_faults(texts))
    for name in texts:
        faults += [f"{FOLDER}{name}.sql:{line}: {fault}" for line, fault in check(name, texts)]
    programs = {path: without_comments((ROOT / path).read_text(encoding="utf-8")) for path in tracked()
                if path.startswith("lib/") and path.endswith((".cpp", ".hpp"))}
    report(faults + list(use_faults({name for name in texts if not name.startswith(PARTS)}, programs)))
