# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What ./try, ./test and .ci/run share. They install packages of Debian or Ubuntu where they are
# missing, say so, and can be run again at any time.

# Debian's own tools before others that may be on the PATH.
export PATH=/usr/bin:$PATH

BUILD_PACKAGES=(g++ meson ninja-build pkg-config libcli11-dev nlohmann-json3-dev libfmt-dev
  libdeflate-dev zlib1g-dev libpcre2-dev doctest-dev)
TEST_PACKAGES=(python3 mandoc jq strace git)
ORACLE_PACKAGES=(python3-numpy python3-venv fish zsh)
OLD_TORCH=python3-torch  # 1.13 in Debian 12
CI_PACKAGES=(clang clang-format libclang-rt-14-dev)

NEW_TORCH=(torch==2.13.0 numpy safetensors==0.8.0 huggingface_hub==2.4.0)

run() {
  echo "+ $*"
  "$@"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    run env DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null; then
    run sudo "$@"
  else
    echo "this needs root, and there is no sudo: $*" >&2
    return 1
  fi
}

is_installed() {
  dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -q '^installed$'
}

need_packages() {
  local package missing=()
  if ! command -v apt-get >/dev/null; then
    echo "this is no Debian or Ubuntu; you need what these packages hold: $*" >&2
    return 0
  fi
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    as_root apt-get update --quiet
    as_root apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
  fi
}

# A current PyTorch in .venv/, beside the system's older one.
need_oracles() {
  need_packages "${ORACLE_PACKAGES[@]}"
  if is_installed "$OLD_TORCH" || apt-cache show "$OLD_TORCH" >/dev/null 2>&1; then
    need_packages "$OLD_TORCH"
  else
    echo "this system has no package $OLD_TORCH: tests that ask the older PyTorch are skipped" >&2
  fi
  local python=${PTSD_TORCH_NEW:-.venv/bin/python}
  if ! "$python" -c 'import torch, numpy, safetensors, huggingface_hub' 2>/dev/null; then
    run python3 -m venv .venv
    run .venv/bin/pip install --quiet "${NEW_TORCH[@]}"
  fi
}

# configure FOLDER OPTION…
configure() {
  if [ ! -f "$1/build.ninja" ]; then
    run meson setup "$@"
  fi
}
