/* Three TCP segments become one super-packet, and that the same three segments again. */
#include <leat/gro.h>
#include <leat/gso.h>
#include <leat/parse.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3, HEADERS = 54, PAYLOAD = 1024, FRAME = HEADERS + PAYLOAD };

/* Parse and merge the packets, segment what comes out: gives how many segments there are. */
static unsigned merge_and_segment(struct leat_gro *gro, struct leat_pkt **in, unsigned n,
				  struct leat_gso_out *segments)
{
	struct leat_pkt *out[2 * N];
	struct leat_gso gso;

	leat_parse(NULL, in, n);
	n = leat_gro_receive(gro, in, n, 0, out);
	n += leat_gro_flush(gro, UINT64_MAX, out + n, 1);
	for (unsigned i = 0; i < n; i++) {
		if (leat_gso_init(&gso, out[i], &(struct leat_gso_conf){0}) > 0)
			leat_gso_segment(&gso, segments);
	}
	return segments->n_segs;
}

int main(void)
{
	static const char headers[] = /* Ethernet, IPv4, TCP: the first segment's */
		"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00"
		"\x45\x00\x04\x28\x00\x00\x40\x00\x40\x06\xb2\xcc\xc0\x00\x02\x01\xc0\x00\x02\x02"
		"\x03\xe8\x00\x50\x00\x00\x00\x00\x00\x00\x00\x01\x50\x10\x10\x00\x13\x98\x00\x00";
	static uint8_t frame[N][FRAME], sent[N][FRAME], hdr[N * HEADERS];
	struct leat_pkt pkt[N] = {0}, *in[N];
	struct leat_seg seg[N];
	struct leat_slice slice[2 * N], *s = slice;
	struct leat_gso_out segments = {seg, N, 0, slice, 2 * N, 0, hdr, sizeof(hdr), 0, 0};
	struct leat_gro_conf conf = {.flows = 16, .buckets = 8};
	struct leat_gro gro;
	void *mem = aligned_alloc(64, leat_gro_size(&conf));
	int same = 0;

	for (int i = 0; i < N; i++) {
		memcpy(frame[i], headers, HEADERS);
		frame[i][19] += i, frame[i][25] -= i;	      /* IP ID, and its checksum */
		frame[i][40] += 4 * i, frame[i][50] -= 4 * i; /* sequence number, and its */
		memcpy(sent[i], frame[i], FRAME);
		leat_pkt_init(in[i] = &pkt[i], frame[i], FRAME);
	}
	if (!mem || leat_gro_init(&gro, &conf, mem) ||
	    merge_and_segment(&gro, in, N, &segments) != N)
		return 1;
	for (int i = 0; i < N; i++, s += 2) /* each segment: its headers, its payload */
		same += seg[i].slices == 2 && s[0].len + s[1].len == FRAME &&
			memcmp(s[0].base, sent[i], s[0].len) == 0 &&
			memcmp(s[1].base, sent[i] + s[0].len, s[1].len) == 0;
	free(mem);
	return same == N ? 0 : 1;
}
