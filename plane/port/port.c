/* SPDX-License-Identifier: MIT */
#include "port.h"

#include "../stats.h"

#include <errno.h>
#include <leat/gso.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct port_ops *const port_kinds[] = {&port_tap, &port_pcap, &port_gen, NULL};

int port_fail(char *err, size_t err_len, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_len, format, args);
	va_end(args);
	return -error;
}

const char *port_option(const struct port_args *args, const char *name, const char *otherwise)
{
	for (unsigned i = args->options; i-- > 0;) {
		if (strcmp(args->option[i].name, name) == 0)
			return args->option[i].value;
	}
	return otherwise;
}

int port_number(const struct port_args *args, const char *name, unsigned long otherwise,
		unsigned long min, unsigned long max, unsigned long *value, char *err,
		size_t err_len)
{
	const char *text = port_option(args, name, NULL);
	char *end;

	*value = otherwise;
	if (!text)
		return 0;
	errno = 0;
	*value = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *value >= min &&
	    *value <= max)
		return 0;
	return port_fail(err, err_len, EINVAL, "%s: %s=%s: not a number from %lu to %lu",
			 args->name, name, text, min, max);
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

int port_known(const struct port_args *args, const char *const *names, char *err, size_t err_len)
{
	for (unsigned i = 0; i < args->options; i++) {
		if (!is_one_of(args->option[i].name, names))
			return port_fail(err, err_len, EINVAL,
					 "%s: port kind %s has no option '%s'", args->name,
					 args->kind, args->option[i].name);
	}
	return 0;
}

void port_lost(struct port *port)
{
	if (!__atomic_exchange_n(&port->gone, true, __ATOMIC_RELAXED))
		fprintf(stderr, "leat: %s: its device is gone\n", port->name);
}

static void count(struct queue_stats *stats, uint64_t packets, uint64_t bytes, uint64_t segments,
		  uint64_t largest)
{
	if (largest > stats->largest)
		__atomic_store_n(&stats->largest, largest, __ATOMIC_RELAXED);
	stat_add(&stats->packets, packets);
	stat_add(&stats->bytes, bytes);
	stat_add(&stats->segments, segments);
}

void port_count_rx(struct port *port, unsigned q, struct leat_pkt *const *pkts, unsigned n)
{
	uint64_t bytes = 0, segments = 0, largest = 0;

	for (unsigned i = 0; i < n; i++) {
		bytes += pkts[i]->len;
		largest = pkts[i]->len > largest ? pkts[i]->len : largest;
		segments += pkts[i]->gso_size ? leat_gso_segs(pkts[i]) : 1;
	}
	count(&port->rx_stats[q], n, bytes, segments, largest);
}

void port_count_tx(struct port *port, unsigned q, const struct port_frame *frame)
{
	const struct leat_vnet_meta *meta = &frame->meta;
	uint32_t segments = 1;

	if (meta->gso_size && frame->len > meta->hdr_len)
		segments = (frame->len - meta->hdr_len + meta->gso_size - 1) / meta->gso_size;
	count(&port->txq[q].stats, 1, frame->len, segments, frame->len);
}
