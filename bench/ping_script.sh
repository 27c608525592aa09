#!/bin/bash
# What people use: every five seconds one ping of one address by the preferred line; when it fails, the other line's
# default route; when it answers again, the first one's. Connections are forgotten so that masquerade picks its new
# address. As found in many a blog; both families moved by the fate of one.
#
#   ping_script.sh TARGET  DEV1 GW1 GW1_V6  DEV2 GW2 GW2_V6
set -u
target=$1 dev1=$2 gw1=$3 gw1_v6=$4 dev2=$5 gw2=$6 gw2_v6=$7

sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
nft -f - <<RULES
table inet people {
  chain out {
    type nat hook postrouting priority srcnat;
    oifname { $dev1, $dev2 } masquerade
  }
}
RULES

use() {
  ip route replace default via "$2" dev "$1" metric 50
  ip -6 route replace default via "$3" dev "$1" metric 50
  conntrack -F 2>/dev/null
  echo "$1 $(cut -d' ' -f1 /proc/uptime)"
}

use "$dev1" "$gw1" "$gw1_v6"
now=$dev1
while sleep 5; do
  if ping -c 1 -W 2 -I "$dev1" "$target" >/dev/null 2>&1; then want=$dev1; else want=$dev2; fi
  if [ "$want" != "$now" ]; then
    if [ "$want" = "$dev1" ]; then use "$dev1" "$gw1" "$gw1_v6"; else use "$dev2" "$gw2" "$gw2_v6"; fi
    now=$want
  fi
done
