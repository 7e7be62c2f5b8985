/* SPDX-License-Identifier: MIT */
/*
 * The report for programs: all of it, names as in the text.
 */
#include "account.h"

#include "plane/rxfh_text.h"

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *key_text(const uint8_t *key, size_t len)
{
	char text[3 * LEAT_RSS_KEY_MAX + 1];

	rxfh_write_key(key, len, text, sizeof(text));
	return json_string(text);
}

static json_t *hash_json(uint32_t hash)
{
	return json_sprintf("0x%08x", hash);
}

static const char *by_name(uint8_t by)
{
	static const char *const names[] = {
		[LEAT_RXFH_BY_INDIR] = "table",
		[LEAT_RXFH_BY_CONTEXT] = "context",
		[LEAT_RXFH_BY_RULE] = "rule",
		[LEAT_RXFH_BY_DROP] = "drop",
	};

	return names[by];
}

static const char *hash_type_name(uint8_t type)
{
	return type == LEAT_HASH_L4 ? "l4" : type == LEAT_HASH_L3 ? "l3" : "none";
}

/* A dropped packet has neither queue nor CPU. */
static json_t *choice_json(const struct card *card, const struct card_choice *choice)
{
	const struct leat_rxfh_choice *c = &choice->rxfh;
	const struct leat_rss *table = card_table(card, choice);
	bool dropped = c->by == LEAT_RXFH_BY_DROP;

	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o, s:i, s:o, s:b}", "hash",
			 hash_json(c->hash), "hash_type", hash_type_name(c->hash_type), "queue",
			 dropped ? json_null() : integer(c->queue), "cpu",
			 dropped ? json_null() : integer(choice->cpu), "by", by_name(c->by), "rule",
			 c->rule < 0 ? json_null() : json_integer(c->rule), "context", c->context,
			 "entry", table ? integer(c->hash & (table->indir_size - 1u)) : json_null(),
			 "rps", choice->rps);
}

static json_t *flow_json(const struct card *card, const struct flow *flow)
{
	char text[ACCOUNT_FLOW_MAX];
	json_t *o;

	account_flow_text(text, flow);
	o = json_pack("{s:s, s:s, s:I, s:I}", "flow", text, "hides", hidden_name(flow->kind),
		      "packets", (json_int_t)flow->packets, "bytes", (json_int_t)flow->bytes);
	json_object_update_new(o, choice_json(card, &flow->choice));
	return o;
}

static json_t *fields_json(const struct key_quality *q)
{
	json_t *fields = json_array();

	for (unsigned f = 0; f < KEY_FIELDS; f++) {
		const struct key_field *field = &q->field[f];

		if (field->bits)
			json_array_append_new(fields,
					      json_pack("{s:s, s:i, s:i, s:i}", "name", field->name,
							"bits", field->bits, "index_rank",
							field->rank, "index_dead", field->dead));
	}
	return fields;
}

static json_t *quality_json(const struct leat_rss *rss, const struct key_quality *q)
{
	char warning[ACCOUNT_FAULT_MAX];
	bool collapsed = account_collapse(rss, q, warning);
	char text[ACCOUNT_FAULTS][ACCOUNT_FAULT_MAX];
	unsigned n = account_faults(q, text);
	json_t *faults = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(faults, json_string(text[i]));
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:o, s:o, s:s?}", "bits",
			 q->bits, "rank", q->rank, "index_bits", q->low, "index_rank", q->low_rank,
			 "dead", q->dead, "distinct", q->distinct, "period", q->period, "symmetric",
			 q->symmetric, "cancels", q->cancels, "fields", fields_json(q), "faults",
			 faults, "warning", collapsed ? warning : NULL);
}

/* Of the flow types for which `wanted` is not 0. */
static json_t *key_json(const struct card *card, const uint32_t wanted[LEAT_RSS_FLOWS])
{
	const struct leat_rss *rss = card->rxfh.context[0];
	json_t *types = json_object();
	struct key_quality q;

	for (unsigned t = 0; t < LEAT_RSS_FLOWS; t++) {
		if (!wanted[t] || !rss->fields[t])
			continue;
		key_judge(rss, t, &q);
		json_object_set_new(types, rxfh_flow_name(t), quality_json(rss, &q));
	}
	return json_pack("{s:o, s:b, s:o}", "key", key_text(rss->key, rss->key_len),
			 "verification_key", !card->own_key, "key_quality", types);
}

json_t *account_json_flow(const struct card *card, const struct flow *flow)
{
	uint32_t wanted[LEAT_RSS_FLOWS] = {0};
	json_t *o = flow_json(card, flow);

	wanted[flows_type(flow)] = 1;
	json_object_del(o, "packets");
	json_object_del(o, "bytes");
	json_object_update_new(o, key_json(card, wanted));
	return o;
}

