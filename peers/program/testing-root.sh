# Arguments: ROOT STRONGSWAN_CONF PROGRAM...: runs the program with CHROOT set, the root's folders for what runs its own.
set -eu
root=$1 conf=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=0755 driver "$root/run"
mount -t tmpfs -o mode=1777 driver "$root/tmp"
cp "$conf" "$root/run/strongswan.conf"
CHROOT=$root STRONGSWAN_CONF=/run/strongswan.conf exec "$@"
