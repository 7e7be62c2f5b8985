/* SPDX-License-Identifier: MIT */
/*
 * The drawing. Colours are Okabe and Ito's, which the colour-blind tell apart, and say one thing
 * each: the busiest queue, what is encapsulated, what a rule chose, what is dropped; all else is
 * blue. The gauge of each queue is as high as the mean of all, so what is over it stands out.
 */
#include "picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	WIDTH = 1194,
	TOP = 128, /* of the columns */
	BOTTOM = 64,
	LABELS = 396, /* flows' names end here, */
	SHARES = 448, /* their shares here, */
	FLOWS = 456,  /* and their boxes begin */
	FLOW_WIDTH = 10,
	QUEUES = 640,
	QUEUE_WIDTH = 214,
	GAUGE = 9, /* the part of a box that is full in colour */
	CPUS = 1020,
	CPU_WIDTH = 150,
	SHARE = 136, /* of a queue or CPU ends here in its box */
	LEGEND_STEP = 190,
	LABEL_CHARS = 58,
	FLOW_NAME = ACCOUNT_FLOW_MAX + 16,
};

enum colour { BLUE, BUSIEST, ENCAPSULATED, RULE, DROPPED, COLOURS };

static const struct {
	const char *rgb, *words;
} colours[COLOURS] = {
	[BLUE] = {"#0072B2", "by hash"},
	[BUSIEST] = {"#D55E00", "to the busiest queue"},
	[ENCAPSULATED] = {"#E69F00", "encapsulated"},
	[RULE] = {"#009E73", "by a rule"},
	[DROPPED] = {"#7F7F7F", "dropped"},
};

struct drawing {
	FILE *to;
	const struct account *account;
	struct picture picture;
	bool used[COLOURS];
};

/* Text as XML has it. */
static void put_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", to); break;
		case '>': fputs("&gt;", to); break;
		case '&': fputs("&amp;", to); break;
		default:
			if ((unsigned char)*text >= ' ')
				fputc(*text, to);
		}
	}
}

/* 1234567 as 1,234,567. */
static const char *number(uint64_t n, char text[32])
{
	char plain[32];
	int len = snprintf(plain, sizeof(plain), "%" PRIu64, n);
	char *to = text;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain[i];
	}
	*to = 0;
	return text;
}

static void put_share(const struct drawing *d, double bytes)
{
	double share = d->picture.bytes > 0 ? 100 * bytes / d->picture.bytes : 0;

	fprintf(d->to, share > 0 && share < 0.05 ? "&lt; 0.1 %%" : "%.1f %%", share);
}

static bool is_encapsulated(const struct flow *f)
{
	return f->kind != HIDDEN_NOTHING && f->kind < HIDDEN_NO_PORTS;
}

static enum colour queue_colour(const struct drawing *d, const struct queue_box *q)
{
	if (q->queue == d->account->card->rxfh.n_queues)
		return DROPPED;
	return q->box.bytes > 0 && q->box.bytes == (double)d->picture.most ? BUSIEST : BLUE;
}

static enum colour flow_colour(const struct drawing *d, const struct flow_box *f)
{
	enum colour colour = queue_colour(d, &d->picture.queue[f->queue]);

	if (!f->flow || colour == DROPPED)
		return colour;
	if (is_encapsulated(f->flow))
		return ENCAPSULATED;
	return f->flow->choice.rxfh.rule >= 0 ? RULE : colour;
}

/* A band from (x, y) to (x2, y2). */
static void draw_band(struct drawing *d, double x, double y, double x2, double y2, double height,
		      enum colour colour)
{
	double bend = (x2 - x) / 2, h = height < 0.5 ? 0.5 : height;

	d->used[colour] = true;
	fprintf(d->to,
		"<path fill=\"%s\" fill-opacity=\"0.42\" d=\"M%.1f %.2fC%.1f %.2f %.1f %.2f %.1f "
		"%.2fV%.2fC%.1f %.2f %.1f %.2f %.1f %.2fZ\"/>\n",
		colours[colour].rgb, x, y, x + bend, y, x2 - bend, y2, x2, y2, y2 + h, x2 - bend,
		y2 + h, x + bend, y + h, x, y + h);
}

static void draw_box(const struct drawing *d, double x, double width, const struct box *box,
		     enum colour colour, const char *opacity)
{
	fprintf(d->to,
		"<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" fill=\"%s\" "
		"fill-opacity=\"%s\"/>\n",
		x, box->y, width, box->height < 0.5 ? 0.5 : box->height, colours[colour].rgb,
		opacity);
}

/* Where words beside a box have their base line. */
static double middle(const struct box *box)
{
	return box->y + (box->height > 17 ? box->height / 2 : 8.5) + 4;
}

