/*
 * For tests: a directory of lanes that vanishes, and files to damage. Include after cmocka.h.
 */
#ifndef RECORD_TEST_LANES_H
#define RECORD_TEST_LANES_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/lane.h"

struct test_dir {
	char path[64];
};

static inline struct test_dir test_dir_make(void)
{
	struct test_dir dir = { .path = "/tmp/crossfade-record-XXXXXX" };

	assert_non_null(mkdtemp(dir.path));
	return dir;
}

static inline void test_dir_remove(const struct test_dir *dir)
{
	DIR *entries = opendir(dir->path);
	struct dirent *entry;

	assert_non_null(entries);
	while ((entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	assert_int_equal(rmdir(dir->path), 0);
}

static inline const char *test_path(const struct test_dir *dir, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", dir->path, name);
	return out;
}

static inline struct lane *test_lane_open(const struct test_dir *dir, const char *run,
					  enum lane_role role, uint32_t index)
{
	struct lane_identity identity = {
		.scenario_digest = "d1", .seed = 42, .role = role, .index = index
	};
	struct err err = { 0 };
	struct lane *lane = NULL;

	snprintf(identity.run, sizeof(identity.run), "%s", run);
	if (lane_open(dir->path, &identity, &lane, &err) < 0)
		fail_msg("%s", err.text);
	return lane;
}

static inline void test_lane_close(struct lane *lane)
{
	struct err err = { 0 };

	if (lane_close(lane, &err) < 0)
		fail_msg("%s", err.text);
}

static inline size_t test_file_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* The whole file, to be freed. */
static inline char *test_file_read(const char *path, size_t *ret_size)
{
	size_t size = test_file_size(path);
	char *data = malloc(size + 1);
	FILE *file = fopen(path, "r");

	assert_non_null(data);
	assert_non_null(file);
	assert_int_equal(fread(data, 1, size, file), size);
	fclose(file);
	data[size] = '\0';
	*ret_size = size;
	return data;
}

static inline void test_file_write(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

#endif
