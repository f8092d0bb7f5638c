#!/bin/sh
# The one use that the health check makes of wget: fetch the last argument, fail when that fails.
for address; do :; done
exec python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=3).read()' "$address"
