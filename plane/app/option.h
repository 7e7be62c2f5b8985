/* SPDX-License-Identifier: MIT */
/*
 * option.h - an application's options: "threads=2,port=7".
 */
#ifndef PLANE_APP_OPTION_H
#define PLANE_APP_OPTION_H

#include <stddef.h>

/* A number from min to max that goes to *value; or whatever `take` makes of the text, who gives 0, or
 * -errno with a message. */
struct app_option {
	const char *name; /* NULL: the end */
	unsigned min, max;
	unsigned *value;
	int (*take)(void *to, const char *text, char *err, size_t err_len);
	void *to;
};

/* Take `args` over, NULL being none. 0; or with a message that begins with "app NAME: " -EINVAL,
 * -ENOMEM, what `take` gave. */
int app_options(const char *app, const char *args, const struct app_option *options, char *err,
		size_t err_len);

#endif
