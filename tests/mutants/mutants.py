# SPDX-License-Identifier: Apache-2.0
"""./dev mutants [WORD]: plants one fault at a time and asks the test that is there for it.

Exits with 1 if a fault survives; with a word, only the faults whose line has it. The checkout is not touched:
everything is built from a copy. All of them take more than an hour.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import admin
import branches
import hygiene
import matrix
import operations
import rooms
import scheduling
from planting import plant

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTS = (branches, admin, hygiene, matrix, operations, rooms, scheduling)
LIMIT = 300  # seconds; a test that hangs has noticed


def planted():
    """What it is about, file, what stands there, what the fault makes of it, what is wrong then, who must notice: a
    test of the branches, or of another suite, as "awa: a test", "chaos: a test" or "unit.service: a test"."""
    return [mutant for faults in LISTS for mutant in faults.MUTANTS]


def run(words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)


def split(tests):
    """The program and the test of it."""
    suite, colon, test = tests.rpartition(": ")
    if suite == "chaos":
        return "chaos_tests", test
    kind, dot, room = (suite if colon else "branches").rpartition(".")
    return f"{room}_{kind if dot else 'integration'}_tests", test


def build(folder, program):
    done = run(["ninja", "-C", folder / "build", program])
    if done.returncode != 0:
        raise SystemExit(done.stdout[-3000:])


def is_noticed(folder, program, test):
    build(folder, program)
    try:
        return run([folder / "build/tests" / program, test], timeout=LIMIT).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def copy_to(folder):
    for name in ("CMakeLists.txt", "lib", "daemon", "tests", "config"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    lists = folder / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("-Werror", ""))  # what a fault no longer uses is no error
    run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"],
        check=True)


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    wanted = [mutant for mutant in planted() if word in " ".join(mutant)]
    survivors = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)  # the server's user reads nothing here, but passes through
        copy_to(folder)
        asked = {}
        for program, test in sorted({split(mutant[5]) for mutant in wanted}):
            asked.setdefault(program, []).append(test)
        for program, tests in asked.items():
            if is_noticed(folder, program, ",".join(tests)):
                raise SystemExit(f"the tests of {program} fail without a fault")
        for defect, path, old, new, what, tests in wanted:
            original = (folder / path).read_text()
            (folder / path).write_text(plant(original, old, new))
            noticed = is_noticed(folder, *split(tests))
            (folder / path).write_text(original)
            survivors += not noticed
            print(f"{defect:<4} {'noticed ' if noticed else 'SURVIVED'} {what}: {tests}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
