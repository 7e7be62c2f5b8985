/* SPDX-License-Identifier: MIT */
/*
 * The table of knobs, and the walk over it.
 *
 * A row's pattern stands for one knob per port (PORT) and per queue, RSS context or rule (N). A
 * path is looked up by spelling them out and comparing, so that a pattern that a user gives costs
 * nothing extra to write. Rows whose last name differs are not spelled out. The application's come
 * last: they are set at once, not with the configuration, so nothing may fail after them.
 */
#include "knob_at.h"

#include "rxfh.h"
#include "text.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int knob_complain(const struct knob_at *at, int error, const char *format, ...)
{
	int n = snprintf(at->err, at->err_len, "%s: ", at->path);
	va_list args;

	va_start(args, format);
	if (n > 0 && (size_t)n < at->err_len)
		vsnprintf(at->err + n, at->err_len - (size_t)n, format, args);
	va_end(args);
	return error;
}

int knob_number(const struct knob_at *at, const char *value, uint64_t max, uint64_t *number)
{
	if (text_number(value, max, number))
		return 0;
	return knob_complain(at, -EINVAL, "'%s' is not a number from 0 to %" PRIu64, value, max);
}

int knob_switch(const struct knob_at *at, const char *value, bool *on)
{
	*on = strcmp(value, "on") == 0;
	if (!*on && strcmp(value, "off") != 0)
		return knob_complain(at, -EINVAL, "'%s' is neither on nor off", value);
	return 0;
}

int knob_keep(const struct knob_at *at, const char *value, knob_reader *read, const char *why)
{
	char text[CPULIST_TEXT_MAX];

	read(at, text, sizeof(text));
	if (strcmp(text, value) == 0)
		return 0;
	return knob_complain(at, -EOPNOTSUPP, "read-only: %s", why);
}

#define KNOB(pattern, name)                                          \
	{                                                            \
		pattern, knob_read_##name, knob_set_##name, 0, false \
	}
#define TUNNEL(name, kind)                                                             \
	{                                                                              \
		"net/" name "/dstport", knob_read_tunnel, knob_set_tunnel, kind, false \
	}
#define FEATURE(name, kind, bit)                                                     \
	{                                                                            \
		"PORT/features/" name, knob_read_##kind, knob_set_##kind, bit, false \
	}
#define ALIAS(name, kind, bit)                                                      \
	{                                                                           \
		"PORT/features/" name, knob_read_##kind, knob_set_##kind, bit, true \
	}
#define TSO \
	(LEAT_GSO_TCPV4 | LEAT_GSO_TCP_ECN | CONF_MANGLEID | LEAT_GSO_TCPV6 | LEAT_GSO_TCP_ACCECN)

