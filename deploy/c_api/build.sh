#!/bin/sh
# Builds the model server against the TensorFlow wheel of a Python environment.
#
#     sh deploy/c_api/build.sh PROGRAM [PYTHON]
set -eu
program=$1
python=${2:-.venv/bin/python}
source=$(dirname "$0")/model_server.cc
find_tensorflow='import importlib.util as u; print(*u.find_spec("tensorflow").submodule_search_locations)'
tensorflow=$("$python" -c "$find_tensorflow")
"${CXX:-g++}" -std=c++17 -O1 -Wall -Wextra -isystem "$tensorflow/include" "$source" -o "$program" \
	-L"$tensorflow" -Wl,-rpath,"$tensorflow" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2
