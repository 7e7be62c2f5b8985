/* SPDX-License-Identifier: MIT */
/*
 * gro_reason.c - what the reasons are called.
 */
#include <leat/gro.h>

const char *leat_gro_reason_name(enum leat_gro_reason reason)
{
	static const char *const names[LEAT_GRO_REASONS] = {
		[LEAT_GRO_MERGED] = "merged",
		[LEAT_GRO_HELD] = "held",
		[LEAT_GRO_NOT_PARSED] = "no transport header",
		[LEAT_GRO_IP_OPTIONS] = "ip options",
		[LEAT_GRO_IP_FRAGMENT] = "ip fragment",
		[LEAT_GRO_IP_CSUM] = "ip checksum wrong",
		[LEAT_GRO_LENGTH] = "frame and ip length differ",
		[LEAT_GRO_IS_GSO] = "already a super-packet",
		[LEAT_GRO_NO_PAYLOAD] = "no payload",
		[LEAT_GRO_TCP_FLAGS] = "tcp flags",
		[LEAT_GRO_L4_CSUM] = "transport checksum wrong",
		[LEAT_GRO_UDP_ZERO_CSUM] = "udp checksum zero",
		[LEAT_GRO_UDP_OFF] = "udp gro off",
		[LEAT_GRO_SCTP_OFF] = "sctp gro off",
		[LEAT_GRO_SCTP_CHUNK] = "sctp chunk not data",
		[LEAT_GRO_TUNNEL_DEPTH] = "second encapsulation",
		[LEAT_GRO_TUNNEL_INSIDE] = "inside of tunnel not known",
		[LEAT_GRO_TUNNEL_CSUM] = "tunnel checksum wrong",
		[LEAT_GRO_LIST_PARTIAL] = "partial checksum in fraglist",
		[LEAT_GRO_PSH_FIRST] = "psh or fin first",
		[LEAT_GRO_LINK] = "link header differs",
		[LEAT_GRO_TOS] = "tos differs",
		[LEAT_GRO_TTL] = "ttl differs",
		[LEAT_GRO_DF] = "df differs",
		[LEAT_GRO_IP_ID] = "ip id",
		[LEAT_GRO_FLOW_LABEL] = "flow label differs",
		[LEAT_GRO_EXTENSIONS] = "extension headers differ",
		[LEAT_GRO_TCP_WORD] = "tcp window or flags differ",
		[LEAT_GRO_TCP_ACK] = "tcp ack differs",
		[LEAT_GRO_TCP_OPTIONS] = "tcp options differ",
		[LEAT_GRO_TCP_SEQ] = "tcp sequence",
		[LEAT_GRO_SCTP_VTAG] = "sctp verification tag differs",
		[LEAT_GRO_TUNNEL] = "tunnel header differs",
		[LEAT_GRO_SIZE] = "larger than gso_size",
		[LEAT_GRO_MAX_SIZE] = "super-packet full",
		[LEAT_GRO_END_SMALL] = "ended by a smaller one",
		[LEAT_GRO_END_FLAGS] = "ended by psh or fin",
		[LEAT_GRO_END_PASS] = "ended by one not merged",
		[LEAT_GRO_EVICTED] = "evicted",
		[LEAT_GRO_TIMEOUT] = "timeout",
	};

	if ((unsigned)reason >= LEAT_GRO_REASONS)
		return "unknown";
	return names[reason];
}
