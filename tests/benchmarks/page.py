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


def markdown_machine(found):
    place = found["machine"]
    cores = "one core" if place["cores"] == 1 else f"{place['cores']} cores"
    return (f"Measured on {place['date']}: {place['processor']}, {cores}, {place['memory_gib']} GiB, "
            f"{place['system']}, kernel {place['kernel']}; writing a page for good takes the disk "
            f"{place['flush_ms']:.2g} ms.")


def replace(text, name, content):
    mark = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    if not mark.search(text):
        raise ValueError(f"no place for {name}")
    return mark.sub(lambda found: found[1] + content + "\n" + found[2], text)


def write(path, results):
    """Puts all results into the page; returns an exit code."""
    text = path.read_text(encoding="utf-8")
    founds = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(results.glob("*.json"))]
    quick = [found["name"] for found in founds if found["quick"]]
    if quick or not founds:
        print(f"not written: {', '.join(quick)} measured with --quick" if quick else "not written: no results")
        return 1
    for found in founds:
        text = replace(text, found["name"], markdown_table(found))
    text = replace(text, "machine", markdown_machine(founds[-1]))
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(founds)} benchmarks written")
    return 0
