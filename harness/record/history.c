#include "record/history.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "record/lane_reader.h"
#include "record/ndjson.h"

enum {
	INSTANCES_MAX = 255,
	LINE_MAX_BYTES = 65536,
};

/* Either lanes (and their merge) or a file of NDJSON lines; the other part is zero. */
struct history {
	struct history_names names;
	struct lane_status *status; /* one per lane, filled by history_lanes */
	size_t status_count;

	struct lane_reader *lane;
	size_t lane_count;
	struct lane_reader *current; /* the next event is its while it is older than until_ns */
	int64_t until_ns;
	/* Stamp of each lane's next event, INT64_MAX at its end; current's may be older. */
	int64_t *head_ns;

	FILE *file;
	char *line; /* LINE_MAX_BYTES */
	struct event event;
	uint32_t next_seq; /* lines have none of their own */
};

static struct history *history_new(void)
{
	struct history *history = xcalloc(1, sizeof(*history));

	history->names.instances = names_init(INSTANCES_MAX);
	history->names.notes = names_init(UINT32_MAX);
	return history;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < history->lane_count; i++)
		lane_reader_close(&history->lane[i]);
	free(history->lane);
	free(history->head_ns);
	free(history->status);
	if (history->file)
		fclose(history->file);
	free(history->line);
	names_free(&history->names.instances);
	names_free(&history->names.notes);
	call_names_free(&history->names.calls);
	free(history);
}

/* ---- NDJSON ---- */

/* One line into history->line. 1, 0 at the end, -1 when it is too long or does not read. */
static int read_line(struct history *history, struct err *err)
{
	if (!fgets(history->line, LINE_MAX_BYTES, history->file))
		return ferror(history->file) ? err_errno(err, ERR_INPUT, errno, "read") : 0;
	if (!strchr(history->line, '\n') && !feof(history->file))
		return err_set(err, ERR_INPUT, "longer than %d bytes, or a NUL in it",
			       LINE_MAX_BYTES - 2);
	return 1;
}

/* The next line, parsed; an event goes to history->event. 1, 0 at the end, -1. */
static int next_line(struct history *history, struct lane_status *ret_lane, int *ret_what,
		     struct err *err)
{
	int got = read_line(history, err);

	if (got <= 0)
		return got;
	int what = ndjson_parse(history->line, &history->names, &history->event, ret_lane, err);
	if (what < 0)
		return -1;
	*ret_what = what;
	return 1;
}

/* Reads it all once: what is wrong is said at the door, history_next has no errors to report. */
static int validate(struct history *history, const char *name, struct err *err)
{
	struct lane_status all = { .whole = true }, lane;
	unsigned long long line = 1;
	int what, got;

	snprintf(all.file, sizeof(all.file), "%s", name);
	for (; (got = next_line(history, &lane, &what, err)) > 0; line++) {
		if (what == NDJSON_LANE) {
			size_t size = (history->status_count + 1) * sizeof(lane);
			history->status = xrealloc(history->status, size);
			history->status[history->status_count++] = lane;
		}
		if (what != NDJSON_EVENT)
			continue;
		int64_t t_ns = history->event.t_ns;
		if (t_ns < all.last_ns)
			return err_set(err, ERR_INPUT,
				       "%s:%llu: t %lld is before the %lld of the event above",
				       name, line, (long long)t_ns, (long long)all.last_ns);
		if (!all.events++)
			all.first_ns = t_ns;
		all.last_ns = t_ns;
	}
	if (got < 0)
		return err_context(err, "%s:%llu", name, line);
	if (!history->status_count) {
		history->status = xcalloc(1, sizeof(all));
		history->status[history->status_count++] = all;
	}
	rewind(history->file);
	return 0;
}

static int open_lines(FILE *file, const char *name, struct history **ret, struct err *err)
{
	struct history *history = history_new();

	history->file = file;
	history->line = xcalloc(LINE_MAX_BYTES, 1);
	if (validate(history, name, err) < 0) {
		history_free(history);
		return -1;
	}
	*ret = history;
	return 0;
}

int history_open_text(const char *name, const char *ndjson, struct history **ret, struct err *err)
{
	/* fmemopen takes no empty buffer; the file is only read. */
	FILE *file = *ndjson ? fmemopen((void *)(uintptr_t)ndjson, strlen(ndjson), "r") :
			       fopen("/dev/null", "re");

	if (!file)
		return err_errno(err, ERR_HARNESS, errno, "%s: open", name);
	return open_lines(file, name, ret, err);
}

/* ---- lanes ---- */

static int is_lane(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && !strcmp(entry->d_name + length - 5, ".lane");
}

static int by_role_and_index(const void *a_, const void *b_)
{
	const struct lane_status *a = &((const struct lane_reader *)a_)->status;
	const struct lane_status *b = &((const struct lane_reader *)b_)->status;

	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return strcmp(a->file, b->file);
}

static int same_run(const struct history *history, const char *dir, struct err *err)
{
	const struct lane_reader *first = NULL;

	for (size_t i = 0; i < history->lane_count; i++) {
		const struct lane_reader *lane = &history->lane[i];
		if (!lane->has_header)
			continue;
		if (!first)
			first = lane;
		if (strcmp(first->header.run, lane->header.run) != 0)
			return err_set(err, ERR_INPUT,
				       "%s: lanes of different runs: %s is of %s, %s of %s", dir,
				       first->status.file, first->header.run, lane->status.file,
				       lane->header.run);
	}
	if (!first)
		return err_set(err, ERR_INPUT, "%s: no lane with a header (%zu cut inside it)", dir,
			       history->lane_count);
	return 0;
}

