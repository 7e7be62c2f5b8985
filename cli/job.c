/* SPDX-License-Identifier: MIT */
/*
 * A job: IN is opened and its first frame read before OUT is touched, so that what cannot work is
 * refused while nothing is lost. Interfaces are described in OUT as IN describes them.
 */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	NOT_PEEKED = 2,
	LOOK_FRAMES = 1024,	/* frames between two looks at the clock */
	LOOK_EVERY = 250000000, /* ns between two lines of progress */
};

int job_take_json(void *to, char *value, char *err, size_t err_len)
{
	(void)value, (void)err, (void)err_len;
	((struct job *)to)->json = true;
	return 0;
}

int job_take_vnet(unsigned *vnet, const char *value, char *err, size_t err_len)
{
	static const struct {
		const char *text;
		unsigned bytes;
	} sizes[] = {{"10", LEAT_VNET_HDR_LEN},
		     {"12", LEAT_VNET_HDR_MRG_LEN},
		     {"20", LEAT_VNET_HDR_HASH_LEN},
		     {"24", LEAT_VNET_HDR_TUNNEL_LEN}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (strcmp(value ? value : "12", sizes[i].text) == 0) {
			*vnet = sizes[i].bytes;
			return 0;
		}
	}
	snprintf(err, err_len, "'%s' is not 10, 12, 20 or 24 bytes", value);
	return -1;
}

