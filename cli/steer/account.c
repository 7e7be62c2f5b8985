/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "../flow_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BITS = 32 };

_Static_assert((int)ACCOUNT_FLOW_MAX >= (int)FLOW_TEXT_MAX, "room for a flow");

/* How many bytes the character at `p` has; 0: it is none, or none of XML's. */
static unsigned count_bytes(const uint8_t *p)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = p[0] & 0x7fu >> n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc0 || p[0] > 0xf4)
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c | 1) == 0xffff)
		return 0;
	return n;
}

char *account_name(const char *file)
{
	static const char unknown[] = "\ufffd";
	char *name = malloc(strlen(file) * strlen(unknown) + 1), *to = name;

	while (name && *file) {
		unsigned n = count_bytes((const uint8_t *)file);

		memcpy(to, n ? file : unknown, n ? n : strlen(unknown));
		to += n ? n : strlen(unknown);
		file += n ? n : 1;
	}
	if (name)
		*to = 0;
	return name;
}

static int compare(const void *a, const void *b)
{
	const struct flow *x = *(const struct flow *const *)a, *y = *(const struct flow *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(&x->id, &y->id, sizeof(x->id));
}

int account_sort(struct account *account)
{
	const struct flows *flows = &account->tally->outer;

	account->largest = malloc((flows->n + 1) * sizeof(struct flow *));
	if (!account->largest)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows->n; i++)
		account->largest[i] = &flows->flow[i];
	qsort(account->largest, flows->n, sizeof(struct flow *), compare);
	return 0;
}

void account_flow_text(char text[ACCOUNT_FLOW_MAX], const struct flow *flow)
{
	if (flow->id.version)
		flow_format(text, &flow->id);
	else
		snprintf(text, ACCOUNT_FLOW_MAX, "%s", hidden_words(flow->kind));
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned account_faults(const struct key_quality *q, char text[][ACCOUNT_FAULT_MAX])
{
	unsigned n = 0;

	if (q->period)
		snprintf(
			text[n++], ACCOUNT_FAULT_MAX,
			"the key repeats after %u bits, and so does the hash: it is one of %u bits",
			q->period, q->rank);
	else if (q->rank < least(q->bits, HASH_BITS))
		snprintf(text[n++], ACCOUNT_FAULT_MAX, "the hash has %u independent bits of %u",
			 q->rank, least(q->bits, HASH_BITS));
	if (q->low_rank < least(q->bits, q->low))
		snprintf(text[n++], ACCOUNT_FAULT_MAX, "%u of the table's %u entries are reached",
			 1u << q->low_rank, 1u << q->low);
	if (q->dead)
		snprintf(text[n++], ACCOUNT_FAULT_MAX, "%u of %u input bits change nothing",
			 q->dead, q->bits);
	if (q->cancels)
		snprintf(text[n++], ACCOUNT_FAULT_MAX,
			 "port bits do what address bits do: a port that follows the address "
			 "cancels it");
	if (q->distinct < q->bits)
		snprintf(text[n++], ACCOUNT_FAULT_MAX,
			 "%u input bits, and only %u differ in what they do", q->bits, q->distinct);
	return n;
}

bool account_collapse(const struct leat_rss *rss, const struct key_quality *q,
		      char text[ACCOUNT_FAULT_MAX])
{
	const char *xfrm = rss->xfrm == LEAT_RSS_SYM_XOR ? "symmetric-xor" : "symmetric-or-xor";

	if (rss->xfrm == LEAT_RSS_XFRM_NONE || q->rank >= least(q->bits, q->low))
		return false;
	if (q->rank)
		snprintf(text, ACCOUNT_FAULT_MAX,
			 "%s and this key cancel each other out: there are only %u hashes", xfrm,
			 1u << q->rank);
	else
		snprintf(text, ACCOUNT_FAULT_MAX,
			 "%s and this key cancel each other out: every hash is 0", xfrm);
	return true;
}
