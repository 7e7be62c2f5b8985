#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether these kernels choose transmit queues as the library does: with traffic classes, which only
# they have mqprio for, and without.

vm-xps && vm-xps_class
