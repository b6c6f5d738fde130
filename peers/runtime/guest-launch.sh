#!/bin/sh
# Host side: puts a guest's files together and becomes the user-mode Linux kernel. Runs inside the peer's network
# namespace and a private mount namespace, so that every mount here ends with the process, however it ends.
# Arguments: UML_ROOT GUEST_ROOT SCRIPTS WIRE MEMORY_MB MAC. File descriptor 3 becomes the guest's control line.
set -eu
uml=$1 guest=$2 scripts=$3 wire=$4 memory=$5 mac=$6

# All that a lane writes goes to a tmpfs of its own: lanes share the root file system without meeting.
mount -t tmpfs -o mode=0755 bakeoff "$uml/mnt"
mkdir "$uml/mnt/upper" "$uml/mnt/work" "$uml/mnt/guest" "$uml/mnt/tmp"
mount -t overlay -o "lowerdir=$guest,upperdir=$uml/mnt/upper,workdir=$uml/mnt/work" bakeoff "$uml/mnt/guest"
cp "$scripts/guest-init.sh" "$scripts/guest-agent.pl" "$uml/mnt/guest/"
mkdir -p "$uml/mnt/guest/usr/lib/modules"
mount --bind "$uml/usr/lib/uml/modules" "$uml/mnt/guest/usr/lib/modules"

# The kernel's own needs: /proc, /dev/net/tun, and a tmpfs that holds the guest's memory.
mount -t proc proc "$uml/proc"
mount --rbind /dev "$uml/dev"

exec chroot "$uml" /usr/bin/env -i HOME=/mnt/tmp TMPDIR=/mnt/tmp /usr/bin/linux.uml \
  "mem=${memory}M" root=/dev/root rootfstype=hostfs rootflags=/mnt/guest rw init=/guest-init.sh \
  con=null con0=null,fd:1 con1=fd:3 seccomp=auto "vec0:transport=raw,ifname=$wire,mac=$mac" panic=1 quiet
