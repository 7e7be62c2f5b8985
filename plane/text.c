/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->at, text->size, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->size) {
		if (text->size > 0)
			*text->at = 0;
		text->size = 0;
		return;
	}
	text->at += n;
	text->size -= (size_t)n;
}

int text_refuse(const struct text *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->at, err->size, format, args);
	va_end(args);
	return -EINVAL;
}

char *text_word(char **at)
{
	char *word = *at + strspn(*at, " \t");

	if (!*word)
		return NULL;
	*at = word + strcspn(word, " \t");
	if (**at)
		*(*at)++ = 0;
	return word;
}

bool text_number(const char *word, uint64_t max, uint64_t *number)
{
	char *end = NULL;

	errno = 0;
	if (isdigit((unsigned char)*word))
		*number = strtoull(word, &end, 0);
	return end && !*end && !errno && *number <= max;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20; /* lower case */
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_bytes(const char *word, uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int high, low;

		if (i && *word == ':')
			word++;
		high = hex_digit(word[0]);
		low = high < 0 ? -1 : hex_digit(word[1]);
		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		word += 2;
	}
	return *word == '\0';
}
