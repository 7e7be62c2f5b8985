/* SPDX-License-Identifier: MIT */
/*
 * mend.h - what a capturing host leaves to its network card, and so leaves out of its captures:
 * checksums, and the IP length of packets that the card is to cut.
 */
#ifndef CLI_MEND_H
#define CLI_MEND_H

#include <leat/pkt.h>

/* Whether the parsed packet's innermost checksum was left partial: TCP's or UDP's field has the
 * folded pseudo-header sum, which is not right by chance, or SCTP's is 0; where that is right, it
 * is what completing gives again. Then it is described as LEAT_CSUM_PARTIAL. `cut`: it will be made
 * anew anyway, so chance does not matter. */
bool mend_is_partial(struct leat_pkt *pkt, bool cut);

/* Complete that checksum. */
void mend_checksum(struct leat_pkt *pkt);

/* Fill in an IP length of 0 where it was left out: TCP or UDP, in a frame that is long enough to
 * have no padding. True if so, and the packet is parsed again. */
bool mend_length(struct leat_pkt *pkt);

#endif
