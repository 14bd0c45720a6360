#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a unit file of its template, the restrictions and where the program is installed.
Arguments: TEMPLATE HARDENING OUTPUT BINDIR."""
import pathlib
import sys

template, hardening, output, bindir = sys.argv[1:]
text = pathlib.Path(template).read_text()
text = text.replace("@hardening@\n", pathlib.Path(hardening).read_text()).replace("@bindir@", bindir)
pathlib.Path(output).write_text(text)
