/* SPDX-License-Identifier: MIT */
#include "addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addr addr_make(unsigned version, const uint8_t *ip, uint16_t port)
{
	struct addr addr = {.port = port, .version = (uint8_t)version};

	memcpy(addr.ip, ip, addr_len(version));
	return addr;
}

bool addr_same(const struct addr *a, const struct addr *b)
{
	return a->version == b->version && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool addr_is_unicast(const struct addr *addr)
{
	static const uint8_t none[ADDR_LEN], loopback[ADDR_LEN] = {[ADDR_LEN - 1] = 1};

	if (addr->version == 4)
		return addr->ip[0] != 0 && addr->ip[0] != 127 && addr->ip[0] < 224;
	return addr->version == 6 && addr->ip[0] != 0xff && memcmp(addr->ip, none, ADDR_LEN) != 0 &&
	       memcmp(addr->ip, loopback, ADDR_LEN) != 0;
}

bool addr_is_near(const struct addr *addr, const struct addr_own *own)
{
	unsigned bytes = own->bits / 8, bits = own->bits % 8;
	uint8_t differ = addr->ip[bytes % ADDR_LEN] ^ own->addr.ip[bytes % ADDR_LEN];

	return addr->version == own->addr.version && memcmp(addr->ip, own->addr.ip, bytes) == 0 &&
	       (bits == 0 || differ >> (8 - bits) == 0);
}

bool addr_parse(struct addr *addr, const char *text)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, addr->ip) == 1)
		addr->version = 4;
	else if (inet_pton(AF_INET6, text, addr->ip) == 1)
		addr->version = 6;
	return addr->version != 0;
}

bool addr_parse_own(struct addr_own *own, const char *text)
{
	const char *slash = strchr(text, '/');
	char ip[ADDR_TEXT_MAX], *end;
	unsigned long bits;

	if (!slash || (size_t)(slash - text) >= sizeof(ip) || !isdigit((unsigned char)slash[1]))
		return false;
	memcpy(ip, text, (size_t)(slash - text));
	ip[slash - text] = 0;
	bits = strtoul(slash + 1, &end, 10);
	own->bits = (uint8_t)bits;
	return *end == 0 && addr_parse(&own->addr, ip) && addr_is_unicast(&own->addr) &&
	       bits <= addr_len(own->addr.version) * 8;
}
