#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's SCTP sockets as referee.
vm-sctp 4 && vm-sctp 6
