# SPDX-License-Identifier: Apache-2.0
"""A room includes only rooms on lower floors, and each outside library has one door."""

import re

from source import line_of, report, sources

FLOORS = {
    "coro": 0, "time": 0,
    "metrics": 1, "logging": 1,
    "event": 2, "config": 2,
    "pg": 3, "http": 3,
    "leadership": 4, "scheduling": 4, "cron": 4,
    "awa": 5,
    "branches": 6,
    "display": 7,
    "service": 8,
    "commands": 9,
    "daemon": 10,
}

DOORS = {
    r"uv\.h|uv/.*": "event",
    r"libpq-fe\.h|libpq/.*|libpq-events\.h|postgres_ext\.h|pg_config.*": "pg",
    r"toml\+\+/.*|toml\.hpp": "config",
    r"microhttpd\.h": "http",
    r"CLI/.*": "daemon",
    r"prometheus/.*": "metrics",
    r"spdlog/.*": "logging",
    r"date/.*": "cron",
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "lib" else parts[0]


def floor_fault(room, included):
    other = included.split("/")[0]
    if other == room:
        return None
    if other not in FLOORS:
        return f'"{included}" is in no room'
    if FLOORS[other] >= FLOORS[room]:
        return f"room {room} (floor {FLOORS[room]}) includes {other} (floor {FLOORS[other]})"
    return None


def door_fault(room, included):
    for pattern, door in DOORS.items():
        if re.fullmatch(pattern, included) and door != room:
            return f"<{included}> belongs to room {door}"
    return "the test library is not for the program" if included.startswith("catch2/") else None


def check(path, text):
    room = room_of(path)
    if room not in FLOORS:
        yield f"{path}:1: {room} has no floor"
        return
    for match in _INCLUDE.finditer(text):
        quoted, angled = match.groups()
        fault = door_fault(room, quoted or angled) or (floor_fault(room, quoted) if quoted else None)
        if fault:
            yield f"{path}:{line_of(text, match.start())}: {fault}"


if __name__ == "__main__":
    report([fault for path, text in sources("lib", "daemon") for fault in check(path, text)])
