/* SPDX-License-Identifier: MIT */
/*
 * The kernel it runs on as referee of tunnels, each made by a device of its own.
 *
 *     vm-referee [ROW...]
 *
 * A super-packet goes into the tunnel's device on host A, and the kernel's segments of it come out of
 * the TAP behind. The same super-packet behind the outer headers of the first segment is cut up by
 * us, and must give the same bytes. Then host B receives the kernel's segments, and what its GRO
 * makes of them ours must make of them too; cut up again by ours they must be what they were.
 *
 * A line per row: cases, and how many were found the same in each of the three. LEAT_SEED and
 * LEAT_CASES are read.
 */
#define _GNU_SOURCE
#include <leat/gro.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <leat/vnet.h>

#include "frame.h"
#include "lab.h"
#include "rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TCP4 = 1, TCP6 = 2, UDP4 = 4, UDP6 = 8, ALL4 = TCP4 | UDP4, ALL = 15, KINDS = 4 };
enum { HDRS = 256, SEGS = 60 };

struct row {
	const char *name;
	int version;	/* of the outer header */
	unsigned kinds; /* of the super-packets in the tunnel */
	bool ethernet;	/* in the tunnel */
	uint8_t fou;	/* the protocol of what follows FOU's port */
	const char *commands;
};

#define LINK(type, args) "ip link add name tun0 type " type " local %1$s remote %2$s " args
#define IPIP6		 LINK("ip6tnl", "mode any encaplimit none ")
#define FOU(proto)	 "ip fou add port 5555 ipproto " proto ";"
#define FOU6(proto)	 "ip -6 fou add port 5555 ipproto " proto ";"
#define TO_FOU		 " encap fou encap-sport auto encap-dport 5555 "
#define GUE		 "ip fou add port 6080 gue;"
#define GUE6		 "ip -6 fou add port 6080 gue;"
#define TO_GUE		 " encap gue encap-sport auto encap-dport 6080 "
#define OPTIONS                                                        \
	"tc qdisc add dev tun0 clsact; tc filter add dev tun0 egress " \
	"matchall action tunnel_key set src_ip %1$s dst_ip %2$s id 5 dst_port 6081 "
#define GENEVE_OPTS "geneve_opts 0102:80:00112233,0103:01:8899aabbccddeeff"

