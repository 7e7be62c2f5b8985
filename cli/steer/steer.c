/* SPDX-License-Identifier: MIT */
/*
 * leat steer - which queue and CPU a flow goes to, and how evenly a capture's flows are spread.
 */
#include "../flow_text.h"
#include "../main.h"
#include "account.h"
#include "ask.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void print_more(void)
{
	printf("\nFLOW is as \"tcp 192.0.2.1:1000 > 198.51.100.2:80\", with udp, sctp, or ip and no "
	       "ports; IPv6\naddresses in brackets. CAPTURE is pcap or pcapng, or - for a pipe.\n");
}

static const struct args_command command = {
	"steer", "FLOW | CAPTURE",
	"Say which receive queue and CPU a flow goes to, and why; or how evenly the flows of a\n"
	"capture are spread, and whether luck explains it.",
	ask_options, print_more};

static int fail(const char *what, int err)
{
	fprintf(stderr, "leat steer: %s: %s\n", what, strerror(-err));
	return EXIT_WORK;
}

static int print_json(json_t *o)
{
	if (!o)
		return fail("memory", -ENOMEM);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
	return EXIT_OK;
}

/* --- a flow --- */

static int steer_flow(const struct ask *ask, const struct card *card, const char *text)
{
	uint8_t frame[FLOW_FRAME];
	struct flow flow = {0};
	enum leat_hash_type type;
	char err[256];
	struct leat_pkt pkt, *one = &pkt;
	uint32_t inner;

	if (flow_parse(text, frame, err, sizeof(err)))
		return args_wrong(&command, "%s", err);
	leat_pkt_init(&pkt, frame, FLOW_FRAME);
	leat_parse(&hidden_parse, &one, 1);
	flow.kind = (uint8_t)hidden_find(&pkt, &inner);
	leat_flow_get(&pkt, &flow.id);
	card_choose(card, &pkt, &flow.choice);
	flow.input_len = (uint8_t)leat_rss_input(card->rxfh.context[flow.choice.rxfh.context], &pkt,
						 flow.input, &type);
	if (ask->json)
		return print_json(account_json_flow(card, &flow));
	account_print_flow(card, &flow);
	return EXIT_OK;
}

/* --- a capture --- */

static int count_all(struct job *job, struct tally *tally)
{
	struct job_frame frame;
	int got;

	while ((got = job_read(job, &frame)) == 1) {
		int err = tally_count(tally, &frame);

		if (err == -E2BIG)
			return job_fail(job, job->in, "more than %u flows", FLOWS_MAX);
		if (err)
			return job_fail(job, "memory", "%s", strerror(-err));
	}
	return got < 0 ? EXIT_WORK : EXIT_OK;
}

static int draw(const struct account *account, const char *path)
{
	FILE *file = fopen(path, "we");
	int err;

	if (!file)
		return fail(path, -errno);
	err = account_draw(account, file);
	if (!err && ferror(file))
		err = -EIO;
	if (fclose(file) && !err)
		err = -errno;
	return err ? fail(path, err) : EXIT_OK;
}

/* A picture on standard output is all that goes there. */
static int tell(const struct ask *ask, const struct account *account)
{
	int code = EXIT_OK, err;

	if (ask->svg && strcmp(ask->svg, "-") == 0) {
		err = account_draw(account, stdout);
		return err ? fail("memory", err) : EXIT_OK;
	}
	if (ask->json)
		code = print_json(account_json(account));
	else
		account_print(account);
	return !code && ask->svg ? draw(account, ask->svg) : code;
}

static unsigned count_shown(const struct ask *ask)
{
	if (ask->shown_set)
		return (unsigned)ask->shown;
	return ask->json ? ASK_SHOWN_JSON : ASK_SHOWN;
}

static int judge(const struct ask *ask, const struct job *job, const struct tally *tally)
{
	struct verdict *verdict = malloc(sizeof(*verdict));
	char *name = account_name(strcmp(job->in, "-") == 0 ? "standard input" : job->in);
	struct better better;
	struct account account = {
		.name = name,
		.card = tally->card,
		.tally = tally,
		.verdict = verdict,
		.better = ask->better ? &better : NULL,
		.snapped = job->count[JOB_SNAPPED],
		.shown = count_shown(ask),
	};
	int err = verdict && name ? verdict_find(verdict, tally) : -ENOMEM, code;

	if (!err && ask->better)
		err = better_search(&better, tally, (unsigned)ask->better);
	if (!err)
		err = account_sort(&account);
	code = err ? fail("memory", err) : tell(ask, &account);
	free(account.largest);
	free(verdict);
	free(name);
	return code;
}

/* A capture that is damaged is told of up to there. */
static int steer_capture(const struct ask *ask, const struct card *card, const char *path)
{
	static struct tally tally;
	struct job job = {0};
	int err = tally_init(&tally, card), code, judged;

	if (err)
		return fail("random numbers", err);
	code = job_open_in(&job, &command, path);
	if (code)
		return code;
	code = count_all(&job, &tally);
	job_close_in(&job);
	judged = judge(ask, &job, &tally);
	tally_fini(&tally);
	return code ? code : judged;
}

/* Words that the shell took apart are one flow. */
static const char *join(char *to, size_t size, int n, char **words)
{
	size_t len = 0;

	*to = 0;
	for (int i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(to + len, size - len, "%s%s", i ? " " : "", words[i]);
	return to;
}

static int steer(const struct ask *ask, const struct card *card, int n, char **operands)
{
	char text[256];

	if (n == 0)
		return args_wrong(&command, "which flow, or which capture?");
	if (flow_is_text(join(text, sizeof(text), n, operands))) {
		if (ask->better || ask->svg)
			return args_wrong(&command, "--better and --svg are for captures");
		return steer_flow(ask, card, text);
	}
	if (n > 1)
		return args_wrong(&command, "what is '%s'?", operands[1]);
	return steer_capture(ask, card, operands[0]);
}

int steer_main(int argc, char **argv)
{
	static struct ask ask;
	static struct card card;
	char err[512];
	int code, at = args_parse(&command, argc, argv, &ask, &code);

	if (at < 0)
		return code;
	setlocale(LC_CTYPE, "");
	if (ask_card(&ask, &card, err, sizeof(err)))
		code = args_wrong(&command, "%s", err);
	else
		code = steer(&ask, &card, argc - at, argv + at);
	card_fini(&card);
	return args_finish(code);
}
