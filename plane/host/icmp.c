/* SPDX-License-Identifier: MIT */
#include "icmp.h"

#include "header.h"
#include "wire.h"

#include <string.h>

enum { QUOTE4 = 576, QUOTE6 = 1280 }; /* bytes of an IP packet that quotes another */

enum host_reason icmp_judge(const struct leat_pkt *pkt, uint32_t len)
{
	const struct leat_level *l = &pkt->lvl[0];
	const uint8_t *icmp = pkt->data + l->transport;

	if (icmp[ICMP_TYPE] != (l->version == 4 ? ICMP_ECHO : ICMP6_ECHO))
		return HOST_PROTOCOL;
	return len < ICMP_LEN || icmp[ICMP_CODE] != 0 ? HOST_MALFORMED : HOST_ECHO_REPLY;
}

bool icmp_is_limited(struct host_cpu *cpu, uint64_t now)
{
	const uint64_t step = 1000000000 / UNREACHABLE_RATE;

	if (cpu->unreachable > now + UNREACHABLE_BURST * step)
		return true;
	cpu->unreachable = (cpu->unreachable > now ? cpu->unreachable : now) + step;
	return false;
}

/* The ends of the answer to the packet of an IP header at `ip`. */
static struct header_ends turn_around(const struct host *h, const struct leat_pkt *pkt,
				      const uint8_t *ip, struct addr *src, struct addr *dst)
{
	unsigned version = ip[0] >> 4;

	*src = addr_make(version, ip + (version == 4 ? IP4_DST : IP6_DST), 0);
	*dst = addr_make(version, ip + (version == 4 ? IP4_SRC : IP6_SRC), 0);
	return (struct header_ends){h->mac[pkt->port], addr_path(pkt->port, pkt->data + ETH_SRC),
				    src, dst};
}

void icmp_echo_reply(const struct host *h, struct leat_pkt *pkt)
{
	struct addr src, dst;
	struct header_ends ends = turn_around(h, pkt, pkt->data + ETH_LEN, &src, &dst);
	const uint8_t *ip = pkt->data + ETH_LEN;
	uint32_t len = src.version == 4 ? load16(ip + IP4_TOT_LEN) - IP4_LEN + 0u :
					  load16(ip + IP6_PAYLOAD_LEN);
	unsigned at = header_write(pkt->data, &ends, src.version == 4 ? PROTO_ICMP : PROTO_ICMP6,
				   TTL, len);

	pkt->data[at + ICMP_TYPE] = src.version == 4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY;
	header_write_icmp_sum(pkt->data, src.version, at, len);
	leat_pkt_init(pkt, pkt->data, at + len);
}

void icmp_port_unreachable(const struct host *h, struct leat_pkt *pkt)
{
	struct addr src, dst;
	struct header_ends ends = turn_around(h, pkt, pkt->data + ETH_LEN, &src, &dst);
	bool v4 = src.version == 4;
	uint32_t hdr = (v4 ? IP4_LEN : IP6_LEN) + ICMP_LEN;
	uint32_t quote = pkt->headlen - ETH_LEN, room = (v4 ? QUOTE4 : QUOTE6) - hdr;
	uint8_t *frame = pkt->data - hdr, *icmp;
	unsigned at;

	if (quote > room)
		quote = room;
	at = header_write(frame, &ends, v4 ? PROTO_ICMP : PROTO_ICMP6, TTL, ICMP_LEN + quote);
	icmp = frame + at;
	memset(icmp, 0, ICMP_LEN);
	icmp[ICMP_TYPE] = v4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE;
	icmp[ICMP_CODE] = v4 ? ICMP_PORT_UNREACHABLE : ICMP6_PORT_UNREACHABLE;
	header_write_icmp_sum(frame, src.version, at, ICMP_LEN + quote);
	leat_pkt_init(pkt, frame, at + ICMP_LEN + quote);
}
