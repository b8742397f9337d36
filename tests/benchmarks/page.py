# SPDX-License-Identifier: Apache-2.0
"""The figures as people see them: a table in the terminal, and those of docs/benchmarks.md.

The page is written by hand but for what stands between `<!-- begin NAME -->` and
`<!-- end NAME -->`: a benchmark's figures, or the machine.
"""

import json
import re


def plain_table(found):
    rows = [found["headings"], *found["rows"]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join("  " + line for line in lines)


def markdown_table(found):
    rows = [found["headings"], ["---"] * len(found["headings"]), *found["rows"]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def markdown_machine(place):
    cores = "one core" if place["cores"] == 1 else f"{place['cores']} cores"
    return (f"Measured on {place['date']}: {place['processor']}, {cores}, {place['memory_gib']} GiB, "
            f"{place['system']}, kernel {place['kernel']}; writing a page for good takes the disk "
            f"{place['flush_ms']:.2g} ms.")


def replace(text, name, content):
    mark = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    if not mark.search(text):
        raise ValueError(f"no place for {name}")
    return mark.sub(lambda found: found[1] + content + "\n" + found[2], text)


def fault(founds, names):
    """Why these results do not make a page, or None: one program, measured whole."""
    missing = [name for name in names if name not in founds]
    quick = [name for name in names if name in founds and founds[name]["quick"]]
    commits = sorted({found["commit"] for found in founds.values()})
    if missing:
        return f"no results of {', '.join(missing)}"
    if quick:
        return f"{', '.join(quick)} measured with --quick"
    if len(commits) > 1 or commits[0].endswith("-dirty"):
        return f"the program was not one committed state: {', '.join(commits)}"
    return None


def write(path, results, names):
    """Puts the results of all these benchmarks into the page; returns an exit code."""
    text = path.read_text(encoding="utf-8")
    read = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(results.glob("*.json"))]
    founds = {found["name"]: found for found in read if found["name"] in names}
    why_not = fault(founds, names)
    if why_not:
        print(f"not written: {why_not}")
        return 1
    for name, found in founds.items():
        text = replace(text, name, markdown_table(found))
    last = founds[names[-1]]
    text = replace(text, "machine", f"{markdown_machine(last['machine'])} The program is that of commit {last['commit']}.")
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(founds)} benchmarks written")
    return 0