/* A middle that is left out leaves both ends to be read. */
static void shorten(const char *text, char to[LABEL_CHARS + 4])
{
	size_t len = strlen(text), front = LABEL_CHARS / 2;

	if (len <= LABEL_CHARS)
		snprintf(to, LABEL_CHARS + 4, "%s", text);
	else
		snprintf(to, LABEL_CHARS + 4, "%.*s\u2026%s", (int)front, text,
			 text + len - (LABEL_CHARS - front - 1));
}

static void name_flow(const struct flow *f, char text[FLOW_NAME])
{
	char flow[ACCOUNT_FLOW_MAX];

	account_flow_text(flow, f);
	if (is_encapsulated(f) && f->id.version)
		snprintf(text, FLOW_NAME, "%s: %s", hidden_words(f->kind), flow);
	else
		snprintf(text, FLOW_NAME, "%s", flow);
}

static void draw_flow(struct drawing *d, struct flow_box *f)
{
	struct box *queue = &d->picture.queue[f->queue].box;
	enum colour colour = flow_colour(d, f);
	char text[FLOW_NAME], label[LABEL_CHARS + 4], count[32];

	draw_band(d, FLOWS + FLOW_WIDTH, f->box.y, QUEUES, queue->y + queue->in, f->box.height,
		  colour);
	queue->in += f->box.height;
	draw_box(d, FLOWS, FLOW_WIDTH, &f->box, colour, "0.9");
	if (f->flow)
		name_flow(f->flow, text);
	else
		snprintf(text, sizeof(text), "%s %sflow%s", number(f->flows, count),
			 f->flows < d->picture.queue[f->queue].flows ? "more " : "",
			 f->flows == 1 ? "" : "s");
	shorten(text, label);
	fprintf(d->to, "<text x=\"%d\" y=\"%.1f\" class=\"%s\"><title>", LABELS, middle(&f->box),
		f->flow ? "f" : "f m");
	put_text(d->to, text);
	fprintf(d->to, "</title>");
	put_text(d->to, label);
	fprintf(d->to, "</text><text x=\"%d\" y=\"%.1f\" class=\"f m\">", SHARES, middle(&f->box));
	put_share(d, f->box.bytes);
	fprintf(d->to, "</text>\n");
}

static void draw_links(struct drawing *d, unsigned q)
{
	struct queue_box *queue = &d->picture.queue[q];

	for (unsigned c = 0; c < d->picture.n_cpus; c++) {
		struct box *cpu = &d->picture.cpu[c].box;
		double height = d->picture.link[q * d->picture.n_cpus + c] * d->picture.scale;

		if (height == 0)
			continue;
		draw_band(d, QUEUES + QUEUE_WIDTH, queue->box.y + queue->box.out, CPUS,
			  cpu->y + cpu->in, height, queue_colour(d, queue));
		queue->box.out += height;
		cpu->in += height;
	}
}

/* Words at the left of a box, and how much of all bytes it has. */
static void draw_words(const struct drawing *d, double x, const struct box *box, const char *class,
		       const char *words, unsigned number)
{
	fprintf(d->to, "<text x=\"%.0f\" y=\"%.1f\" class=\"%s\">%s", x + GAUGE + 8, middle(box),
		class, words);
	if (number != UINT32_MAX)
		fprintf(d->to, " %u", number);
	fprintf(d->to, "</text><text x=\"%.0f\" y=\"%.1f\" class=\"v\">", x + SHARE, middle(box));
	if (box->bytes > 0)
		put_share(d, box->bytes);
	else
		fprintf(d->to, "idle");
	fprintf(d->to, "</text>\n");
}

static void draw_slot(const struct drawing *d, double x, double width, const struct box *box,
		      enum colour colour)
{
	fprintf(d->to,
		"<rect x=\"%.0f\" y=\"%.2f\" width=\"%.0f\" height=\"%.2f\" fill=\"#F3F3F3\"/>\n",
		x, box->y, width, box->room);
	draw_box(d, x, width, box, colour, "0.30");
	draw_box(d, x, GAUGE, box, colour, "1");
}

static void draw_queue(const struct drawing *d, const struct queue_box *q)
{
	enum colour colour = queue_colour(d, q);

	draw_slot(d, QUEUES, QUEUE_WIDTH, &q->box, colour);
	if (colour == DROPPED) {
		draw_words(d, QUEUES, &q->box, "n", "dropped", UINT32_MAX);
		return;
	}
	fprintf(d->to, "<rect x=\"%d\" y=\"%.2f\" width=\"%d\" height=\"%.2f\" class=\"o\"/>\n",
		QUEUES, q->box.y, GAUGE, d->picture.mean);
	draw_words(d, QUEUES, &q->box, colour == BUSIEST ? "b" : "n", "queue", q->queue);
	if (q->box.bytes > 0)
		fprintf(d->to, "<text x=\"%d\" y=\"%.1f\" class=\"%s\">%.2f \u00d7</text>\n",
			QUEUES + QUEUE_WIDTH - 8, middle(&q->box), colour == BUSIEST ? "v b" : "v",
			q->box.bytes * d->picture.scale / d->picture.mean);
}

