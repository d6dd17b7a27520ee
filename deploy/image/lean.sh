#!/bin/sh
# lean.sh FOLDER: leave out of an installed environment what no process that serves ever reads.
set -eu
cd "$1/lib/python3.11/site-packages"

# ONNX Runtime once more, for programs in C; Python's module has its own copy.
rm onnxruntime/capi/libonnxruntime.so.*
# Packages' own tests; sources and declarations for compilers and type checkers.
find . -type d -name tests -prune -exec rm -r {} +
find . -type f \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' \) -delete
# What debuggers read. Libraries in *.libs were edited after they were linked; strip breaks those.
find . -type f -name '*.so' -not -path '*.libs/*' -exec strip --strip-debug {} +
