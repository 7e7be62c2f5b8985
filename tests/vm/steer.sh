#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether these kernels take the steering program, and come to the library's queues by it.

LEAT_STEER_FRAMES=4000 vm-tap_steer && vm-tap_steer_live
