#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel as referee of fraglists.
exec vm-fraglist
