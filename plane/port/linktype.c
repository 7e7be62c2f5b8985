/* SPDX-License-Identifier: MIT */
#include "linktype.h"

#include <stddef.h>
#include <string.h>

enum { ETH_TYPE = 12, MACS = 12 };

static const struct linktype types[] = {
	{"Ethernet", LINKTYPE_ETHERNET, 0, LINKTYPE_BY_VERSION},
	{"raw IP", 101, 0, LINKTYPE_BY_VERSION},
	{"raw IP", 12, 0, LINKTYPE_BY_VERSION}, /* DLT_RAW, as some systems number it */
	{"raw IP", 14, 0, LINKTYPE_BY_VERSION},
	{"raw IPv4", 228, 0, LINKTYPE_BY_VERSION},
	{"raw IPv6", 229, 0, LINKTYPE_BY_VERSION},
	{"BSD loopback", 0, 4, LINKTYPE_BY_VERSION},
	{"OpenBSD loopback", 108, 4, LINKTYPE_BY_VERSION},
	{"Linux cooked", 113, 16, 14},
	{"Linux cooked 2", 276, 20, 0},
};

const struct linktype *linktype_find(uint16_t number)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].number == number)
			return &types[i];
	}
	return NULL;
}

/* The EtherType of what is behind the header, as it lies in memory. */
static bool find_protocol(const struct linktype *t, const uint8_t *frame, uint32_t len,
			  uint8_t type[2])
{
	if (len < t->header)
		return false;
	if (t->protocol != LINKTYPE_BY_VERSION) {
		memcpy(type, frame + t->protocol, 2);
		return true;
	}
	if (len == t->header)
		return false;
	switch (frame[t->header] >> 4) {
	case 4: memcpy(type, "\x08\x00", 2); return true;
	case 6: memcpy(type, "\x86\xdd", 2); return true;
	default: return false;
	}
}

bool linktype_replace(const struct linktype *t, uint8_t *frame, uint32_t len)
{
	uint8_t eth[LINKTYPE_STAND_IN] = {0};

	if (!find_protocol(t, frame, len, eth + ETH_TYPE))
		return false;
	for (unsigned i = 0; i < t->header; i++)
		eth[i % MACS] ^= frame[i];
	memcpy(frame + t->header - LINKTYPE_STAND_IN, eth, sizeof(eth));
	return true;
}
