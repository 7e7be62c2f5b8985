/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPLEN = 262144 }; /* libpcap's largest */

struct filter {
	unsigned users;
	struct bpf_program program;
	char text[]; /* its expression */
};

/* Compile f->text; false with a message. */
static bool compile(struct filter *f, char *err, size_t err_len)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	bool done;

	if (!dead) {
		snprintf(err, err_len, "no memory");
		return false;
	}
	done = pcap_compile(dead, &f->program, f->text, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!done)
		snprintf(err, err_len, "'%s': %s", f->text, pcap_geterr(dead));
	pcap_close(dead);
	return done;
}

struct filter *filter_new(const char *expression, size_t len, char *err, size_t err_len)
{
	struct filter *f = calloc(1, sizeof(*f) + len + 1);

	if (!f) {
		snprintf(err, err_len, "no memory");
		return NULL;
	}
	f->users = 1;
	memcpy(f->text, expression, len);
	if (compile(f, err, err_len))
		return f;
	free(f);
	return NULL;
}

void filter_share(struct filter *f)
{
	f->users++;
}

void filter_drop(struct filter *f)
{
	if (--f->users)
		return;
	pcap_freecode(&f->program);
	free(f);
}

const char *filter_text(const struct filter *f)
{
	return f->text;
}

bool filter_match(const void *arg, const struct leat_pkt *pkt)
{
	const struct filter *f = arg;

	return bpf_filter(f->program.bf_insns, pkt->data, pkt->len, pkt->headlen) != 0;
}
