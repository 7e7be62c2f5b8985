/* SPDX-License-Identifier: MIT */
/*
 * leat coalesce: a capture's frames become super-packets.
 */
#include "coalesce.h"
#include "main.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT = 1000000 }; /* ns */

static int take_max_size(void *to, char *value, char *err, size_t err_len)
{
	struct coalesce *c = to;
	unsigned long n;
	int e = args_number(value, 128, LEAT_GRO_SIZE_MAX, &n, err, err_len);

	c->conf.max_size = e ? 0 : (uint32_t)n;
	return e;
}

static int take_flows(void *to, char *value, char *err, size_t err_len)
{
	struct coalesce *c = to;
	unsigned long n;
	int e = args_number(value, 1, SMALLS, &n, err, err_len);

	c->conf.flows = e ? 0 : (uint32_t)n;
	return e;
}

static int take_timeout(void *to, char *value, char *err, size_t err_len)
{
	return args_duration(value, &((struct coalesce *)to)->timeout, err, err_len);
}

static int take_vnet(void *to, char *value, char *err, size_t err_len)
{
	return job_take_vnet(&((struct coalesce *)to)->job.vnet_out, value, err, err_len);
}

static int take_why(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct coalesce *)to)->why = true;
	return 0;
}

static int take_udp(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct coalesce *)to)->conf.udp = true;
	return 0;
}

static int take_sctp(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct coalesce *)to)->conf.sctp = true;
	return 0;
}

static int take_accecn(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct coalesce *)to)->conf.accecn = true;
	return 0;
}

static const struct args_option options[] = {
	{"max-size", 'm', "N", "super-packets below N bytes, from the IP header on (65536)",
	 take_max_size},
	{"flows", 0, "N", "hold at most N flows at a time (4096)", take_flows},
	{"timeout", 't', "TIME", "hold a frame for so long, by the capture's clock (1ms)",
	 take_timeout},
	{"udp", 'u', NULL, "merge UDP datagrams too", take_udp},
	{"sctp", 0, NULL, "merge SCTP packets too", take_sctp},
	{"accecn", 0, NULL, "merge TCP with CWR, as newer kernels do", take_accecn},
	{"vnet-hdr", 0, "[=N]", "write a virtio_net_hdr of N bytes (12) in front of each frame",
	 take_vnet},
	{"why", 'w', NULL, "say of each frame why it was merged or not", take_why},
	{"json", 'j', NULL, "print what was done as JSON", job_take_json},
	{0},
};

static const struct args_command command = {
	"coalesce", "IN OUT",
	"Merge consecutive frames of a flow into super-packets, as a receiving kernel does. With\n"
	"--vnet-hdr, leat segment --vnet-hdr makes the same frames of OUT again. IN and OUT are\n"
	"pcap or pcapng (by OUT's name), or - for a pipe.",
	options, NULL};

static int set_up(struct coalesce *c)
{
	size_t size;

	if (!c->timeout)
		c->timeout = TIMEOUT;
	size = leat_gro_size(&c->conf);
	c->mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
	if (!c->mem || pool_init(&c->pool, SMALLS, BIGS))
		return job_fail(&c->job, "memory", "%s", strerror(ENOMEM));
	return leat_gro_init(&c->gro, &c->conf, c->mem) ? EXIT_WORK : EXIT_OK;
}

static int coalesce_all(struct coalesce *c)
{
	struct job_frame f;
	int got;

	while ((got = job_read(&c->job, &f)) == 1) {
		if (coalesce_receive(c, &f))
			return EXIT_WORK;
	}
	return coalesce_finish(c) || got < 0 ? EXIT_WORK : EXIT_OK;
}

int coalesce_main(int argc, char **argv)
{
	static struct coalesce c;
	json_t *reasons = NULL;
	int code, at = args_parse(&command, argc, argv, &c, &code);

	if (at < 0)
		return code;
	code = job_open(&c.job, &command, argc, argv, at);
	if (code)
		return code;
	code = set_up(&c);
	if (!code)
		code = coalesce_all(&c);
	if (c.why && !c.job.json)
		coalesce_print(&c, job_report(&c.job));
	if (c.job.json)
		reasons = coalesce_json(&c);
	code = job_close(&c.job, code, reasons);
	if (!c.job.vnet_out)
		fprintf(stderr, "leat coalesce: how large the merged frames were is lost: "
				"--vnet-hdr keeps it\n");
	json_decref(reasons);
	pool_fini(&c.pool);
	free(c.mem);
	return code;
}
