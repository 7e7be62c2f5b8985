#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's own tunnel devices as referee: GRE, IPIP, SIT, 4in6, 6in6, FOU, GUE, VXLAN, Geneve.
exec vm-referee
