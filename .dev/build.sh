# Builds. Sourced by dev. SPDX-License-Identifier: Apache-2.0

# build FOLDER [TARGET...], with cmake options in the array `options`
options=()
build() {
  local folder=$1 launcher=()
  shift
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  export CCACHE_SLOPPINESS=pch_defines,time_macros
  cmake -S . -B "$folder" -G Ninja "${launcher[@]}" "${options[@]}" >/dev/null
  if [ $# -gt 0 ]; then cmake --build "$folder" --target "$@"; else cmake --build "$folder"; fi
}

build_sanitized() {
  local options=(-DCMAKE_BUILD_TYPE=Debug -DLOCKKEEPER_SANITIZE=ON)
  build build/sanitized
}
