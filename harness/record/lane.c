#include "record/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libdeflate.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "record/names.h"

enum {
	INSTANCES_MAX = 255,
	NOTES_MAX = 65536,
	TICK_MS = 100,
};
static const char TOO_MANY_NOTES[] = "(one of more notes than a lane keeps)";

/* One block under construction; its header is filled in when it is written. */
struct block {
	uint32_t length, count;
	char bytes[sizeof(struct lane_block) + LANE_BLOCK_BYTES];
};

struct lane {
	int fd, error;	     /* errno of the write that broke it, 0 while whole */
	uint32_t seq, named; /* events, and names, so far */
	int64_t oldest_ns;   /* stamp of the first event of the block */
	struct names instances, notes;
	struct block events, names;
	char path[4096];
};

static const char *const roles[ROLE_COUNT] = {
	[0] = "?",
	[ROLE_WORKER] = "worker",
	[ROLE_TAP] = "tap",
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_DIRECTOR] = "director",
	[ROLE_OBSERVER] = "observer",
};

const char *lane_role_name(unsigned role)
{
	return role < ROLE_COUNT ? roles[role] : "?";
}

int lane_role_parse(const char *word)
{
	for (int role = ROLE_WORKER; role < ROLE_COUNT; role++) {
		if (!strcmp(roles[role], word))
			return role;
	}
	return -1;
}

uint32_t lane_header_crc(const struct lane_header *header)
{
	return libdeflate_crc32(0, header, offsetof(struct lane_header, crc));
}

uint32_t lane_block_crc(const struct lane_block *block, const void *bytes)
{
	const size_t from = offsetof(struct lane_block, what);
	uint32_t crc = libdeflate_crc32(0, (const char *)block + from, sizeof(*block) - from);

	return libdeflate_crc32(crc, bytes, block->length);
}

static void write_all(struct lane *lane, const char *data, size_t size)
{
	while (size && !lane->error) {
		ssize_t written = write(lane->fd, data, size);
		if (written < 0 && errno != EINTR)
			lane->error = errno;
		if (written > 0) {
			data += written;
			size -= (size_t)written;
		}
	}
}

static void write_block(struct lane *lane, struct block *block, uint32_t what)
{
	struct lane_block head = { .length = block->length, .what = what, .count = block->count };

	if (!block->count)
		return;
	head.crc = lane_block_crc(&head, block->bytes + sizeof(head));
	memcpy(block->bytes, &head, sizeof(head));
	write_all(lane, block->bytes, sizeof(head) + head.length);
	block->length = block->count = 0;
}

static char *block_end(struct block *block)
{
	return block->bytes + sizeof(struct lane_block) + block->length;
}

static void read_boot_id(char out[40])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file && fgets(out, 40, file))
		out[strcspn(out, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void read_binary_id(char out[65])
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
		size_t size = (size_t)st.st_size;
		void *binary = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (binary != MAP_FAILED) {
			hash_sha256_hex(binary, size, out);
			munmap(binary, size);
		}
	}
	if (fd >= 0)
		close(fd);
}

/* The two clocks cannot be read at once: realtime lies between two monotonic readings. */
static void read_anchor(struct lane_header *header)
{
	header->anchor_error_ns = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		int64_t before = clock_now_ns();
		int64_t realtime = clock_realtime_ns();
		int64_t error = (clock_now_ns() - before + 1) / 2;
		if (error < header->anchor_error_ns) {
			header->anchor_error_ns = error;
			header->monotonic_ns = before + error;
			header->realtime_ns = realtime;
		}
	}
}

static struct lane_header make_header(const struct lane_identity *identity)
{
	struct lane_header header = {
		.magic = LANE_MAGIC,
		.version = LANE_VERSION,
		.byte_order = 0x01020304,
		.role = identity->role,
		.index = identity->index,
		.pid = (uint32_t)getpid(),
		.seed = identity->seed,
	};

	memcpy(header.run, identity->run, sizeof(header.run));
	memcpy(header.scenario_digest, identity->scenario_digest, sizeof(header.scenario_digest));
	header.run[sizeof(header.run) - 1] = '\0';
	header.scenario_digest[sizeof(header.scenario_digest) - 1] = '\0';
	read_boot_id(header.boot_id);
	read_binary_id(header.binary_id);
	read_anchor(&header);
	header.crc = lane_header_crc(&header);
	return header;
}

static void lane_free(struct lane *lane)
{
	close(lane->fd);
	names_free(&lane->instances);
	names_free(&lane->notes);
	free(lane);
}

int lane_open(const char *dir, const struct lane_identity *identity, struct lane **ret,
	      struct err *err)
{
	ASSERT(identity->role >= ROLE_WORKER && identity->role < ROLE_COUNT);
	struct lane_header header = make_header(identity);
	struct lane *lane = xcalloc(1, sizeof(*lane));

