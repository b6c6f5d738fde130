#!/bin/sh
# First process of a user-mode Linux guest: kernel file systems, modules for ESP and AH, then the control agent.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs tmpfs /tmp
modprobe -a -q xfrm_user af_key esp4 esp6 ah4 ah6 authenc authencesn gcm ccm ctr cbc chacha20poly1305 seqiv \
  echainiv hmac cmac xcbc sha256 sha512 des3_ede tun
ip link set lo up
# A guest in a container is told where it is by its kernel's command line.
if [ -n "${bakeoff_addresses:-}" ]; then
  for one in $(echo "$bakeoff_addresses" | tr , ' '); do
    case $one in *:*) ip address add "$one" dev vec0 nodad ;; *) ip address add "$one" dev vec0 ;; esac
  done
  ip link set vec0 up
fi
stty -F /dev/tty1 raw -echo
exec perl /guest-agent.pl /dev/tty1
