#!/bin/sh
# Entry of the harness's container in docker-compose.yml: its interface has the name that a lane's wire has elsewhere.
set -eu
if [ -d /sys/class/net/eth0 ]; then
  ip link property add dev eth0 altname wire-t 2>/dev/null || true
  # A frame must fit the device of a guest in a peer's container.
  ip link set eth0 gso_max_segs 1 2>/dev/null || true
fi
exec node /opt/bakeoff/bin/bakeoff.js "$@"
