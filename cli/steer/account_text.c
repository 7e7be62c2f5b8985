/* SPDX-License-Identifier: MIT */
/*
 * The report for people. What is of little interest is left out: CPUs where each has one queue,
 * encapsulations that there are none of.
 */
#include "account.h"
#include "bar.h"

#include "plane/rxfh_text.h"

#include <inttypes.h>
#include <string.h>

static void print_key(const struct leat_rss *rss, bool own)
{
	char text[3 * LEAT_RSS_KEY_MAX + 1];

	rxfh_write_key(rss->key, rss->key_len, text, sizeof(text));
	printf("key %s%s\n", text,
	       own ? "" : "\n    (of Microsoft's RSS verification suite; --key gives another)");
}

static void print_collapse(const struct leat_rss *rss, const struct key_quality *q)
{
	char text[ACCOUNT_FAULT_MAX];

	if (account_collapse(rss, q, text))
		printf("    warning: %s\n", text);
}

static uint64_t most_bytes(const struct load *load, unsigned n)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < n; i++)
		most = load[i].bytes > most ? load[i].bytes : most;
	return most;
}

static void print_load(const struct load *load, const struct bar *bar, uint64_t all, uint64_t most)
{
	printf(" %9" PRIu64 " %11" PRIu64 " %14" PRIu64 " %6.1f%%", load->flows, load->packets,
	       load->bytes, all ? 100.0 * (double)load->bytes / (double)all : 0);
	if (bar->cells) {
		putchar(' ');
		bar_print(bar, most ? (double)load->bytes / (double)most : 0);
	}
	putchar('\n');
}

static void print_queues(const struct account *r)
{
	const struct tally *t = r->tally;
	unsigned n = r->card->rxfh.n_queues;
	uint64_t most = most_bytes(t->queue, n);
	struct bar bar = bar_init(59);

	printf("\nqueue   cpu     flows     packets          bytes   share\n");
	for (unsigned q = 0; q < n; q++) {
		if (r->card->rps[q])
			printf("%5u   rps", q);
		else
			printf("%5u %5u", q, r->card->cpu[q]);
		print_load(&t->queue[q], &bar, t->all.bytes, most);
	}
	if (t->drop.packets) {
		printf("    -     -");
		print_load(&t->drop, &(struct bar){0}, t->all.bytes, 0);
		printf("            dropped by rules\n");
	}
}

/* Has some CPU more than one queue, or is there RPS? */
static bool are_shared(const struct card *card)
{
	bool seen[LEAT_CPUS_MAX] = {false};

	for (unsigned q = 0; q < card->rxfh.n_queues; q++) {
		if (card->rps[q] || seen[card->cpu[q]])
			return true;
		seen[card->cpu[q]] = true;
	}
	return false;
}

static void print_cpus(const struct account *r)
{
	const struct load *load = r->tally->cpu;
	uint64_t most = most_bytes(load, LEAT_CPUS_MAX);
	struct bar bar = bar_init(59);

	if (!are_shared(r->card))
		return;
	printf("\n        cpu     flows     packets          bytes   share\n");
	for (unsigned c = 0; c < LEAT_CPUS_MAX; c++) {
		if (load[c].packets) {
			printf("      %5u", c);
			print_load(&load[c], &bar, r->tally->all.bytes, most);
		}
	}
}

static void print_spread(const char *name, const struct spread *s)
{
	const struct luck *l = &s->luck;

	printf("  %-8s observed %.2f, luck alone %.2f (%.2f to %.2f): ", name, s->observed, l->mean,
	       l->low, l->high);
	if (!verdict_is_fault(s))
		printf("not a fault\n");
	else
		printf("beyond luck (%.0f of %u draws)\n", l->above * l->draws, l->draws);
}

