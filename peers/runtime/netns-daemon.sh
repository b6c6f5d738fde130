# First process of a daemon's own mount and process namespace: what is mounted and started here ends with it.
# Arguments: ROOT LANE PROGRAM [ARGUMENT]...
set -eu
root=$1 lane=$2
shift 2

# The root file system is shared by lanes and stays as it was installed: read-only, with what changes in memory.
mount --bind "$root" "$lane/root"
mount -o remount,bind,ro "$lane/root"
mount -t proc proc "$lane/root/proc"
mount --rbind /dev "$lane/root/dev"
mount -t tmpfs -o mode=0755 bakeoff "$lane/root/run"
mount -t tmpfs -o mode=1777 bakeoff "$lane/root/tmp"
mount --bind "$lane" "$lane/root/lane"

set +e
chroot "$lane/root" "$@"
exit $?