static int open_lane(struct history *history, const char *dir, const char *name, struct err *err)
{
	char *path = xasprintf("%s/%s", dir, name);
	int status = lane_reader_open(path, name, &history->names,
				      &history->lane[history->lane_count], err);

	if (status == 0)
		history->lane_count++;
	free(path);
	return status;
}

static int open_lanes(const char *dir, struct history **ret, struct err *err)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_lane, alphasort);
	int status = 0;

	if (count < 0)
		return err_errno(err, ERR_INPUT, errno, "%s: list", dir);
	struct history *history = history_new();
	history->lane = xcalloc((size_t)count, sizeof(*history->lane));
	history->head_ns = xcalloc((size_t)count, sizeof(*history->head_ns));
	history->status_count = (size_t)count;
	history->status = xcalloc((size_t)count, sizeof(*history->status));
	for (int i = 0; i < count; i++) {
		if (status == 0)
			status = open_lane(history, dir, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	if (!count)
		status = err_set(err, ERR_INPUT, "%s: no lanes: not a run directory", dir);
	else if (status == 0)
		status = same_run(history, dir, err);
	if (status < 0) {
		history_free(history);
		return -1;
	}
	qsort(history->lane, history->lane_count, sizeof(*history->lane), by_role_and_index);
	*ret = history;
	return 0;
}

static void look_at_head(struct history *history, struct lane_reader *lane)
{
	bool more = lane->at < lane->limit || lane_reader_fill(lane);

	history->head_ns[lane - history->lane] = more ? lane_reader_event(lane, lane->at)->t_ns :
							INT64_MAX;
}

/* Finds the lane whose next event is the oldest, and how long it stays so. Which lane is next is
 * nothing a processor could guess: hence no branches in the loop. */
static bool merge(struct history *history)
{
	size_t best = 0;
	int64_t best_ns = INT64_MAX, second_ns = INT64_MAX;

	if (history->current)
		look_at_head(history, history->current);
	else
		for (size_t i = 0; i < history->lane_count; i++)
			look_at_head(history, &history->lane[i]);
	for (size_t i = 0; i < history->lane_count; i++) {
		int64_t head_ns = history->head_ns[i];
		int64_t later_ns = head_ns < best_ns ? best_ns : head_ns;

		best = head_ns < best_ns ? i : best;
		best_ns = head_ns < best_ns ? head_ns : best_ns;
		second_ns = later_ns < second_ns ? later_ns : second_ns;
	}
	if (best_ns == INT64_MAX)
		return false;
	history->current = &history->lane[best];
	history->until_ns = second_ns;
	return true;
}

/* ---- both ---- */

int history_open(const char *path, struct history **ret, struct err *err)
{
	size_t length = strlen(path);
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, ERR_INPUT, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return open_lanes(path, ret, err);
	if (!S_ISREG(st.st_mode) || length < 7 || strcmp(path + length - 7, ".ndjson") != 0)
		return err_set(err, ERR_INPUT, "%s: neither a run directory nor an .ndjson file",
			       path);
	FILE *file = fopen(path, "re");
	if (!file)
		return err_errno(err, ERR_INPUT, errno, "%s: open", path);
	return open_lines(file, path, ret, err);
}

static bool next_slow(struct history *history, const struct event **ret)
{
	struct lane_status lane;
	int what;

	if (!history->file) {
		if (!merge(history))
			return false;
		*ret = lane_reader_event(history->current, history->current->at++);
		return true;
	}
	/* Validated at the door; what fails now changed under our hands and ends the history. */
	while (next_line(history, &lane, &what, NULL) > 0) {
		if (what == NDJSON_EVENT) {
			history->event.seq = history->next_seq++;
			*ret = &history->event;
			return true;
		}
	}
	return false;
}

bool history_next(struct history *history, const struct event **ret)
{
	struct lane_reader *lane = history->current;

	if (lane && lane->at < lane->limit &&
	    lane_reader_event(lane, lane->at)->t_ns < history->until_ns) {
		*ret = lane_reader_event(lane, lane->at++);
		return true;
	}
	return next_slow(history, ret);
}

size_t history_read(struct history *history, struct event *out, size_t max)
{
	const struct event *e;
	size_t count = 0;

	while (count < max && history_next(history, &e))
		out[count++] = *e;
	return count;
}

int history_rewind(struct history *history, struct err *err)
{
	for (size_t i = 0; i < history->lane_count; i++)
		lane_reader_rewind(&history->lane[i]);
	history->current = NULL;
	history->next_seq = 0;
	if (history->file && fseek(history->file, 0, SEEK_SET) < 0)
		return err_errno(err, ERR_HARNESS, errno, "history: rewind");
	return 0;
}

size_t history_lanes(const struct history *history, const struct lane_status **ret)
{
	for (size_t i = 0; i < history->lane_count; i++)
		history->status[i] = history->lane[i].status;
	*ret = history->status;
	return history->status_count;
}

const struct lane_header *history_header(const struct history *history)
{
	for (size_t i = 0; i < history->lane_count; i++) {
		if (history->lane[i].has_header)
			return &history->lane[i].header;
	}
	return NULL;
}

const char *history_instance(const struct history *history, uint8_t instance)
{
	return names_text(&history->names.instances, instance);
}

const char *history_note(const struct history *history, uint32_t note)
{
	return names_text(&history->names.notes, note);
}

const char *history_call(const struct history *history, uint64_t call)
{
	return call_names_id(&history->names.calls, call);
}

void history_print_ndjson(const struct history *history, const struct event *event, FILE *out)
{
	ndjson_print_event(&history->names, event, out);
}

void history_print_ndjson_lanes(const struct history *history, FILE *out)
{
	const struct lane_status *lanes;
	size_t count = history_lanes(history, &lanes);

	for (size_t i = 0; i < count; i++)
		ndjson_print_lane(&lanes[i], out);
}