static const struct row rows[] = {
	{"gre", 4, ALL, false, 0, LINK("gre", "")},
	{"gre-key", 4, ALL, false, 0, LINK("gre", "key 7")},
	{"gre-csum", 4, ALL, false, 0, LINK("gre", "csum")},
	{"gre-key-csum", 4, ALL, false, 0, LINK("gre", "key 7 csum")},
	{"gretap", 4, ALL, true, 0, LINK("gretap", "key 9")},
	{"ip6gre", 6, ALL, false, 0, LINK("ip6gre", "encaplimit none")},
	{"ip6gre-csum", 6, ALL, false, 0, LINK("ip6gre", "key 7 csum encaplimit none")},
	{"ip6gre-limit", 6, ALL, false, 0, LINK("ip6gre", "")},
	{"ip6gretap", 6, ALL, true, 0, LINK("ip6gretap", "encaplimit none")},
	{"ipip", 4, ALL4, false, 0, LINK("ipip", "")},
	{"sit", 4, TCP6 | UDP6, false, 0, LINK("sit", "")},
	{"4in6", 6, ALL4, false, 0, IPIP6},
	{"6in6", 6, TCP6 | UDP6, false, 0, IPIP6},
	{"6in6-limit", 6, TCP6 | UDP6, false, 0, LINK("ip6tnl", "mode any")},
	{"fou", 4, ALL4, false, 4, FOU("4") LINK("ipip", TO_FOU)},
	{"fou-csum", 4, ALL4, false, 4, FOU("4") LINK("ipip", TO_FOU "encap-csum")},
	{"fou-sit", 4, TCP6 | UDP6, false, 41, FOU("41") LINK("sit", TO_FOU)},
	{"fou6", 6, TCP6 | UDP6, false, 41, FOU6("41") IPIP6 TO_FOU "encap-udp6-csum"},
	{"fou-remcsum", 4, ALL4, false, 4, FOU("4") LINK("ipip", TO_FOU "encap-remcsum")},
	{"gue", 4, ALL4, false, 0, GUE LINK("ipip", TO_GUE)},
	{"gue-csum", 4, ALL4, false, 0, GUE LINK("ipip", TO_GUE "encap-csum")},
	{"gue-remcsum", 4, ALL4, false, 0, GUE LINK("ipip", TO_GUE "encap-remcsum")},
	{"gue-csum-remcsum", 4, ALL4, false, 0,
	 GUE LINK("ipip", TO_GUE "encap-csum encap-remcsum")},
	{"gue-sit-remcsum", 4, TCP6 | UDP6, false, 0, GUE LINK("sit", TO_GUE "encap-remcsum")},
	{"gue6", 6, TCP6 | UDP6, false, 0, GUE6 IPIP6 TO_GUE "encap-udp6-csum"},
	{"vxlan", 4, ALL, true, 0, LINK("vxlan", "id 5 dstport 4789 noudpcsum")},
	{"vxlan-csum", 4, ALL, true, 0, LINK("vxlan", "id 5 dstport 4789 udpcsum")},
	{"vxlan-remcsum", 4, ALL, true, 0,
	 LINK("vxlan", "id 5 dstport 4789 noudpcsum remcsumtx remcsumrx")},
	{"vxlan-csum-remcsum", 4, ALL, true, 0,
	 LINK("vxlan", "id 5 dstport 4789 udpcsum remcsumtx remcsumrx")},
	{"vxlan6", 6, ALL, true, 0, LINK("vxlan", "id 5 dstport 4789")},
	{"geneve", 4, ALL, true, 0, "ip link add name tun0 type geneve id 5 remote %2$s"},
	{"geneve-csum", 4, ALL, true, 0,
	 "ip link add name tun0 type geneve id 5 remote %2$s udpcsum"},
	{"geneve6", 6, ALL, true, 0, "ip link add name tun0 type geneve id 5 remote %2$s"},
	{"geneve-options", 4, ALL, true, 0,
	 "ip link add name tun0 type geneve external; " OPTIONS GENEVE_OPTS " nocsum"},
	{"geneve-options-csum", 4, ALL, true, 0,
	 "ip link add name tun0 type geneve external; " OPTIONS GENEVE_OPTS " csum"},
};

static const char *const kind_name[KINDS] = {"tcp4", "tcp6", "udp4", "udp6"};

struct score {
	unsigned cases, gso, gro, inverse, refused;
};

struct referee {
	const struct row *row;
	unsigned kind;
	struct lab lab;
	int device, merged; /* sockets: tun0 on A, the TAP on B */
	struct leat_parse_conf parse;
	struct rng rng;
	struct score score;
	bool said; /* a difference: one of each row is enough */
};

/* --- Two lists of frames: the kernel's and ours. --- */

struct list {
	unsigned n;
	struct lab_frame frame[4 * SEGS];
};

static void show_bytes(const char *whose, const struct lab_frame *f, uint32_t at)
{
	uint32_t from = at < 8 ? 0 : at - 8;

	printf("    %s, %u bytes, gso_size %u, from %u:", whose, f->len, f->gso_size, from);
	for (uint32_t i = from; i < f->len && i < from + 24; i++)
		printf(" %02x", f->data[i]);
	printf("\n");
}

/* The first byte in which they differ; the length of both if none does. */
static uint32_t differ_at(const struct lab_frame *a, const struct lab_frame *b)
{
	uint32_t i = 0;

	while (i < a->len && i < b->len && a->data[i] == b->data[i])
		i++;
	return i;
}

static bool same_frame(const struct lab_frame *a, const struct lab_frame *b)
{
	return a->len == b->len && a->gso_size == b->gso_size && differ_at(a, b) == a->len;
}

