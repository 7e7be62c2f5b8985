/* SPDX-License-Identifier: MIT */
#include "flow_text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ETHERNET = 14,
	IP4 = 20,
	IP6 = 40,
	REST = FLOW_FRAME - ETHERNET - IP6, /* bytes behind the IP header */
	EXPERIMENT = 253,		    /* a protocol number for nobody, RFC 3692 */
	TCP_OFFSET = 12,
	UDP_LENGTH = 4,
	UDP_HEADER = 8,
};

static const struct protocol {
	const char *name;
	uint8_t number;
	bool ports;
} protocols[] = {
	{"tcp", IPPROTO_TCP, true},	  {"udp", IPPROTO_UDP, true},
	{"sctp", IPPROTO_SCTP, true},	  {"icmp", IPPROTO_ICMP, false},
	{"icmp6", IPPROTO_ICMPV6, false}, {"gre", IPPROTO_GRE, false},
	{"esp", IPPROTO_ESP, false},	  {"ah", IPPROTO_AH, false},
	{"ipip", IPPROTO_IPIP, false},	  {"ipv6", IPPROTO_IPV6, false},
	{"ip", EXPERIMENT, false},
};

enum { PROTOCOLS = sizeof(protocols) / sizeof(protocols[0]) };

static const struct protocol *find_name(const char *name, size_t len)
{
	for (unsigned i = 0; i < PROTOCOLS; i++) {
		if (strlen(protocols[i].name) == len && memcmp(protocols[i].name, name, len) == 0)
			return &protocols[i];
	}
	return NULL;
}

static const struct protocol *find_number(uint8_t number)
{
	unsigned i = 0;

	while (i < PROTOCOLS && protocols[i].number != number)
		i++;
	return i < PROTOCOLS ? &protocols[i] : NULL;
}

static void format_end(char *to, size_t size, const struct leat_flow *flow, const uint8_t *address,
		       uint16_t port)
{
	bool six = flow->version == 6;
	char text[INET6_ADDRSTRLEN], number[8] = "";

	inet_ntop(six ? AF_INET6 : AF_INET, address, text, sizeof(text));
	if (flow->sport || flow->dport)
		snprintf(number, sizeof(number), ":%u", port);
	snprintf(to, size, "%s%s%s%s", six ? "[" : "", text, six ? "]" : "", number);
}

void flow_format(char text[FLOW_TEXT_MAX], const struct leat_flow *flow)
{
	const struct protocol *protocol = find_number(flow->protocol);
	char src[56], dst[56], number[16];

	snprintf(number, sizeof(number), "protocol-%u", flow->protocol);
	format_end(src, sizeof(src), flow, flow->src, flow->sport);
	format_end(dst, sizeof(dst), flow, flow->dst, flow->dport);
	snprintf(text, FLOW_TEXT_MAX, "%s %s > %s", protocol ? protocol->name : number, src, dst);
}

bool flow_is_text(const char *text)
{
	size_t len = strcspn(text, " ");

	return text[len] && find_name(text, len);
}

__attribute__((format(printf, 3, 4))) static int complain(char *err, size_t err_len,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_len, format, args);
	va_end(args);
	return -1;
}

/* One end of a flow. */
struct end {
	uint8_t address[16];
	uint8_t version;
	uint16_t port;
};

/* ":80" behind an address, or nothing where there are no ports. */
static bool parse_port(const char *text, bool wanted, uint16_t *port)
{
	unsigned long n;
	char *rest;

	if (!wanted)
		return !*text;
	if (text[0] != ':' || text[1] < '0' || text[1] > '9')
		return false;
	n = strtoul(text + 1, &rest, 10);
	*port = (uint16_t)n;
	return !*rest && n <= UINT16_MAX;
}

static bool parse_end(char *text, bool ports, struct end *end)
{
	bool six = *text == '[';
	char *close = six ? strchr(text, ']') : strchr(text, ':');
	const char *behind = close && six ? close + 1 : close;
	char port[8] = "";

	if (six && !close)
		return false;
	if (behind && snprintf(port, sizeof(port), "%s", behind) >= (int)sizeof(port))
		return false;
	if (close)
		*close = 0;
	end->version = six ? 6 : 4;
	return inet_pton(six ? AF_INET6 : AF_INET, text + six, end->address) == 1 &&
	       parse_port(port, ports, &end->port);
}

static int parse_ends(char *src, char *dst, bool ports, struct end end[2], char *err,
		      size_t err_len)
{
	char *text[2] = {src, dst};

	for (unsigned i = 0; i < 2; i++) {
		char said[64];

		snprintf(said, sizeof(said), "%s", text[i]);
		if (!parse_end(text[i], ports, &end[i]))
			return complain(err, err_len, "'%s' is not %s or %s", said,
					ports ? "192.0.2.1:80" : "192.0.2.1",
					ports ? "[2001:db8::1]:80" : "[2001:db8::1]");
	}
	if (end[0].version != end[1].version)
		return complain(err, err_len, "one end is IPv4, the other IPv6");
	return 0;
}

static void put16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static uint8_t *put_ip(uint8_t *ip, const struct protocol *protocol, const struct end end[2])
{
	if (end[0].version == 4) {
		ip[0] = 0x45;
		put16(ip + 2, IP4 + REST);
		ip[8] = 64;
		ip[9] = protocol->number;
		memcpy(ip + 12, end[0].address, 4);
		memcpy(ip + 16, end[1].address, 4);
		return ip + IP4;
	}
	ip[0] = 0x60;
	put16(ip + 4, REST);
	ip[6] = protocol->number;
	ip[7] = 64;
	memcpy(ip + 8, end[0].address, 16);
	memcpy(ip + 24, end[1].address, 16);
	return ip + IP6;
}

static void put_frame(uint8_t frame[FLOW_FRAME], const struct protocol *protocol,
		      const struct end end[2])
{
	uint8_t *l4;

	memset(frame, 0, FLOW_FRAME);
	put16(frame + 12, end[0].version == 4 ? 0x0800 : 0x86dd);
	l4 = put_ip(frame + ETHERNET, protocol, end);
	if (!protocol->ports)
		return;
	put16(l4, end[0].port);
	put16(l4 + 2, end[1].port);
	if (protocol->number == IPPROTO_TCP)
		l4[TCP_OFFSET] = 5 << 4;
	if (protocol->number == IPPROTO_UDP)
		put16(l4 + UDP_LENGTH, UDP_HEADER);
}

int flow_parse(const char *text, uint8_t frame[FLOW_FRAME], char *err, size_t err_len)
{
	char copy[256], *word[5] = {0}, *at = copy, *rest;
	const struct protocol *protocol;
	struct end end[2] = {0};
	unsigned n = 0;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return complain(err, err_len, "'%.40s...' is too long", text);
	while (n < 5 && (word[n] = strtok_r(at, " ", &rest)))
		at = NULL, n++;
	protocol = n > 0 ? find_name(word[0], strlen(word[0])) : NULL;
	if (!protocol)
		return complain(err, err_len, "'%s' begins with no protocol: tcp, udp, sctp, ip",
				text);
	if (n != 4 || strcmp(word[2], ">") != 0)
		return complain(err, err_len,
				"'%s' is not as \"tcp 192.0.2.1:1000 > 198.51.100.2:80\": quoted, "
				"or the shell takes the >",
				text);
	if (parse_ends(word[1], word[3], protocol->ports, end, err, err_len))
		return -1;
	put_frame(frame, protocol, end);
	return 0;
}