int job_fail(const struct job *j, const char *file, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%sleat %s: %s: ", j->size ? "\r\033[K" : "", j->command, file);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_WORK;
}

static bool is_stdio(const char *path)
{
	return strcmp(path, "-") == 0;
}

FILE *job_report(const struct job *j)
{
	return is_stdio(j->out) ? stderr : stdout;
}

static const char *type_name(uint16_t link_type)
{
	const struct linktype *t = linktype_find(link_type);

	if (link_type == LINKTYPE_USER0)
		return "USER0";
	return t ? t->name : "not one of ours";
}

/* What a link type of IN is in OUT. */
static uint16_t type_out(const struct job *j, uint16_t link_type)
{
	if (j->vnet_out && link_type == LINKTYPE_ETHERNET)
		return LINKTYPE_USER0;
	return j->vnet_in && link_type == LINKTYPE_USER0 ? LINKTYPE_ETHERNET : link_type;
}

static int check_type(const struct job *j, uint16_t link_type, uint64_t number)
{
	if (j->vnet_out && link_type != LINKTYPE_ETHERNET)
		return job_fail(j, j->in,
				"frame %" PRIu64 " has link type %u (%s): --vnet-hdr is for "
				"Ethernet alone",
				number, link_type, type_name(link_type));
	if (j->vnet_in && link_type != LINKTYPE_USER0)
		return job_fail(j, j->in,
				"frame %" PRIu64 " has link type %u (%s): --vnet-hdr reads %u "
				"(USER0)",
				number, link_type, type_name(link_type), LINKTYPE_USER0);
	return EXIT_OK;
}

/* Whether OUT is the file that is read. */
static bool is_same_file(const struct job *j)
{
	struct stat in, out;

	if (fstat(fileno(j->reader.file), &in) || !S_ISREG(in.st_mode))
		return false;
	if (is_stdio(j->out) ? fstat(STDOUT_FILENO, &out) : stat(j->out, &out))
		return false;
	return in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int open_out(struct job *j)
{
	const struct capture_reader *r = &j->reader;
	uint16_t type = r->interfaces ? r->interface[0].link_type : LINKTYPE_ETHERNET;
	bool usec = !r->ng && r->interface[0].resolution == 6;
	int e;

	if (is_same_file(j)) {
		job_fail(j, j->out, "is the file that is read");
		return EXIT_USAGE;
	}
	if (j->peeked == 1)
		type = j->first.link_type;
	e = capture_create(&j->writer, j->out, type_out(j, type),
			   usec ? CAPTURE_USEC : CAPTURE_NSEC);
	return e ? job_fail(j, j->out, "%s", strerror(-e)) : EXIT_OK;
}

/* Progress is for who sits before a terminal and knows how much there is. */
static void find_size(struct job *j)
{
	struct stat in;

	if (isatty(STDERR_FILENO) && fstat(fileno(j->reader.file), &in) == 0 && S_ISREG(in.st_mode))
		j->size = (uint64_t)in.st_size;
}

int job_open_in(struct job *j, const struct args_command *command, const char *in)
{
	j->command = command->name;
	j->in = in;
	if (capture_open(&j->reader, in))
		return job_fail(j, in, "%s", j->reader.error);
	j->peeked = capture_read(&j->reader, &j->first);
	find_size(j);
	return EXIT_OK;
}

int job_open(struct job *j, const struct args_command *command, int argc, char **argv, int at)
{
	int code;

	if (argc - at != 2)
		return args_wrong(command,
				  argc - at < 2 ? "which capture, and where to?" : "what is '%s'?",
				  argv[argc - at < 2 ? 0 : at + 2]);
	code = job_open_in(j, command, argv[at]);
	if (code)
		return code;
	j->out = argv[at + 1];
	if (j->peeked == 1)
		code = check_type(j, j->first.link_type, 1);
	if (!code)
		code = open_out(j);
	if (code)
		capture_close(&j->reader);
	return code;
}

static int number_interface(struct job *j)
{
	struct capture_interface i = j->reader.interface[j->numbers];
	int number;

	if (j->numbers == j->room) {
		uint32_t room = j->room ? 2 * j->room : 8;
		void *more = realloc(j->number, room * sizeof(*j->number));

		if (!more)
			return job_fail(j, j->in, "%s", strerror(ENOMEM));
		j->number = more;
		j->room = room;
	}
	i.link_type = type_out(j, i.link_type);
	number = capture_describe(&j->writer, &i);
	if (number < 0 && number != -EPROTOTYPE)
		return job_fail(j, j->out, "%s", strerror(-number));
	j->number[j->numbers++] = number;
	return EXIT_OK;
}

/* Describe those that were read since the last time. */
static int number_interfaces(struct job *j)
{
	if (j->section != j->reader.section) {
		j->section = j->reader.section;
		j->numbers = 0;
	}
	while (j->out && j->numbers < j->reader.interfaces) {
		if (number_interface(j))
			return -1;
	}
	return 0;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void show_progress(struct job *j)
{
	uint64_t time;

	if (!j->size || j->reader.frames % LOOK_FRAMES)
		return;
	time = now();
	if (time < j->next_look)
		return;
	j->next_look = time + LOOK_EVERY;
	fprintf(stderr, "\r%s: %3u%%, %" PRIu64 " frames", j->in,
		(unsigned)(100 * j->reader.offset / j->size), j->reader.frames);
}

/* The next frame as it is in the file. */
static int read_frame(struct job *j, struct capture_frame *in)
{
	int got = j->peeked;

	if (got == NOT_PEEKED)
		got = capture_read(&j->reader, in);
	else
		*in = j->first;
	j->peeked = NOT_PEEKED;
	if (number_interfaces(j))
		return -1;
	if (got < 0) {
		job_fail(j, j->in, "%s", j->reader.error);
		return -1;
	}
	return got;
}

static int check_frame(struct job *j, const struct capture_frame *in)
{
	uint64_t number = j->reader.frames;

	if (check_type(j, in->link_type, number))
		return -1;
	if (j->out && j->number[in->interface] == -EPROTOTYPE) {
		job_fail(j, j->out,
			 "a pcap file has one link type, %u (%s) here, but frame %" PRIu64
			 " of %s has %u (%s): a name in .pcapng takes both",
			 j->writer.link_type, type_name(j->writer.link_type), number, j->in,
			 in->link_type, type_name(in->link_type));
		return -1;
	}
	if (in->len < j->vnet_in) {
		job_fail(j, j->in, "frame %" PRIu64 ": %u bytes, less than a header of %u", number,
			 in->len, j->vnet_in);
		return -1;
	}
	return 0;
}

/* Have an Ethernet frame of it, if it can be one. */
static bool enter(struct job *j, struct job_frame *f, uint16_t link_type)
{
	const struct linktype *t = linktype_find(j->vnet_in ? LINKTYPE_ETHERNET : link_type);

	f->link.replaced = false;
	if (!t || f->len > LEAT_PKT_LEN_MAX - LINKTYPE_STAND_IN)
		return false;
	if (t->number == LINKTYPE_ETHERNET)
		return true;
	if (f->len < t->header)
		return false;
	memcpy(f->link.bytes, f->data, t->header);
	f->link.len = t->header;
	f->link.replaced = linktype_replace(t, f->data, f->len);
	if (f->link.replaced) {
		f->data += t->header - LINKTYPE_STAND_IN;
		f->len -= (uint32_t)t->header - LINKTYPE_STAND_IN;
	}
	return f->link.replaced;
}

int job_read(struct job *j, struct job_frame *f)
{
	struct capture_frame in;
	int got = read_frame(j, &in);

	if (got <= 0)
		return got;
	if (check_frame(j, &in))
		return -1;
	f->number = j->reader.frames;
	f->vnet = j->vnet_in ? in.data : NULL;
	f->data = in.data + j->vnet_in;
	f->len = in.len - j->vnet_in;
	f->whole = in.len == in.orig_len;
	f->mark = (struct capture_mark){
		.stamp = in.stamp,
		.interface = j->out ? (uint32_t)j->number[in.interface] : 0,
		.missing = in.orig_len - in.len,
	};
	j->count[JOB_FRAMES_IN]++;
	j->count[JOB_BYTES_IN] += f->len;
	f->known = enter(j, f, in.link_type);
	j->count[JOB_SNAPPED] += !f->whole;
	j->count[JOB_UNKNOWN] += !f->known;
	show_progress(j);
	return 1;
}

int job_write(struct job *j, const struct job_link *link, const struct capture_mark *mark,
	      const void *vnet, struct iovec *iov, unsigned n)
{
	static const uint8_t ordinary[LEAT_VNET_HDR_LEN_MAX];
	int e;

	if (link->replaced) {
		iov[0].iov_base = (uint8_t *)iov[0].iov_base + LINKTYPE_STAND_IN;
		iov[0].iov_len -= LINKTYPE_STAND_IN;
		iov[-1] = (struct iovec){(void *)link->bytes, link->len};
		iov--, n++;
	} else if (j->vnet_out) {
		iov[-1] = (struct iovec){(void *)(vnet ? vnet : ordinary), j->vnet_out};
		iov--, n++;
	}
	e = capture_write_marked(&j->writer, iov, n, mark);
	if (e == -EMSGSIZE) {
		job_fail(j, j->in, "a frame of over %u bytes, its virtio_net_hdr included",
			 CAPTURE_FRAME_MAX);
		return -1;
	}
	if (e)
		job_fail(j, j->out, "not all was written: %s", strerror(-e));
	return e ? -1 : 0;
}

static void report(struct job *j, json_t *more)
{
	json_t *all;

	if (!j->json) {
		job_print_counts(j, stderr);
		return;
	}
	all = job_json_counts(j);
	json_object_update(all, more);
	json_dumpf(all, job_report(j), JSON_COMPACT);
	fputc('\n', job_report(j));
	json_decref(all);
}

void job_close_in(struct job *j)
{
	if (j->size)
		fputs("\r\033[K", stderr);
	capture_close(&j->reader);
	free(j->number);
}

int job_close(struct job *j, int code, json_t *more)
{
	bool failed = j->writer.failed;
	int e;

	j->count[JOB_FRAMES_OUT] = j->writer.frames;
	j->count[JOB_BYTES_OUT] = j->writer.bytes - j->writer.frames * j->vnet_out;
	e = capture_finish(&j->writer);
	if (e && !failed)
		code = job_fail(j, j->out, "not all was written: %s", strerror(-e));
	job_close_in(j);
	report(j, more);
	return args_finish(e ? EXIT_WORK : code);
}