/* Whether the lists are the same; the first difference of a row is shown. */
static bool same_list(struct referee *r, const char *what, const struct list *kernel,
		      const struct list *ours)
{
	unsigned i = 0;

	while (i < kernel->n && i < ours->n && same_frame(&kernel->frame[i], &ours->frame[i]))
		i++;
	if (i == kernel->n && i == ours->n)
		return true;
	if (r->said)
		return false;
	r->said = true;
	printf("  %s %s, %s: kernel %u, ours %u; they differ in number %u\n", r->row->name,
	       kind_name[r->kind], what, kernel->n, ours->n, i);
	if (i < kernel->n && i < ours->n) {
		uint32_t at = differ_at(&kernel->frame[i], &ours->frame[i]);

		printf("    at byte %u\n", at);
		show_bytes("kernel", &kernel->frame[i], at);
		show_bytes("ours", &ours->frame[i], at);
	}
	return false;
}

static void clear(struct list *list)
{
	lab_free(list->frame, list->n);
	list->n = 0;
}

/* --- Ours. --- */

/* The tunnel's bits of gso_type, which the kernel does not show. */
static uint32_t tunnel_bits(const struct leat_pkt *pkt)
{
	const struct leat_level *outer = &pkt->lvl[0];
	const uint8_t *hdr = pkt->data + outer->transport;
	uint32_t bits;

	switch (outer->tunnel) {
	case LEAT_TUNNEL_NONE: return 0;
	case LEAT_TUNNEL_IP: return outer->version == 4 ? LEAT_GSO_IPXIP4 : LEAT_GSO_IPXIP6;
	case LEAT_TUNNEL_GRE: return hdr[0] & 0x80 ? LEAT_GSO_GRE_CSUM : LEAT_GSO_GRE;
	default:
		bits = hdr[6] || hdr[7] ? LEAT_GSO_UDP_TUNNEL_CSUM : LEAT_GSO_UDP_TUNNEL;
		return bits | (outer->flags & LEAT_REMCSUM ? LEAT_GSO_TUNNEL_REMCSUM : 0);
	}
}

static uint32_t base_type(uint8_t type)
{
	uint32_t ecn = type & LEAT_VNET_GSO_ECN ? LEAT_GSO_TCP_ECN : 0;

	switch (type & ~LEAT_VNET_GSO_ECN) {
	case LEAT_VNET_GSO_TCPV4: return ecn | LEAT_GSO_TCPV4;
	case LEAT_VNET_GSO_TCPV6: return ecn | LEAT_GSO_TCPV6;
	case LEAT_VNET_GSO_UDP_L4: return LEAT_GSO_UDP_L4;
	default: return 0;
	}
}

static struct leat_pkt *parse_frame(struct referee *r, struct arena *arena,
				    const struct lab_frame *f)
{
	struct leat_pkt *pkt = arena_add(arena, f->data, f->len);

	leat_parse(&r->parse, &pkt, 1);
	pkt->gso_size = f->gso_size;
	pkt->gso_type = base_type(f->gso_type);
	if (pkt->gso_type != 0)
		pkt->gso_type |= tunnel_bits(pkt);
	if (f->flags & LEAT_VNET_F_NEEDS_CSUM)
		pkt->csum = LEAT_CSUM_PARTIAL;
	pkt->csum_start = f->csum_start;
	pkt->csum_offset = f->csum_offset;
	return pkt;
}

static void add_bytes(struct list *list, const struct leat_slice *slices, unsigned n, uint32_t len)
{
	struct lab_frame *f = &list->frame[list->n++];
	uint32_t at = 0;

	*f = (struct lab_frame){.len = len, .data = malloc(len)};
	for (unsigned i = 0; i < n; i++) {
		memcpy(f->data + at, slices[i].base, slices[i].len);
		at += (uint32_t)slices[i].len;
	}
}