static const struct knob table[] = {
	KNOB("PORT/queues/rx-N/rps_cpus", rps_cpus),
	KNOB("PORT/queues/rx-N/rps_flow_cnt", rps_flow_cnt),
	KNOB("PORT/queues/rx-N/smp_affinity", affinity),
	KNOB("PORT/queues/rx-N/smp_affinity_list", affinity_list),
	KNOB("PORT/queues/rx-N/effective_affinity", effective_affinity),
	KNOB("PORT/queues/rx-N/effective_affinity_list", effective_affinity_list),
	KNOB("PORT/mqprio", mqprio), /* which empties what the next hold */
	KNOB("PORT/queues/tx-N/xps_cpus", xps_cpus),
	KNOB("PORT/queues/tx-N/xps_rxqs", xps_rxqs),
	KNOB("PORT/queues/tx-N/traffic_class", traffic_class),
	KNOB("PORT/gro_flush_timeout", gro_flush_timeout),
	KNOB("PORT/arfs_filters", arfs_filters),
	KNOB("PORT/gso_max_size", gso_max_size),
	KNOB("PORT/gso_ipv4_max_size", gso_ipv4_max_size),
	KNOB("PORT/gso_max_segs", gso_max_segs),
	KNOB("PORT/gro_max_size", gro_max_size),
	KNOB("PORT/gro_ipv4_max_size", gro_ipv4_max_size),
	KNOB("PORT/tso_max_size", tso_max_size),
	KNOB("PORT/tso_max_segs", tso_max_segs),
	KNOB("PORT/rxfh/key", key),
	KNOB("PORT/rxfh/indir", indir),
	KNOB("PORT/rxfh/indir_size", indir_size),
	KNOB("PORT/rxfh/fields", fields),
	KNOB("PORT/rxfh/xfrm", xfrm),
	KNOB("PORT/rxfh/inner", inner),
	KNOB("PORT/rxfh/context", context),
	KNOB("PORT/rxfh/context/N/key", key),
	KNOB("PORT/rxfh/context/N/indir", indir),
	KNOB("PORT/rxfh/context/N/indir_size", indir_size),
	KNOB("PORT/rxfh/context/N/fields", fields),
	KNOB("PORT/rxfh/context/N/xfrm", xfrm),
	KNOB("PORT/rxfh/context/N/inner", inner),
	KNOB("PORT/ntuple/N", rule),
	{"PORT/ntuple/any", knob_read_rule_any, knob_set_rule_any, 0, true},
	FEATURE("rx-checksum", fixed, PORT_RX_TRUST),
	FEATURE("tx-checksum-ip-generic", csum, PORT_TX_CSUM),
	FEATURE("tx-checksum-sctp", crc, PORT_TX_CRC),
	FEATURE("tx-scatter-gather", fixed, PORT_SG),
	FEATURE("tx-tcp-segmentation", gso, LEAT_GSO_TCPV4),
	FEATURE("tx-tcp-ecn-segmentation", gso, LEAT_GSO_TCP_ECN),
	FEATURE("tx-tcp-mangleid-segmentation", gso, CONF_MANGLEID),
	FEATURE("tx-tcp6-segmentation", gso, LEAT_GSO_TCPV6),
	FEATURE("tx-tcp-accecn-segmentation", gso, LEAT_GSO_TCP_ACCECN),
	FEATURE("tx-generic-segmentation", fixed, PORT_SG),
	FEATURE("rx-gro", rx, CONF_RX_GRO),
	FEATURE("rx-lro", fixed, 0),
	FEATURE("rx-ntuple-filter", ntuple, 0),
	FEATURE("rx-hashing", rx, CONF_RX_HASH),
	FEATURE("tx-gso-robust", gso, LEAT_GSO_DODGY),
	FEATURE("tx-gre-segmentation", gso, LEAT_GSO_GRE),
	FEATURE("tx-gre-csum-segmentation", gso, LEAT_GSO_GRE_CSUM),
	FEATURE("tx-ipxip4-segmentation", gso, LEAT_GSO_IPXIP4),
	FEATURE("tx-ipxip6-segmentation", gso, LEAT_GSO_IPXIP6),
	FEATURE("tx-udp_tnl-segmentation", gso, LEAT_GSO_UDP_TUNNEL),
	FEATURE("tx-udp_tnl-csum-segmentation", gso, LEAT_GSO_UDP_TUNNEL_CSUM),
	FEATURE("tx-gso-partial", gso, LEAT_GSO_PARTIAL),
	FEATURE("tx-tunnel-remcsum-segmentation", gso, LEAT_GSO_TUNNEL_REMCSUM),
	FEATURE("tx-sctp-segmentation", gso, LEAT_GSO_SCTP),
	FEATURE("tx-esp-segmentation", fixed, 0),
	FEATURE("tx-udp-segmentation", gso, LEAT_GSO_UDP_L4),
	FEATURE("tx-udp-fragmentation", gso, LEAT_GSO_UDP),
	FEATURE("tx-gso-list", gso, LEAT_GSO_FRAGLIST),
	FEATURE("rx-gro-hw", fixed, 0),
	FEATURE("rx-gro-list", rx, CONF_RX_GRO_LIST),
	FEATURE("rx-udp-gro-forwarding", rx, CONF_RX_UDP_GRO_FWD),
	FEATURE("rx-gro-sctp", rx, CONF_RX_GRO_SCTP),
	FEATURE("rx-gro-accecn", rx, CONF_RX_GRO_ACCECN),
	FEATURE("rx-gro-jumbogram", rx, CONF_RX_GRO_JUMBO),
	/* ethtool's own names */
	ALIAS("rx-checksumming", fixed, PORT_RX_TRUST),
	ALIAS("rx", fixed, PORT_RX_TRUST),
	ALIAS("tx-checksumming", csum, PORT_TX_CSUM),
	ALIAS("tx", csum, PORT_TX_CSUM),
	ALIAS("scatter-gather", fixed, PORT_SG),
	ALIAS("sg", fixed, PORT_SG),
	{"PORT/features/tcp-segmentation-offload", knob_read_tso, knob_set_gso, TSO, true},
	{"PORT/features/tso", knob_read_tso, knob_set_gso, TSO, true},
	ALIAS("generic-segmentation-offload", fixed, PORT_SG),
	ALIAS("gso", fixed, PORT_SG),
	ALIAS("generic-receive-offload", rx, CONF_RX_GRO),
	ALIAS("gro", rx, CONF_RX_GRO),
	ALIAS("large-receive-offload", fixed, 0),
	ALIAS("lro", fixed, 0),
	ALIAS("ntuple-filters", ntuple, 0),
	ALIAS("ntuple", ntuple, 0),
	ALIAS("receive-hashing", rx, CONF_RX_HASH),
	ALIAS("rxhash", rx, CONF_RX_HASH),
	KNOB("net/core/rps_sock_flow_entries", sock_flow_entries),
	KNOB("net/core/netdev_max_backlog", max_backlog),
	KNOB("net/core/busy_poll", busy_poll),
	KNOB("net/core/gro_normal_batch", gro_normal_batch),
	KNOB("net/core/flow_limit_table_len", flow_limit_table_len),
	KNOB("net/core/flow_limit_cpu_bitmap", flow_limit_cpu_bitmap), /* of that length */
	KNOB("net/core/rps_default_mask", rps_default_mask),
	TUNNEL("vxlan", LEAT_TUNNEL_VXLAN),
	TUNNEL("geneve", LEAT_TUNNEL_GENEVE),
	TUNNEL("gue", LEAT_TUNNEL_GUE),
	TUNNEL("fou", LEAT_TUNNEL_FOU),
};