static void draw_cpu(const struct drawing *d, const struct cpu_box *c)
{
	draw_slot(d, CPUS, CPU_WIDTH, &c->box, BLUE);
	draw_words(d, CPUS, &c->box, "n", "CPU", c->cpu);
}

static void draw_heading(const struct drawing *d)
{
	const struct spread *s = &d->account->verdict->now[MEASURE_BYTES];
	const struct load *all = &d->account->tally->all;
	bool fault = verdict_is_fault(s);
	char flows[32], packets[32], bytes[32];

	fprintf(d->to, "<text x=\"24\" y=\"38\" class=\"t\">");
	put_text(d->to, d->account->name);
	fprintf(d->to, ": %s flow%s over %u queues</text>\n", number(all->flows, flows),
		all->flows == 1 ? "" : "s", d->account->card->rxfh.n_queues);
	fprintf(d->to,
		"<text x=\"24\" y=\"64\" class=\"h\">busiest queue over mean, in bytes: observed "
		"<tspan class=\"w\">%.2f</tspan>, luck alone %.2f (%.2f to %.2f): <tspan "
		"class=\"w\" fill=\"%s\">%s</tspan></text>\n",
		s->observed, s->luck.mean, s->luck.low, s->luck.high,
		fault ? colours[BUSIEST].rgb : "#222", fault ? "beyond luck" : "not a fault");
	fprintf(d->to, "<text x=\"24\" y=\"85\" class=\"k\">%s packets, %s bytes",
		number(all->packets, packets), number(all->bytes, bytes));
	if (d->account->verdict->hides)
		fprintf(d->to,
			"; with the headers inside of encapsulations hashed it would be %.2f",
			d->account->verdict->inside[MEASURE_BYTES].observed);
	fprintf(d->to, "</text>\n");
	fprintf(d->to,
		"<text x=\"%d\" y=\"%d\" class=\"c\" text-anchor=\"end\">flows</text>"
		"<text x=\"%d\" y=\"%d\" class=\"c\">receive queues, times the mean</text>"
		"<text x=\"%d\" y=\"%d\" class=\"c\">CPUs</text>\n",
		FLOWS + FLOW_WIDTH, TOP - 12, QUEUES, TOP - 12, CPUS, TOP - 12);
}

static void draw_legend(const struct drawing *d)
{
	double x = 24, y = d->picture.height + TOP + 34;

	for (unsigned c = 0; c < COLOURS; c++) {
		if (!d->used[c])
			continue;
		fprintf(d->to,
			"<rect x=\"%.0f\" y=\"%.1f\" width=\"14\" height=\"14\" fill=\"%s\" "
			"fill-opacity=\"0.6\"/><text x=\"%.0f\" y=\"%.1f\" class=\"k\">%s</text>\n",
			x, y, colours[c].rgb, x + 20, y + 12, colours[c].words);
		x += LEGEND_STEP;
	}
	fprintf(d->to,
		"<rect x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"14\" class=\"o\"/><text "
		"x=\"%.0f\" y=\"%.1f\" class=\"k\">the mean of all queues</text>\n",
		x, y, GAUGE, x + 20, y + 12);
}

static void begin(const struct drawing *d)
{
	double height = d->picture.height + TOP + BOTTOM;

	fprintf(d->to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"viewBox=\"0 0 %d %.0f\">\n<style>\n"
		"text{font-family:'DejaVu Sans',Verdana,Arial,sans-serif;font-size:12px;fill:#222}\n"
		".t{font-size:21px;font-weight:bold}.h{font-size:15px}.w{font-weight:bold}\n"
		".k{fill:#555}.c{font-size:13px;font-weight:bold;fill:#555}\n"
		".f{font-size:11px;text-anchor:end}.m{font-style:italic;fill:#555}\n"
		".v{text-anchor:end}.b{font-weight:bold}\n"
		".o{fill:none;stroke:#222;stroke-width:1.2}\n</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, height, WIDTH, height);
}

int account_draw(const struct account *account, FILE *to)
{
	struct drawing d = {.to = to, .account = account};
	int err = picture_init(&d.picture, account);

	if (!err) {
		begin(&d);
		draw_heading(&d);
		fprintf(to, "<g transform=\"translate(0 %d)\">\n", TOP);
		for (unsigned i = 0; i < d.picture.n_flows; i++)
			draw_flow(&d, &d.picture.flow[i]);
		for (unsigned i = 0; i < d.picture.n_queues; i++)
			draw_links(&d, i);
		for (unsigned i = 0; i < d.picture.n_queues; i++)
			draw_queue(&d, &d.picture.queue[i]);
		for (unsigned i = 0; i < d.picture.n_cpus; i++)
			draw_cpu(&d, &d.picture.cpu[i]);
		fprintf(to, "</g>\n");
		draw_legend(&d);
		fprintf(to, "</svg>\n");
	}
	picture_fini(&d.picture);
	return err;
}