/* Our segments of the packet, or itself if it has none, into the list. Gives GSO's word. */
static int segment(const struct leat_pkt *pkt, struct list *list)
{
	static const struct leat_gso_conf conf;
	static struct leat_seg segs[SEGS];
	static struct leat_slice slices[8 * SEGS];
	static uint8_t hdr[SEGS * HDRS];
	struct leat_gso_out out = {segs, SEGS, 0, slices, 8 * SEGS, 0, hdr, sizeof hdr, 0, 0};
	struct leat_gso gso;
	int n = leat_gso_init(&gso, pkt, &conf);

	if (n < 0)
		return n;
	while (leat_gso_segment(&gso, &out) > 0) {
		for (unsigned i = 0; i < out.n_segs; i++)
			add_bytes(list, slices + segs[i].slice, segs[i].slices, segs[i].len);
		out.n_segs = out.n_slices = 0;
		out.hdr_used = 0;
	}
	return n;
}

/* What our GRO gave, and what our GSO makes of it again. */
static void give_out(struct leat_pkt *const *out, unsigned n, struct list *merged,
		     struct list *again)
{
	for (unsigned i = 0; i < n; i++) {
		struct leat_slice slices[SEGS + 1];
		unsigned used = leat_pkt_slices(out[i], 0, slices, SEGS + 1);
		struct lab_frame *f = &merged->frame[merged->n];

		add_bytes(merged, slices, used, out[i]->len);
		f->gso_size = out[i]->gso_size;
		if (out[i]->gso_size == 0)
			add_bytes(again, slices, used, out[i]->len);
		else
			segment(out[i], again);
	}
}

static void coalesce(struct referee *r, const struct list *train, struct list *merged,
		     struct list *again)
{
	struct leat_gro_conf conf = {.buckets = 8, .depth = 8, .udp = true};
	struct leat_pkt *in[4 * SEGS], *out[8 * SEGS];
	struct arena arena = {0};
	struct leat_gro gro;
	void *mem = aligned_alloc(64, (leat_gro_size(&conf) + 63) & ~(size_t)63);

	if (mem == NULL || leat_gro_init(&gro, &conf, mem))
		lab_die("leat_gro_init");
	for (unsigned i = 0; i < train->n; i++)
		in[i] = parse_frame(r, &arena, &train->frame[i]);
	give_out(out, leat_gro_receive(&gro, in, train->n, 0, out), merged, again);
	give_out(out, leat_gro_flush(&gro, UINT64_MAX, out, 8 * SEGS), merged, again);
	free(mem);
	arena_clear(&arena);
}

/* --- The cases. --- */

static void store_be16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Bytes of a super-packet for tun0 before its payload. */
static uint32_t hdr_len(const struct lab_frame *f)
{
	const uint8_t *l4 = f->data + f->csum_start;

	return f->csum_start + (f->csum_offset == 6 ? 8u : 4u * (l4[12] >> 4));
}

static struct frame draw(struct referee *r, uint16_t *gso_size)
{
	static const uint8_t stamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	struct rng *rng = &r->rng;
	bool udp = r->kind >= 2, v6 = r->kind & 1;
	unsigned segs = 2 + rng_below(rng, rng_once_in(rng, 4) ? 40 : 8);
	struct frame f = {.version = v6 ? 6 : 4,
			  .protocol = udp ? FRAME_UDP : FRAME_TCP,
			  .src = rng_below(rng, 4),
			  .dst = 77,
			  .sport = 1000,
			  .dport = 2000,
			  .seq = (uint32_t)rng_next(rng),
			  .ack = (uint32_t)rng_next(rng),
			  .window = (uint16_t)rng_next(rng),
			  .id = (uint16_t)rng_next(rng),
			  .flow_label = rng_below(rng, 1 << 20),
			  .tos = (uint8_t)(rng_below(rng, 2) * 0x28),
			  .frag_off = rng_once_in(rng, 2) ? FRAME_DF : 0};

	if (!udp && rng_once_in(rng, 2)) {
		f.opts = stamps;
		f.opts_len = sizeof stamps;
	}
	f.flags = rng_once_in(rng, 3) ? FRAME_PSH : 0;
	*gso_size = (uint16_t)(1 + rng_below(rng, rng_once_in(rng, 4) ? 8 : 1350));
	f.payload = *gso_size * (segs - 1) + 1 + rng_below(rng, *gso_size);
	return f;
}

