# Tests, lint, format, docs. Sourced by dev. SPDX-License-Identifier: Apache-2.0

# The whole runs each suite once: with sanitizers, but for what has to do with time.
# The sanitized programs are tests of the one ctest run, so its summary is the whole truth.
run_tests() {
  local label=""
  while [ $# -gt 0 ]; do
    case "$1" in
      --postgres) install_other_postgresql "${2:-}"; shift ;;
      -*) usage ;;
      *) label="$1" ;;
    esac
    shift
  done
  local run=(ctest --test-dir build --output-on-failure -j2)
  export LOCKKEEPER_AWA="$venv/bin/awa" LOCKKEEPER_PYTHON="$venv/bin/python"
  case "$label" in
    "")
      build build released; build_sanitized
      "${run[@]}" -R '^(sanitized|chaos|conformance|lint|integration[.]long|unit[.](service|tools))' ;;
    lint) build build help >/dev/null; "${run[@]}" -L '^lint$' ;;
    sanitized) build build help >/dev/null; build_sanitized; "${run[@]}" -L '^sanitized$' ;;
    soak) build build; LOCKKEEPER_SEEDS=100000 "${run[@]}" -R '^unit\.scheduling$' --timeout 3600 ;;
    sanitized.*) build build help >/dev/null; build_sanitized; "${run[@]}" -R "^$label\$" --no-tests=error ;;
    *.*) build build; "${run[@]}" -R "^$label\$" --no-tests=error ;;
    *) build build; "${run[@]}" -L "^$label\$" --no-tests=error ;;
  esac
}

# All of them, also after one has failed: a list of faults is worth more than the first.
lint() {
  local file status=0
  for file in tests/lint/lint_*.py; do python3 -B "$file" || status=1; done
  (cd tests/lint && python3 -B -m unittest --quiet) || status=1
  return $status
}

# Of all that is shipped, or of these files and folders.
tidy() {
  [ $# -gt 0 ] || set -- lib daemon
  git -c safe.directory='*' ls-files "$@" | grep '\.cpp$' \
    | xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p build
}

format() {
  git -c safe.directory='*' ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i
}

# Writes the pages that follow from the source.
docs() {
  python3 -B tests/lint/lint_words.py --write
}
