/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <inttypes.h>

static const struct {
	const char *key, *words; /* NULL: said in the first two lines */
} counters[JOB_COUNTS] = {
	[JOB_FRAMES_IN] = {"frames_in", NULL},
	[JOB_BYTES_IN] = {"bytes_in", NULL},
	[JOB_FRAMES_OUT] = {"frames_out", NULL},
	[JOB_BYTES_OUT] = {"bytes_out", NULL},
	[JOB_SNAPPED] = {"snapped", "cut short by the capture, passed on as they are"},
	[JOB_UNKNOWN] = {"not_looked_into", "of a link type not looked into, or over the limit"},
	[JOB_COMPLETED] = {"checksums_completed", "had a partial checksum, which was completed"},
	[JOB_LEFT_PARTIAL] = {"checksums_partial", "have a partial checksum, which was left"},
	[JOB_FILLED] = {"lengths_filled", "had an IP length of 0, which was filled in"},
	[JOB_CUT] = {"cut", "were cut"},
	[JOB_SEGMENTS] = {"segments", "segments came of that"},
	[JOB_FRAGMENTED] = {"fragmented", "were fragmented"},
	[JOB_FRAGMENTS] = {"fragments", "fragments came of that"},
	[JOB_UDP_LARGE] = {"udp_too_large", "UDP, larger than fits, passed on as they are "
					    "(--gso-size N cuts them, --udp fragment fragments)"},
	[JOB_LARGE] = {"too_large", "larger than fits and not to be cut, passed on as they are"},
	[JOB_BAD_METADATA] = {"bad_metadata", "with a wrong virtio_net_hdr, passed on without it"},
	[JOB_SUPERS] = {"super_packets", "super-packets were made"},
	[JOB_MERGED] = {"merged", "were merged into those"},
	[JOB_INEXPRESSIBLE] = {"inexpressible", "super-packets the virtio_net_hdr cannot express, "
						"written unmerged"},
	[JOB_IRREVERSIBLE] = {"irreversible", "super-packets that would not come back the same, "
					      "written unmerged"},
};

void job_print_counts(const struct job *j, FILE *to)
{
	const uint64_t *c = j->count;

	fprintf(to, "%s: %" PRIu64 " frames, %" PRIu64 " bytes\n", j->in, c[JOB_FRAMES_IN],
		c[JOB_BYTES_IN]);
	fprintf(to, "%s: %" PRIu64 " frames, %" PRIu64 " bytes\n", j->out, c[JOB_FRAMES_OUT],
		c[JOB_BYTES_OUT]);
	for (unsigned i = 0; i < JOB_COUNTS; i++) {
		if (c[i] && counters[i].words)
			fprintf(to, "%10" PRIu64 " %s\n", c[i], counters[i].words);
	}
}

json_t *job_json_counts(const struct job *j)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < JOB_COUNTS; i++)
		json_object_set_new(o, counters[i].key, json_integer((json_int_t)j->count[i]));
	return o;
}