/* The frame as a super-packet for tun0: without its Ethernet header where the tunnel has none. */
static struct lab_frame build(struct referee *r, uint16_t *ethertype)
{
	uint16_t gso_size;
	struct frame f = draw(r, &gso_size);
	uint32_t len = frame_len(&f), skip = r->row->ethernet ? 0 : LAB_ETH;
	uint8_t *bytes = malloc(len), *ip = bytes + LAB_ETH;
	uint32_t ip_len = f.version == 4 ? 20 : 40, l4_len = len - LAB_ETH - ip_len;
	uint16_t offset = f.protocol == FRAME_UDP ? 6 : 16, pseudo;

	frame_build(&f, bytes);
	pseudo = frame_pseudo(ip, f.protocol, l4_len);
	store_be16(ip + ip_len + offset, pseudo);
	memmove(bytes, bytes + skip, len - skip);
	*ethertype = f.version == 4 ? 0x0800 : 0x86dd;
	return (struct lab_frame){
		.flags = LEAT_VNET_F_NEEDS_CSUM,
		.gso_type = f.protocol == FRAME_UDP ? LEAT_VNET_GSO_UDP_L4 :
			    f.version == 4	    ? LEAT_VNET_GSO_TCPV4 :
						      LEAT_VNET_GSO_TCPV6,
		.gso_size = gso_size,
		.csum_start = (uint16_t)(LAB_ETH - skip + ip_len),
		.csum_offset = offset,
		.len = len - skip,
		.data = bytes,
	};
}

/* The super-packet as it is in the tunnel: behind the headers that the kernel's first segment has in
 * front of its own inner frame, with their lengths made good. */
static struct lab_frame encapsulate(const struct lab_frame *inner, const struct lab_frame *first)
{
	uint32_t inner_hdr = hdr_len(inner);
	uint32_t outer = first->len - inner_hdr - inner->gso_size;
	struct lab_frame f = *inner;
	uint8_t *ip, *l4;

	f.len = outer + inner->len;
	f.csum_start = (uint16_t)(outer + inner->csum_start);
	f.data = malloc(f.len);
	memcpy(f.data, first->data, outer);
	memcpy(f.data + outer, inner->data, inner->len);
	ip = f.data + LAB_ETH;
	l4 = ip + (ip[0] >> 4 == 4 ? 20 : 40);
	if (ip[0] >> 4 == 4)
		store_be16(ip + 2, f.len - LAB_ETH);
	else
		store_be16(ip + 4, f.len - LAB_ETH - 40);
	if ((ip[0] >> 4 == 4 ? ip[9] : ip[6]) == FRAME_UDP)
		store_be16(l4 + 4, f.len - (uint32_t)(l4 - f.data));
	return f;
}

static void judge_gso(struct referee *r, const struct lab_frame *super, const struct list *segs)
{
	struct arena arena = {0};
	struct list ours = {0};
	struct leat_pkt *pkt = parse_frame(r, &arena, super);
	int said = segment(pkt, &ours);

	if (said < 0 && !r->said)
		printf("  %s %s: ours refuses: %d (type %x, depth %u, reason %s)\n", r->row->name,
		       kind_name[r->kind], said, pkt->gso_type, pkt->depth,
		       leat_parse_reason_name(pkt->reason));
	r->score.gso += same_list(r, "segments", segs, &ours);
	clear(&ours);
	arena_clear(&arena);
}

static void judge_gro(struct referee *r, const struct list *segs)
{
	struct list kernel = {0}, ours = {0}, again = {0};

	lab_receive(&r->lab, segs->frame, segs->n);
	kernel.n = lab_read_all(r->merged, kernel.frame, 4 * SEGS);
	coalesce(r, segs, &ours, &again);
	r->score.gro += same_list(r, "merged", &kernel, &ours);
	r->score.inverse += same_list(r, "segmented again", segs, &again);
	clear(&kernel);
	clear(&ours);
	clear(&again);
}

