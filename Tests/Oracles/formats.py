#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has independent implementations read documents and write them again.

usage: formats.py FOLDER

FOLDER holds a folder per format with files NAME.in; beside each that an implementation reads, NAME.out is what it
writes of the value. One line per format says who did it, or why nobody did. Every module named *_oracle.py beside
this one adds formats: its ORACLES maps a format's name to a function of the folder that returns that line.
"""
import importlib
import pathlib
import sys


def main():
    here = pathlib.Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    oracles = {}
    for module in sorted(here.glob("*_oracle.py")):
        oracles.update(importlib.import_module(module.stem).ORACLES)
    for folder in sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_dir()):
        oracle = oracles.get(folder.name)
        print(f"{folder.name}: {oracle(folder) if oracle else 'skipped, no oracle knows this format'}")


if __name__ == "__main__":
    main()
