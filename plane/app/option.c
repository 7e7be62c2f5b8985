/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse_unknown(const char *app, const char *name, const struct app_option *options,
			  char *err, size_t err_len)
{
	int n = snprintf(err, err_len, "app %s: no option '%s' (", app, name);

	for (const struct app_option *o = options; o->name && n > 0 && (size_t)n < err_len; o++)
		n += snprintf(err + n, err_len - (size_t)n, "%s=%s", o->name,
			      o[1].name ? ", " : ")");
	return -EINVAL;
}

static int take_number(const char *app, const struct app_option *o, const char *text, char *err,
		       size_t err_len)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (isdigit((unsigned char)*text) && !*end && v >= o->min && v <= o->max) {
		*o->value = (unsigned)v;
		return 0;
	}
	snprintf(err, err_len, "app %s: %s=%s: wants %u to %u", app, o->name, text, o->min, o->max);
	return -EINVAL;
}

static int take_text(const char *app, const struct app_option *o, const char *text, char *err,
		     size_t err_len)
{
	char why[256] = "";
	int e = o->take(o->to, text, why, sizeof(why));

	if (e)
		snprintf(err, err_len, "app %s: %s", app, why);
	return e;
}

static int take(const char *app, char *name, const struct app_option *options, char *err,
		size_t err_len)
{
	const struct app_option *o = options;
	char *value = strchr(name, '=');

	if (value)
		*value++ = 0;
	while (o->name && strcmp(o->name, name) != 0)
		o++;
	if (!o->name)
		return refuse_unknown(app, name, options, err, err_len);
	if (!value) {
		snprintf(err, err_len, "app %s: %s: wants a value", app, name);
		return -EINVAL;
	}
	return o->take ? take_text(app, o, value, err, err_len) :
			 take_number(app, o, value, err, err_len);
}

int app_options(const char *app, const char *args, const struct app_option *options, char *err,
		size_t err_len)
{
	char *copy = strdup(args ? args : ""), *rest = copy, *one;
	int e = copy ? 0 : -ENOMEM;

	if (e)
		snprintf(err, err_len, "app %s: %s", app, strerror(ENOMEM));
	while (!e && rest && *rest) {
		one = strsep(&rest, ",");
		e = take(app, one, options, err, err_len);
	}
	free(copy);
	return e;
}