/* One super-packet; false if the kernel does not take it. */
static bool judge(struct referee *r)
{
	struct list segs = {0};
	struct lab_frame super;
	uint16_t ethertype;
	struct lab_frame inner = build(r, &ethertype);
	int error = lab_send(r->device, ethertype, &inner);

	if (error != 0) {
		printf("  %s %s: the kernel refuses: %s\n", r->row->name, kind_name[r->kind],
		       strerror(error));
		free(inner.data);
		return false;
	}
	segs.n = lab_read_all(r->lab.tap[0], segs.frame, 4 * SEGS);
	if (segs.n < 2 || segs.frame[0].len <= hdr_len(&inner) + inner.gso_size) {
		printf("  %s %s: the kernel gave %u segments\n", r->row->name, kind_name[r->kind],
		       segs.n);
		free(inner.data);
		return false;
	}
	super = encapsulate(&inner, &segs.frame[0]);
	r->score.cases++;
	judge_gso(r, &super, &segs);
	judge_gro(r, &segs);
	free(super.data);
	free(inner.data);
	clear(&segs);
	return true;
}

static struct referee start(const struct row *row, struct rng rng)
{
	struct referee r = {.row = row, .rng = rng};
	char *commands;

	if (asprintf(&commands, "%s; ip link set tun0 up", row->commands) < 0)
		lab_die("asprintf");
	r.lab = lab_start(row->version, commands);
	free(commands);
	lab_sh("ethtool -K in rx-udp-gro-forwarding on");
	r.merged = lab_packet("in", true);
	lab_enter(&r.lab, 0);
	r.device = lab_packet("tun0", false);
	r.parse = (struct leat_parse_conf){
		.tunnel = {{4789, LEAT_TUNNEL_VXLAN, 0, true},
			   {6081, LEAT_TUNNEL_GENEVE, 0, false},
			   {6080, LEAT_TUNNEL_GUE, 0, false},
			   {5555, LEAT_TUNNEL_FOU, row->fou, false}},
		.tunnels = 4,
	};
	return r;
}

/* Gives whether all were the same. */
static bool judge_kind(struct referee *r, unsigned kind, unsigned cases)
{
	struct score *s = &r->score;

	*s = (struct score){0};
	r->kind = kind;
	r->said = false;
	while (cases-- > 0 && judge(r))
		;
	printf("%-20s %s: %u cases, %u segmented alike, %u merged alike, %u undone\n", r->row->name,
	       kind_name[kind], s->cases, s->gso, s->gro, s->inverse);
	return s->cases > 0 && s->gso == s->cases && s->gro == s->cases && s->inverse == s->cases;
}

/* In a process of its own: the namespaces end with it. */
static int judge_row(const struct row *row, struct rng rng, unsigned cases)
{
	struct referee r = start(row, rng);
	bool same = true;

	for (unsigned kind = 0; kind < KINDS; kind++)
		if (row->kinds >> kind & 1)
			same = judge_kind(&r, kind, cases) && same;
	return !same;
}

static int in_child(const struct row *row, struct rng rng, unsigned cases)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exit(judge_row(row, rng, cases));
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s: ended by signal %d\n", row->name, WTERMSIG(status));
	return status != 0;
}

static bool wanted(const struct row *row, char **names)
{
	if (*names == NULL)
		return true;
	while (*names != NULL && strcmp(*names, row->name) != 0)
		names++;
	return *names != NULL;
}

int main(int argc, char **argv)
{
	const char *env = getenv("LEAT_CASES");
	unsigned cases = env != NULL ? (unsigned)strtoul(env, NULL, 10) : 8;
	struct rng rng = rng_start("referee");
	int failed = 0;

	(void)argc;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (wanted(&rows[i], argv + 1))
			failed += in_child(&rows[i], (struct rng){rng_next(&rng)}, cases);
	return failed != 0;
}
