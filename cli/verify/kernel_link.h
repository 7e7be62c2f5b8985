/* SPDX-License-Identifier: MIT */
/*
 * kernel_link.h - interfaces in the namespace we are in: made, joined, and set to what the
 * referee needs. All give 0 or -errno.
 */
#ifndef CLI_VERIFY_KERNEL_LINK_H
#define CLI_VERIFY_KERNEL_LINK_H

#include <stdint.h>

/* A bridge that neither learns nor asks anything, up. */
int kernel_link_bridge(const char *name);

/* Make `name` a port of the bridge that floods everything. */
int kernel_link_join(const char *name, const char *bridge);

/* The socket of a UDP tunnel: an interface that takes what comes to the port. */
int kernel_link_vxlan(const char *name, uint16_t port, int remcsum);
int kernel_link_geneve(const char *name, uint16_t port);
int kernel_link_gue(uint16_t port);
int kernel_link_fou(uint16_t port, uint8_t protocol, uint8_t family);

/* Set the MTU and queue length (0: leave), and bring it up. */
int kernel_link_up(const char *name, uint32_t mtu, uint32_t txqueuelen);

/* Turn a feature on or off, under its name of ethtool -k. */
int kernel_link_feature(const char *name, const char *feature, int on);

#endif
