/* SPDX-License-Identifier: MIT */
#include "cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_DIGITS = 8, GROUP_BITS = 32 };

/* The text without the white space around it. */
static const char *trim(const char *text, size_t *len)
{
	while (isspace((unsigned char)*text))
		text++;
	*len = strlen(text);
	while (*len && isspace((unsigned char)text[*len - 1]))
		--*len;
	return text;
}

/* Read a decimal number at *text and step over it. */
static int parse_cpu(const char **text, unsigned long *cpu)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	*cpu = strtoul(*text, &end, 10);
	*text = end;
	return 0;
}

/* Read "3" or "0-3". */
static int parse_range(struct cpulist *set, const char **text, unsigned n_cpus)
{
	unsigned long first, last;

	if (parse_cpu(text, &first))
		return -EINVAL;
	last = first;
	if (**text == '-') {
		++*text;
		if (parse_cpu(text, &last) || last < first)
			return -EINVAL;
	}
	if (last >= n_cpus)
		return -EOVERFLOW;
	for (; first <= last; first++)
		cpulist_add(set, (unsigned)first);
	return 0;
}

int cpulist_parse(struct cpulist *set, const char *text, unsigned n_cpus)
{
	struct cpulist made = {{0}};
	size_t len;
	const char *at = trim(text, &len), *end = at + len;
	int err = 0;

	while (at < end && !err) {
		err = parse_range(&made, &at, n_cpus);
		if (err || at == end)
			break;
		if (*at++ != ',' || at == end)
			err = -EINVAL;
	}
	if (!err)
		*set = made;
	return err;
}

static bool is_list(const char *text, size_t len)
{
	const char *comma = memchr(text, ',', len), *end = text + len, *next;

	if (memchr(text, '-', len))
		return true;
	for (; comma; comma = next) {
		next = memchr(comma + 1, ',', (size_t)(end - comma - 1));
		if ((next ? next : end) - comma - 1 != GROUP_DIGITS)
			return true;
	}
	return false;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

int cpulist_parse_mask(struct cpulist *set, const char *text, unsigned n_cpus)
{
	struct cpulist made = {{0}};
	size_t len;
	const char *at = trim(text, &len);
	unsigned bit = 0;
	bool over = strcspn(at, ", \t\n") > GROUP_DIGITS;

	if (is_list(at, len))
		return cpulist_parse(set, text, n_cpus);
	while (len--) {
		int value = digit(at[len]);

		if (at[len] == ',' && len)
			continue;
		if (value < 0)
			return -EINVAL;
		for (int i = 0; i < 4; i++, bit++) {
			bool in = value >> i & 1;

			if (in && bit < n_cpus)
				cpulist_add(&made, bit);
			over |= in && bit >= n_cpus;
		}
	}
	if (over)
		return -EOVERFLOW;
	*set = made;
	return 0;
}

/* Append to text, which has size bytes of which *used are written. */
__attribute__((format(printf, 4, 5))) static void append(char *text, size_t size, size_t *used,
							 const char *format, ...)
{
	va_list args;
	int n;

	if (*used >= size)
		return;
	va_start(args, format);
	n = vsnprintf(text + *used, size - *used, format, args);
	va_end(args);
	*used += n > 0 ? (size_t)n : 0;
}

void cpulist_print(const struct cpulist *set, unsigned n_cpus, char *text, size_t size)
{
	size_t used = 0;

	append(text, size, &used, "%s", "");
	for (unsigned first = 0, last; first < n_cpus; first = last + 1) {
		last = first;
		if (!cpulist_has(set, first))
			continue;
		while (last + 1 < n_cpus && cpulist_has(set, last + 1))
			last++;
		append(text, size, &used, used ? ",%u" : "%u", first);
		if (last > first)
			append(text, size, &used, "-%u", last);
	}
}

void cpulist_print_mask(const struct cpulist *set, unsigned n_cpus, char *text, size_t size)
{
	unsigned groups = (n_cpus + GROUP_BITS - 1) / GROUP_BITS;
	unsigned top = n_cpus - (groups - 1) * GROUP_BITS;
	size_t used = 0;

	for (unsigned group = groups; group--;) {
		uint32_t bits = (uint32_t)(set->bit[group / 2] >> group % 2 * GROUP_BITS);
		int digits = group == groups - 1 ? (int)(top + 3) / 4 : GROUP_DIGITS;

		append(text, size, &used, used ? ",%0*x" : "%0*x", digits, bits);
	}
}

unsigned cpulist_count(const struct cpulist *set)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CPULIST_WORDS; i++)
		n += (unsigned)__builtin_popcountll(set->bit[i]);
	return n;
}