static void print_spreads(const struct account *r)
{
	const struct verdict *v = r->verdict;

	printf("\nthe busiest queue over the mean of all %u\n", r->card->rxfh.n_queues);
	for (unsigned m = 0; m < MEASURES; m++)
		print_spread(measure_name[m], &v->now[m]);
	if (v->table > 1.01)
		printf("  the table alone gives %.2f: %u entries for %u queues\n", v->table,
		       r->card->rxfh.context[0]->indir_size, r->card->rxfh.n_queues);
	if (v->units < r->tally->outer.n)
		printf("  luck moves %zu: what is sure to share a queue, as both directions, is "
		       "one\n",
		       v->units);
	if (10 * (v->inputs + v->unhashed) < 9 * v->units)
		printf("  the hash is given %zu different inputs: what tells these flows apart is "
		       "not hashed (--fields)\n",
		       v->inputs);
	if (v->unhashed)
		printf("  %u have no hash, and go by the table's first entry\n", v->unhashed);
}

static void print_quality(const struct leat_rss *rss, const char *names,
			  const struct key_quality *q)
{
	char fault[ACCOUNT_FAULTS][ACCOUNT_FAULT_MAX];
	unsigned faults = account_faults(q, fault);

	printf("  %s: %u bits in, rank %u of 32, of the table's index %u of %u; %ssymmetric\n",
	       names, q->bits, q->rank, q->low_rank, q->low, q->symmetric ? "" : "not ");
	print_collapse(rss, q);
	for (unsigned f = 0; f < KEY_FIELDS; f++) {
		const struct key_field *field = &q->field[f];

		if (field->bits && field->rank < q->low && field->rank < field->bits)
			printf("    the %s alone reaches %u entries\n", field->name,
			       1u << field->rank);
	}
	for (unsigned i = 0; i < faults; i++)
		printf("    %s\n", fault[i]);
	if (q->symmetric && faults)
		printf("    (--xfrm symmetric-xor makes another key symmetric, at a smaller loss)\n");
}

/* Flow types of the same fields are told once. */
static void print_keys(const struct account *r)
{
	const struct leat_rss *rss = r->card->rxfh.context[0];
	const struct verdict *v = r->verdict;

	putchar('\n');
	print_key(rss, r->card->own_key);
	for (unsigned first = 0; first < LEAT_RSS_FLOWS; first += LEAT_RSS_TCP6) {
		for (unsigned t = first; t < first + LEAT_RSS_TCP6; t++) {
			char names[64] = "";

			for (unsigned u = first; u < first + LEAT_RSS_TCP6; u++) {
				if (!v->type_flows[u] || rss->fields[u] != rss->fields[t])
					continue;
				if (u < t)
					break;
				snprintf(names + strlen(names), sizeof(names) - strlen(names),
					 "%s%s", *names ? ", " : "", rxfh_flow_name(u));
			}
			if (v->type_flows[t] && *names)
				print_quality(rss, names, &v->key[t]);
		}
	}
}

/* Of fragments it is known what is in them, but hashed by that they cannot be. */
static void print_inside(enum hidden kind, const struct covered *c)
{
	if (!c->inside)
		printf(" %9s %7.2f %7s\n", "-", c->observed, "-");
	else if (kind == HIDDEN_FRAGMENT)
		printf(" %9u %7.2f %7s\n", c->inside, c->observed, "-");
	else
		printf(" %9u %7.2f %7.2f\n", c->inside, c->observed, c->would);
}

static void print_covered(const struct account *r)
{
	const struct verdict *v = r->verdict;
	bool headed = false;

	for (unsigned k = HIDDEN_NOTHING + 1; k < HIDDEN_KINDS; k++) {
		const struct covered *c = &v->covered[k];

		if (!c->packets)
			continue;
		if (!headed)
			printf("\n%-14s %11s %14s %9s %9s %7s %7s\n", "encapsulated", "packets",
			       "bytes", "flows", "inside", "uneven", "inner");
		headed = true;
		printf("%-14s %11" PRIu64 " %14" PRIu64 " %9u", hidden_words(k), c->packets,
		       c->bytes, c->flows);
		print_inside(k, c);
	}
	if (headed)
		printf("  uneven: busiest over mean of these bytes; inner: with the inner headers "
		       "hashed\n");
	if (v->hides)
		printf("  hashing the inner headers would give %.2f in place of %.2f for all bytes\n",
		       v->inside[MEASURE_BYTES].observed, v->now[MEASURE_BYTES].observed);
	if (v->split)
		printf("  %u flows have fragments on one queue and whole packets on another: only "
		       "addresses keep them in order (--fields udp4:sd)\n",
		       v->split);
}

