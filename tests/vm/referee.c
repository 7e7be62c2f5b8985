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
#include "ours.h"
#include "rng.h"

#include <leat/vnet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TCP4 = 1,
	TCP6 = 2,
	UDP4 = 4,
	UDP6 = 8,
	ALL4 = TCP4 | UDP4,
	ALL = 15,
	FIRST_UDP = 2,
	KINDS = 4
};

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

/* Not ip6gretap: a packet socket takes what its device says of headers for the Ethernet header, and
 * Linux drops what we send. */
static const struct row rows[] = {
	{"gre", 4, ALL, false, 0, LINK("gre", "")},
	{"gre-key", 4, ALL, false, 0, LINK("gre", "key 7")},
	{"gre-csum", 4, ALL, false, 0, LINK("gre", "csum")},
	{"gre-key-csum", 4, ALL, false, 0, LINK("gre", "key 7 csum")},
	{"gretap", 4, ALL, true, 0, LINK("gretap", "key 9")},
	{"ip6gre", 6, ALL, false, 0, LINK("ip6gre", "encaplimit none")},
	{"ip6gre-csum", 6, ALL, false, 0, LINK("ip6gre", "csum encaplimit none")},
	{"ip6gre-key-csum", 6, ALL, false, 0, LINK("ip6gre", "key 7 csum encaplimit none")},
	{"ip6gre-limit", 6, ALL, false, 0, LINK("ip6gre", "")},
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

/* Where the kernel's GRO is not as it means to be, and ours is not to be like it. */
static const struct exclusion {
	const char *row, *why;
} exclusions[] = {
	{"gre-key-csum", "Linux takes the checksum's word for the key's"},
	{"ip6gre-key-csum", "Linux takes the checksum's word for the key's"},
};

static const char *const kind_name[KINDS] = {"tcp4", "tcp6", "udp4", "udp6"};

struct score {
	unsigned cases, gso, gro, inverse;
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

/* Whether the lists are the same; the first difference of a row is shown. */
static bool same(struct referee *r, const char *what, const struct list *kernel,
		 const struct list *ours)
{
	char name[80];
	bool yes;

	snprintf(name, sizeof name, "%s %s, %s", r->row->name, kind_name[r->kind], what);
	yes = list_same(name, kernel, ours, !r->said);
	r->said = r->said || !yes;
	return yes;
}

static void judge_gso(struct referee *r, const struct lab_frame *super, const struct list *segs)
{
	struct arena arena = {0};
	struct list ours = {0};
	struct leat_pkt *pkt = ours_parse(&r->parse, &arena, super);
	int said = ours_segment(pkt, &ours);

	if (said < 0 && !r->said)
		printf("  %s %s: ours refuses: %d (type %x, depth %u, reason %s)\n", r->row->name,
		       kind_name[r->kind], said, pkt->gso_type, pkt->depth,
		       leat_parse_reason_name(pkt->reason));
	r->score.gso += same(r, "segments", segs, &ours);
	list_clear(&ours);
	arena_clear(&arena);
}

static const char *excluded(const struct row *row)
{
	for (unsigned i = 0; i < sizeof exclusions / sizeof exclusions[0]; i++)
		if (strcmp(exclusions[i].row, row->name) == 0)
			return exclusions[i].why;
	return NULL;
}

/* Until Linux 6.12 at the latest the checksum of the outer UDP header, which GSO writes afresh, is
 * left with another meaning in a merged packet: not compared there. */
static void blank_outer_csum(struct list *list)
{
	for (unsigned i = 0; i < list->n; i++) {
		uint8_t *ip = list->frame[i].data + LAB_ETH;
		bool v6 = ip[0] >> 4 == 6;

		if (list->frame[i].gso_size != 0 && ip[v6 ? 6 : 9] == FRAME_UDP)
			store_be16(ip + (v6 ? 40 : 20) + 6, 0);
	}
}

static void judge_gro(struct referee *r, const struct list *segs)
{
	static const struct leat_gro_conf conf = {.buckets = 8, .depth = 8, .udp = true};
	struct list kernel = {0}, ours = {0}, again = {0};

	lab_receive(&r->lab, segs->frame, segs->n);
	kernel.n = lab_read_all(r->merged, kernel.frame, OURS_FRAMES);
	ours_coalesce(&r->parse, &conf, segs, &ours, &again);
	if (lab_older(6, 12)) {
		blank_outer_csum(&kernel);
		blank_outer_csum(&ours);
	}
	if (excluded(r->row) != NULL)
		r->score.gro += ours.n <= kernel.n;
	else
		r->score.gro += same(r, "merged", &kernel, &ours);
	r->score.inverse += same(r, "segmented again", segs, &again);
	list_clear(&kernel);
	list_clear(&ours);
	list_clear(&again);
}

/* One super-packet; gives 0, or the errno with which the kernel refuses it. */
static int judge(struct referee *r)
{
	struct list segs = {0};
	struct lab_frame super;
	uint16_t ethertype;
	struct lab_frame inner = build(r, &ethertype);
	int error = lab_send(r->device, ethertype, &inner);

	if (error != 0) {
		free(inner.data);
		return error;
	}
	segs.n = lab_read_all(r->lab.tap[0], segs.frame, OURS_FRAMES);
	if (segs.n < 2 || segs.frame[0].len <= hdr_len(&inner) + inner.gso_size) {
		printf("  %s %s: the kernel gave %u segments\n", r->row->name, kind_name[r->kind],
		       segs.n);
		free(inner.data);
		return ENOMSG;
	}
	super = encapsulate(&inner, &segs.frame[0]);
	r->score.cases++;
	judge_gso(r, &super, &segs);
	judge_gro(r, &segs);
	free(super.data);
	free(inner.data);
	list_clear(&segs);
	return 0;
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
	const char *why = excluded(r->row);
	struct score *s = &r->score;
	int error = 0;

	*s = (struct score){0};
	r->kind = kind;
	r->said = false;
	while (cases-- > 0 && error == 0)
		error = judge(r);
	if (error == EINVAL && kind >= FIRST_UDP && s->cases == 0)
		return true; /* Linux before 6.2 has no USO in its virtio_net_hdr: main() says it */
	if (error != 0)
		printf("  %s %s: the kernel refuses: %s\n", r->row->name, kind_name[kind],
		       strerror(error));
	printf("%-20s %s: %u cases, %u segmented alike, %u merged alike, %u undone%s%s\n",
	       r->row->name, kind_name[kind], s->cases, s->gso, s->gro, s->inverse,
	       why ? ", or more: " : "", why ? why : "");
	return s->cases > 0 && s->gso == s->cases && s->gro == s->cases && s->inverse == s->cases;
}

/* In a process of its own: the namespaces end with it. */
static int judge_row(const struct row *row, struct rng rng, unsigned cases)
{
	struct referee r = start(row, rng);
	bool all = true;

	for (unsigned kind = 0; kind < KINDS; kind++)
		if (row->kinds >> kind & 1)
			all = judge_kind(&r, kind, cases) && all;
	return !all;
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
