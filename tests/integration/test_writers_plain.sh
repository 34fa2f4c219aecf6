#!/bin/bash
# What programs do to files ends up, the same, in a registry over plain HTTP.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/writers.sh"

writers_on plain
