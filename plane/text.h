/* SPDX-License-Identifier: MIT */
/*
 * text.h - reading words and writing them: what the values of knobs are made of.
 */
#ifndef PLANE_TEXT_H
#define PLANE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text being written, or words being read, and where to say what is wrong with them. */
struct text {
	char *at;
	size_t size;
};

/* Append to the text; what has no room is left out, and all after it. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say what is wrong; gives -EINVAL. */
int text_refuse(const struct text *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next word at *at, ended and stepped over; NULL past the last. */
char *text_word(char **at);

/* Read the whole of `word` as the kernel reads a number, from 0 to max. */
bool text_number(const char *word, uint64_t max, uint64_t *number);

/* Read `n` bytes in hexadecimal, with or without colons between them. False: `word` is not that. */
bool text_bytes(const char *word, uint8_t *bytes, unsigned n);

#endif
