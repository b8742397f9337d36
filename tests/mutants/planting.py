# SPDX-License-Identifier: Apache-2.0
"""Puts a fault into a source, however the formatter has wrapped it."""


def plant(source, old, new):
    """Replaces `old`, once; white space is as good as any other white space."""
    pattern = " ".join(old.split())
    for start in range(len(source)):
        if source[start].isspace():
            continue
        end, at = start, 0
        while end < len(source) and at < len(pattern):
            if source[end].isspace() and pattern[at] == " ":
                while end < len(source) and source[end].isspace():
                    end += 1
                at += 1
            elif source[end] == pattern[at]:
                end, at = end + 1, at + 1
            else:
                break
        if at == len(pattern):
            return source[:start] + new + source[end:]
    raise SystemExit(f"not found: {old}")