	int length = snprintf(lane->path, sizeof(lane->path), "%s/%s-%u.lane", dir,
			      lane_role_name(identity->role), identity->index);
	if (length >= (int)sizeof(lane->path)) {
		free(lane);
		return err_set(err, ERR_HARNESS, "lane: path of %d bytes, limit %zu", length,
			       sizeof(lane->path) - 1);
	}
	lane->fd = open(lane->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (lane->fd < 0) {
		err_errno(err, ERR_HARNESS, errno, "lane: create %s", lane->path);
		free(lane);
		return -1;
	}
	lane->instances = names_init(INSTANCES_MAX);
	lane->notes = names_init(NOTES_MAX - 1);
	write_all(lane, (const char *)&header, sizeof(header));
	if (lane->error) {
		err_errno(err, ERR_HARNESS, lane->error, "lane: write %s", lane->path);
		lane_free(lane);
		return -1;
	}
	*ret = lane;
	return 0;
}

void lane_event(struct lane *lane, struct event event)
{
	ASSERT(event.kind < EVENT_KIND_COUNT);
	if (!lane)
		return;
	if (!lane->events.count)
		lane->oldest_ns = event.t_ns;
	event.seq = lane->seq++;
	memcpy(block_end(&lane->events), &event, sizeof(event));
	lane->events.length += sizeof(event);
	if (++lane->events.count == LANE_EVENTS_MAX)
		lane_flush(lane);
}

/* Whoever reads a record shows its texts. */
static void add_name(struct lane *lane, enum name_space space, uint64_t id, const char *raw)
{
	struct lane_name name = { .id = id, .space = space };
	char text[LANE_TEXT_MAX + 1];

	snprintf(text, sizeof(text), "%s", raw);
	text_scrub(text);
	name.length = (uint32_t)strlen(text);

	if (lane->names.length + sizeof(name) + name.length > LANE_BLOCK_BYTES)
		write_block(lane, &lane->names, LANE_NAMES);
	lane->named++;
	memcpy(block_end(&lane->names), &name, sizeof(name));
	lane->names.length += sizeof(name);
	memcpy(block_end(&lane->names), text, name.length);
	lane->names.length += name.length;
	lane->names.count++;
}

uint8_t lane_instance(struct lane *lane, const char *name)
{
	bool is_new = false;

	if (!lane || !*name)
		return 0;
	uint32_t number = names_intern(&lane->instances, name, LANE_TEXT_MAX, &is_new);
	if (is_new)
		add_name(lane, NAME_INSTANCE, number, names_text(&lane->instances, number));
	return (uint8_t)number;
}

uint32_t lane_note(struct lane *lane, const char *fmt, ...)
{
	char text[LANE_TEXT_MAX + 1];
	bool is_new = false;
	va_list ap;

	if (!lane)
		return 0;
	va_start(ap, fmt);
	int length = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (length > LANE_TEXT_MAX)
		memcpy(text + LANE_TEXT_MAX - 3, "...", 3);
	if (!*text)
		return 0;
	uint32_t number = names_intern(&lane->notes, text, LANE_TEXT_MAX, &is_new);
	if (!number) {
		/* The last number is for all texts there is no room for. */
		lane->notes.max = NOTES_MAX;
		number = names_intern(&lane->notes, TOO_MANY_NOTES, LANE_TEXT_MAX, &is_new);
	}
	if (is_new)
		add_name(lane, NAME_NOTE, number, names_text(&lane->notes, number));
	return number;
}

void lane_call(struct lane *lane, uint64_t call, const char *id)
{
	add_name(lane, NAME_CALL, call, id);
}

void lane_tick(struct lane *lane, int64_t now_ns)
{
	if (lane->events.count && now_ns - lane->oldest_ns >= TICK_MS * NS_PER_MS)
		lane_flush(lane);
}

int lane_flush(struct lane *lane)
{
	write_block(lane, &lane->names, LANE_NAMES); /* first: the events may carry them */
	write_block(lane, &lane->events, LANE_EVENTS);
	return lane->error ? -1 : 0;
}

bool lane_broken(const struct lane *lane)
{
	return lane->error != 0;
}

int lane_close(struct lane *lane, struct err *err)
{
	struct event end = event_make(EVENT_LANE_END, clock_now_ns());
	int status = 0;

	if (!lane)
		return 0;
	end.ver = lane->named;
	lane_event(lane, end);
	if (lane_flush(lane) < 0)
		status = err_errno(err, ERR_HARNESS, lane->error, "lane: write %s", lane->path);
	lane_free(lane);
	return status;
}
