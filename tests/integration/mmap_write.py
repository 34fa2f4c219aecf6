#!/usr/bin/env python3
"""Writes a file through a shared mapping, and goes on storing after the descriptor is closed."""
import mmap
import os
import sys

fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
os.ftruncate(fd, 50000)
mapping = mmap.mmap(fd, 50000)
mapping[:5] = b"first"
os.close(fd)
mapping[40000:40004] = b"late"
mapping.flush()
mapping.close()