uint32_t knob_gso_bits(const char *name, size_t len)
{
	static const char features[] = "PORT/features/";

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *own = table[i].pattern + strlen(features);

		if (table[i].set == knob_set_gso && strncmp(own, name, len) == 0 && !own[len])
			return table[i].bit;
	}
	return 0;
}

bool knob_port_name_ok(const char *name)
{
	if (!*name || strcmp(name, "app") == 0 || strcmp(name, "net") == 0)
		return false;
	for (; *name; name++) {
		if (*name <= ' ' || *name >= 0x7f || strchr("/=*?[\\", *name))
			return false;
	}
	return true;
}

/* Name the knob as the user did, for what is said of it. */
static void name(struct knob_at *at, const char *path)
{
	snprintf(at->path, sizeof(at->path), "%s", path ? path : "");
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool may_match(const char *pattern, const struct knob *knob)
{
	if (knob->alias)
		return pattern && strcmp(last_name(pattern), last_name(knob->pattern)) == 0;
	return !pattern || strcmp(last_name(knob->pattern), "N") == 0 ||
	       fnmatch(last_name(pattern), last_name(knob->pattern), 0) == 0;
}

typedef int handle(const struct knob_at *at, const struct knob *knob, void *arg);

struct walk {
	const char *pattern; /* NULL: all */
	bool sets;
	handle *handle;
	void *arg;
	unsigned matched;
};

/* Bytes of the "app/" in front of an application's path for its knob. */
enum { APP = 4 };

static bool is_app(const char *path)
{
	return path && strncmp(path, "app/", APP) == 0;
}

/* The location that a path below ntuple/ spells out, or KNOB_NONE: a rule is set where there is none. */
static uint32_t named_location(const struct walk *walk, const struct knob *knob)
{
	uint64_t location;

	if (!walk->pattern || !strstr(knob->pattern, "/ntuple/N") ||
	    !text_number(last_name(walk->pattern), RXFH_LOCATIONS - 1, &location))
		return KNOB_NONE;
	return (uint32_t)location;
}

static int handle_one(struct walk *walk, struct knob_at *at, const struct knob *knob)
{
	knob_spell(knob, at, at->path);
	if (walk->pattern && fnmatch(walk->pattern, at->path, FNM_PATHNAME))
		return 0;
	walk->matched++;
	return walk->handle(at, knob, walk->arg);
}

static int walk_row(struct walk *walk, struct knob_at *at, const struct knob *knob)
{
	uint32_t location = named_location(walk, knob);
	int err = 0;

	at->bit = knob->bit;
	if (location != KNOB_NONE) {
		at->n = location;
		return walk->sets || knob_next(knob, at, location) == location ?
			       handle_one(walk, at, knob) :
			       0;
	}
	for (uint32_t n = knob_next(knob, at, 0); n != KNOB_NONE && !err;
	     n = knob_next(knob, at, n + 1)) {
		at->n = n;
		err = handle_one(walk, at, knob);
	}
	return err;
}

/* The rows of at->port; without one, those of no port. */
static int walk_rows(struct walk *walk, struct knob_at *at)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && !err; i++) {
		const struct knob *knob = &table[i];
		bool of_port = strncmp(knob->pattern, "PORT/", 5) == 0;

		if (of_port != (at->port != NULL))
			continue;
		if (!may_match(walk->pattern, knob))
			continue;
		err = walk_row(walk, at, knob);
	}
	return err;
}

