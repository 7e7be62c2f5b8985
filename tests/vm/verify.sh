#!/bin/sh
# SPDX-License-Identifier: MIT
# What leat verify asks of GSO, of these kernels too. Not its trains for GRO: these kernels judge IPv4
# IDs and CWR by older rules, and `tunnels` has trains that all kernels merge alike.

if ! leat verify --help >/dev/null 2>&1; then
	echo "leat has no verify"
	exit 77
fi
types=gso-tcp4,gso-tcp6,gso-ecn,gso-ufo4
case $(uname -r) in
6.1.*) echo "no gso-uso4, gso-uso6: TAPs take them from Linux 6.2 on" ;;
*) types=$types,gso-uso4,gso-uso6 ;;
esac
leat verify --cases 200 --seed "$LEAT_SEED" --type $types