static json_t *load_json(const struct load *load)
{
	return json_pack("{s:I, s:I, s:I}", "packets", (json_int_t)load->packets, "bytes",
			 (json_int_t)load->bytes, "flows", (json_int_t)load->flows);
}

/* Of `n`, each with its number as `name`; `card` for its CPU, or NULL: those without packets are
 * left out. */
static json_t *loads_json(const struct load *load, unsigned n, const char *name,
			  const struct card *card)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_t *o;

		if (!card && !load[i].packets)
			continue;
		o = load_json(&load[i]);
		json_object_set_new(o, name, json_integer(i));
		if (card)
			json_object_set_new(o, "cpu",
					    card->rps[i] ? json_null() : integer(card->cpu[i]));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *luck_json(const struct luck *luck)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:i}", "mean", luck->mean, "low", luck->low,
			 "high", luck->high, "queues_used", luck->used, "above", luck->above,
			 "draws", luck->draws);
}

static json_t *spreads_json(const struct spread spread[MEASURES])
{
	json_t *o = json_object();

	for (unsigned m = 0; m < MEASURES; m++)
		json_object_set_new(o, measure_name[m],
				    json_pack("{s:f, s:o, s:b}", "observed", spread[m].observed,
					      "luck", luck_json(&spread[m].luck), "fault",
					      verdict_is_fault(&spread[m])));
	return o;
}

static json_t *covered_json(const struct verdict *v)
{
	json_t *o = json_object();

	for (unsigned k = HIDDEN_NOTHING + 1; k < HIDDEN_KINDS; k++) {
		const struct covered *c = &v->covered[k];

		if (c->packets)
			json_object_set_new(o, hidden_name(k),
					    json_pack("{s:I, s:I, s:I, s:I, s:f, s:f}", "packets",
						      (json_int_t)c->packets, "bytes",
						      (json_int_t)c->bytes, "flows",
						      (json_int_t)c->flows, "inside",
						      (json_int_t)c->inside, "observed",
						      c->observed, "inner_hashed", c->would));
	}
	return o;
}

static json_t *pair_json(const struct better_pair *pair)
{
	return json_pack("{s:f, s:f}", "present", pair->present, "best", pair->best);
}

static json_t *better_json(const struct better *b)
{
	if (!b->key_len)
		return json_pack("{s:i, s:n}", "tried", b->tried, "key");
	return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "tried", b->tried,
			 "flows", b->flows, "key", key_text(b->key, b->key_len), "chosen_by",
			 pair_json(&b->chosen_by), "held_out", pair_json(&b->held_out), "all",
			 pair_json(&b->all), "luck", luck_json(&b->luck), "is_better", b->is_better,
			 "loses_symmetry", b->loses_symmetry);
}

static json_t *flows_json(const struct account *r)
{
	json_t *flows = json_array();

	for (uint32_t i = 0; i < r->tally->outer.n && i < r->shown; i++)
		json_array_append_new(flows, flow_json(r->card, r->largest[i]));
	return flows;
}

json_t *account_json(const struct account *account)
{
	const struct tally *t = account->tally;
	const struct verdict *v = account->verdict;
	json_t *o = load_json(&t->all);

	json_object_set_new(o, "capture", json_string(account->name));
	json_object_set_new(o, "snapped", integer(account->snapped));
	json_object_set_new(o, "dropped", load_json(&t->drop));
	json_object_set_new(
		o, "queues",
		loads_json(t->queue, account->card->rxfh.n_queues, "queue", account->card));
	json_object_set_new(o, "cpus", loads_json(t->cpu, LEAT_CPUS_MAX, "cpu", NULL));
	json_object_set_new(o, "imbalance", spreads_json(v->now));
	json_object_set_new(o, "inner_hashed", v->hides ? spreads_json(v->inside) : json_null());
	json_object_set_new(o, "units", integer(v->units));
	json_object_set_new(o, "inputs", integer(v->inputs));
	json_object_set_new(o, "unhashed", integer(v->unhashed));
	json_object_set_new(o, "entries", integer(account->card->rxfh.context[0]->indir_size));
	json_object_set_new(o, "table_alone", json_real(v->table));
	json_object_set_new(o, "hidden", covered_json(v));
	json_object_set_new(o, "fragments_split", integer(v->split));
	json_object_set_new(o, "better",
			    account->better ? better_json(account->better) : json_null());
	json_object_set_new(o, "flow_list", flows_json(account));
	json_object_update_new(o, key_json(account->card, v->type_flows));
	return o;
}