static void print_largest(const struct account *r)
{
	uint32_t n = r->tally->outer.n < r->shown ? r->tally->outer.n : r->shown;

	if (n)
		printf("\n%14s  %-10s %5s %5s  %s\n", "bytes", "hash", "queue", "cpu", "flow");
	for (uint32_t i = 0; i < n; i++) {
		const struct flow *f = r->largest[i];
		char text[ACCOUNT_FLOW_MAX], words[CARD_WORDS_MAX];

		account_flow_text(text, f);
		card_words(&f->choice, words);
		if (f->choice.rxfh.by == LEAT_RXFH_BY_DROP)
			printf("%14" PRIu64 "  0x%08x %5s %5s", f->bytes, f->choice.rxfh.hash, "-",
			       "-");
		else
			printf("%14" PRIu64 "  0x%08x %5u %5u", f->bytes, f->choice.rxfh.hash,
			       f->choice.rxfh.queue, f->choice.cpu);
		printf("  %s  (%s%s)\n", text, words, f->choice.rps ? ", rps" : "");
	}
}

static void print_better(const struct better *b)
{
	char key[3 * LEAT_RSS_KEY_MAX + 1];

	printf("\na better key? %u tried, in bytes, busiest over mean\n", b->tried);
	if (!b->key_len) {
		printf("  none: there is nothing to try them on, or none lacks nothing\n");
		return;
	}
	rxfh_write_key(b->key, b->key_len, key, sizeof(key));
	printf("  the half it was chosen by: %.2f (the present key %.2f)\n", b->chosen_by.best,
	       b->chosen_by.present);
	printf("  the other half:            %.2f (the present key %.2f, luck %.2f, %.2f to %.2f)\n",
	       b->held_out.best, b->held_out.present, b->luck.mean, b->luck.low, b->luck.high);
	printf("  all of these flows:        %.2f (the present key %.2f)\n", b->all.best,
	       b->all.present);
	if (b->loses_symmetry)
		printf("  it is not symmetric, as the present key is (--xfrm symmetric-xor makes any "
		       "so)\n");
	if (b->is_better)
		printf("  yes: %s\n", key);
	else
		printf("  no: on flows that it was not chosen by it has no more than luck. For these "
		       "alone:\n  %s\n",
		       key);
}

void account_print(const struct account *account)
{
	const struct load *all = &account->tally->all;

	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " flows\n", account->name,
	       all->packets, all->bytes, all->flows);
	if (account->snapped)
		printf("  %" PRIu64
		       " are cut short in the capture, and count as long as they were\n",
		       account->snapped);
	print_queues(account);
	print_cpus(account);
	print_spreads(account);
	print_keys(account);
	print_covered(account);
	print_largest(account);
	if (account->better)
		print_better(account->better);
}

void account_print_flow(const struct card *card, const struct flow *flow)
{
	const struct leat_rxfh_choice *c = &flow->choice.rxfh;
	const struct leat_rss *table = card_table(card, &flow->choice);
	const struct leat_rss *rss = card->rxfh.context[c->context];
	struct key_quality quality;
	char text[ACCOUNT_FLOW_MAX], words[CARD_WORDS_MAX];

	account_flow_text(text, flow);
	card_words(&flow->choice, words);
	printf("%s\n", text);
	if (c->hash_type == LEAT_HASH_NONE)
		printf("hash   none\n");
	else
		printf("hash   0x%08x of %u bytes: addresses%s\n", c->hash, flow->input_len,
		       c->hash_type == LEAT_HASH_L4 ? " and ports" : "");
	if (c->by == LEAT_RXFH_BY_DROP)
		printf("queue  none\n");
	else if (table)
		printf("queue  %u, by entry %u of %u\n", c->queue,
		       c->hash & (table->indir_size - 1u), table->indir_size);
	else
		printf("queue  %u\n", c->queue);
	if (c->by != LEAT_RXFH_BY_DROP)
		printf("cpu    %u%s\n", flow->choice.cpu, flow->choice.rps ? ", by RPS" : "");
	printf("by     %s\n", words);
	print_key(rss, c->context || card->own_key);
	if (c->hash_type != LEAT_HASH_NONE) {
		key_judge(rss, flows_type(flow), &quality);
		print_collapse(rss, &quality);
	}
}