static void read_app(const struct knob_at *at, char *text, size_t size)
{
	*text = 0;
	at->plane->app->knob(at->plane, at->path + APP, NULL, text, size);
}

static int set_app(const struct knob_at *at, const char *value)
{
	int err = at->plane->app->knob(at->plane, at->path + APP, value, NULL, 0);

	return err ? knob_complain(at, err, "'%s': %s", value, strerror(-err)) : 0;
}

static int walk_app(struct walk *walk, struct knob_at *at)
{
	static const struct knob knob = {"app/", read_app, set_app, 0, false};
	const struct app_ops *app = at->plane->app;
	int err = 0;

	snprintf(at->path, sizeof(at->path), "%s", knob.pattern);
	for (unsigned i = 0; !err && app->knob_path &&
			     app->knob_path(at->plane, i, at->path + APP, sizeof(at->path) - APP);
	     i++) {
		if (walk->pattern && fnmatch(walk->pattern, at->path, FNM_PATHNAME))
			continue;
		walk->matched++;
		err = walk->handle(at, &knob, walk->arg);
	}
	return err;
}

/* Handle each knob that the pattern matches. */
static int walk_knobs(struct walk *walk, struct knob_at *at)
{
	int err = 0;

	for (unsigned p = 0; p < at->plane->n_ports && !err; p++) {
		at->port = &at->plane->port[p];
		at->port_conf = &at->conf->port[p];
		err = walk_rows(walk, at);
	}
	at->port = NULL;
	if (!err)
		err = walk_rows(walk, at);
	if (!err)
		err = walk_app(walk, at);
	if (err || walk->matched)
		return err;
	name(at, walk->pattern);
	if (is_app(walk->pattern))
		return knob_complain(at, -ENOENT, "app %s has no such knob", at->plane->app->name);
	return knob_complain(at, -ENOENT, "no such knob");
}

static int set_one(const struct knob_at *at, const struct knob *knob, void *value)
{
	return knob->set(at, value);
}

static int set_locked(struct plane *plane, struct knob_at *at, struct walk *walk)
{
	int err;

	at->conf = conf_copy(plane->conf);
	if (!at->conf)
		return knob_complain(at, -ENOMEM, "%s", strerror(ENOMEM));
	err = walk_knobs(walk, at);
	if (!err && !is_app(walk->pattern)) {
		err = plane_publish(plane, at->conf);
		if (!err)
			return 0;
		knob_complain(at, err, "%s", strerror(-err));
	}
	conf_free(at->conf, plane->conf);
	return err;
}

int knob_set(struct plane *plane, const char *path, const char *value, char *err, size_t err_len)
{
	struct knob_at at = {.plane = plane, .err = err, .err_len = err_len};
	char *copy = strdup(value);
	struct walk walk = {.pattern = path, .sets = true, .handle = set_one, .arg = copy};
	int error;

	name(&at, path);
	if (!copy)
		return knob_complain(&at, -ENOMEM, "%s", strerror(ENOMEM));
	copy[strcspn(copy, "\n")] = 0;
	pthread_mutex_lock(&plane->conf_lock);
	error = set_locked(plane, &at, &walk);
	pthread_mutex_unlock(&plane->conf_lock);
	free(copy);
	return error;
}

struct visitor {
	knob_visit *visit;
	void *arg;
	char text[KNOB_TEXT_MAX];
};

static int visit_one(const struct knob_at *at, const struct knob *knob, void *arg)
{
	struct visitor *v = arg;

	knob->read(at, v->text, sizeof(v->text));
	return v->visit(v->arg, at->path, v->text);
}

int knob_list(struct plane *plane, const char *path, knob_visit *visit, void *arg, char *err,
	      size_t err_len)
{
	struct knob_at at = {.plane = plane, .err = err, .err_len = err_len};
	struct visitor v = {.visit = visit, .arg = arg};
	struct walk walk = {.pattern = path, .handle = visit_one, .arg = &v};
	int error;

	name(&at, path);
	pthread_mutex_lock(&plane->conf_lock);
	at.conf = plane->conf;
	error = walk_knobs(&walk, &at);
	pthread_mutex_unlock(&plane->conf_lock);
	return error;
}

struct copy {
	char *text;
	size_t size;
};

static int copy_value(void *arg, const char *path, const char *value)
{
	struct copy *copy = arg;

	(void)path;
	snprintf(copy->text, copy->size, "%s", value);
	return 0;
}

int knob_get(struct plane *plane, const char *path, char *text, size_t size, char *err,
	     size_t err_len)
{
	struct copy copy = {text, size};

	return knob_list(plane, path, copy_value, &copy, err, err_len);
}
