#!/bin/bash
# What programs do to files ends up, the same, in a registry over TLS with an authority of its own.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/writers.sh"

writers_on tls
