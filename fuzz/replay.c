/* SPDX-License-Identifier: MIT */
/*
 * replay.c - the fuzzers' main where libFuzzer is not: each file named, and each file of each
 * directory named, is given to the entry once, in a buffer of just its size.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static int replay_file(const char *path)
{
	static uint8_t buf[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (file == NULL) {
		perror(path);
		return 0;
	}
	size = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	data = malloc(size > 0 ? size : 1);
	if (data == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		data[i] = buf[i];
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static int replay_directory(DIR *dir, const char *path)
{
	const struct dirent *entry;
	char name[4096];
	int n = 0;

	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		n += replay_file(name);
	}
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);

		n += dir != NULL ? replay_directory(dir, argv[i]) : replay_file(argv[i]);
	}
	printf("%d inputs\n", n);
	return n == 0;
}
