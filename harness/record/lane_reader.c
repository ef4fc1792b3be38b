#include "record/lane_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	/* Events that wait for those recorded late: a command is known when its last byte has come,
	 * and 5,000 callers have some 150 others asked meanwhile. */
	HELD_BACK = 1024,
	BLOCK_EVENTS = LANE_BLOCK_BYTES / sizeof(struct event),
};
/* What is held back and one block more fit into the ring; a whole block into the buffer. */
_Static_assert(HELD_BACK + BLOCK_EVENTS <= LANE_RING_EVENTS, "the ring is large enough");
_Static_assert(sizeof(struct lane_block) + LANE_BLOCK_BYTES <= LANE_READ_BYTES, "so is the buffer");

/* Bytes read, less than size only at the end of the file; -1 with errno. */
static ssize_t read_at(int fd, void *data, size_t size, uint64_t offset)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(fd, (char *)data + got, size - got, (off_t)(offset + got));
		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Keeps the first damage: the later ones are its consequences. */
__attribute__((format(printf, 2, 3))) static void damaged(struct lane_reader *reader,
							  const char *fmt, ...)
{
	va_list ap;

	reader->status.whole = false;
	if (*reader->status.damage)
		return;
	va_start(ap, fmt);
	vsnprintf(reader->status.damage, sizeof(reader->status.damage), fmt, ap);
	va_end(ap);
}

static int read_header(struct lane_reader *reader, const char *path, struct err *err)
{
	struct lane_header *header = &reader->header;
	ssize_t got = read_at(reader->fd, header, sizeof(*header), 0);

	if (got < 0)
		return err_errno(err, ERR_INPUT, errno, "lane %s: read", path);
	/* Whoever was killed before its first write left a file that starts like a lane. */
	uint32_t magic = LANE_MAGIC;
	size_t compared = (size_t)got < sizeof(magic) ? (size_t)got : sizeof(magic);
	if (memcmp(&header->magic, &magic, compared) != 0)
		return err_set(err, ERR_INPUT, "%s: not a lane: magic %08x at byte 0, not %08x",
			       path, header->magic, magic);
	if ((size_t)got < sizeof(*header)) {
		memset(header, 0, sizeof(*header));
		return 0;
	}
	if (header->version != LANE_VERSION || header->byte_order != 0x01020304)
		return err_set(
			err, ERR_INPUT,
			"%s: lane version %u, byte order %08x; this program reads version %d, %08x",
			path, header->version, header->byte_order, LANE_VERSION, 0x01020304);
	if (header->crc != lane_header_crc(header))
		return err_set(err, ERR_INPUT,
			       "%s: not a lane: CRC of the header (bytes 0 to 511) does not match",
			       path);
	header->run[sizeof(header->run) - 1] = '\0';
	reader->has_header = true;
	return 0;
}

int lane_reader_open(const char *path, const char *name, struct history_names *names,
		     struct lane_reader *ret, struct err *err)
{
	struct lane_reader reader = { .names = names };
	struct stat st;

	/* Whatever has the name of a lane: a pipe must not make us wait for a writer. */
	reader.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reader.fd < 0)
		return err_errno(err, ERR_INPUT, errno, "lane %s: open", path);
	if (fstat(reader.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(reader.fd);
		return err_set(err, ERR_INPUT, "lane %s: not a file", path);
	}
	if (read_header(&reader, path, err) < 0) {
		close(reader.fd);
		return -1;
	}
	snprintf(reader.status.file, sizeof(reader.status.file), "%s", name);
	reader.status.role = reader.header.role;
	reader.status.index = reader.header.index;
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		reader.note_kinds |= (uint64_t)event_conn_is_note(kind) << kind;
	reader.events = xcalloc(LANE_RING_EVENTS, sizeof(*reader.events));
	reader.bytes = xcalloc(1, LANE_READ_BYTES);
	reader.note_cap = 16;
	reader.note = xcalloc(reader.note_cap, sizeof(*reader.note));
	lane_reader_rewind(&reader);
	*ret = reader;
	return 0;
}

void lane_reader_close(struct lane_reader *reader)
{
	if (reader->events) /* else it was never opened */
		close(reader->fd);
	free(reader->events);
	free(reader->bytes);
	free(reader->note);
	reader->events = NULL;
	reader->bytes = NULL;
	reader->note = NULL;
}

void lane_reader_rewind(struct lane_reader *reader)
{
	struct lane_status *status = &reader->status;

	reader->at = reader->limit = reader->count = 0;
	reader->at_end = reader->ended = false;
	reader->next_seq = reader->named = 0;
	reader->note_count = 1; /* note 0 is no note */
	memset(reader->instance, 0, sizeof(reader->instance));
	reader->offset = sizeof(struct lane_header);
	reader->used = reader->got = 0;
	status->events = 0;
	status->first_ns = status->last_ns = 0;
	status->whole = true; /* until shown otherwise */
	status->damage[0] = '\0';
}

static void remember_name(struct lane_reader *reader, const struct lane_name *name,
			  const char *text)
{
	struct history_names *names = reader->names;

	reader->named++;
	if (name->space == NAME_CALL) {
		call_names_add(&names->calls, name->id, text, name->length);
		return;
	}
	if (name->space == NAME_INSTANCE && name->id < 256) {
		uint32_t number = names_intern(&names->instances, text, name->length, NULL);
		if (!number)
			damaged(reader, "more than %u instances in the history: names lost",
				names->instances.max);
		reader->instance[name->id] = (uint8_t)number;
		return;
	}
	if (name->space != NAME_NOTE || name->id > reader->note_count) {
		damaged(reader, "name %llu of space %u has no place", (unsigned long long)name->id,
			name->space);
		return;
	}
	if (name->id == reader->note_count) {
		if (reader->note_count == reader->note_cap) {
			reader->note_cap *= 2;
			reader->note = xrealloc(reader->note,
						reader->note_cap * sizeof(*reader->note));
		}
		reader->note_count++;
	}
	reader->note[name->id] = names_intern(&names->notes, text, name->length, NULL);
}

static void take_names(struct lane_reader *reader, const struct lane_block *block,
		       const char *bytes)
{
	const char *end = bytes + block->length;

	for (uint32_t i = 0; i < block->count; i++) {
		struct lane_name name;
		if ((size_t)(end - bytes) < sizeof(name))
			break;
		memcpy(&name, bytes, sizeof(name));
		bytes += sizeof(name);
		if ((size_t)(end - bytes) < name.length)
			break;
		remember_name(reader, &name, bytes);
		bytes += name.length;
	}
	if (bytes != end)
		damaged(reader, "names do not fill their block before byte %llu",
			(unsigned long long)reader->offset);
}

/* Its instance's name, or its note's, was in a block that is not here. */
static bool is_nameless(const struct lane_reader *reader, const struct event *event)
{
	bool has_note = event->kind < EVENT_KIND_COUNT && reader->note_kinds >> event->kind & 1;

	return (event->instance && !reader->instance[event->instance]) ||
	       (has_note && event->conn >= reader->note_count);
}

/* Slow path of take_events: anything but the next good event ends the lane. What stands behind a
 * gap is true, but not the whole truth: it would convict calls of what is missing. */
static void inspect(struct lane_reader *reader, const struct event *event)
{
	unsigned long long place = reader->offset;

	if (event->seq > reader->next_seq)
		damaged(reader, "gap: events %u to %u are missing before byte %llu",
			reader->next_seq, event->seq - 1, place);
	else if (event->seq < reader->next_seq)
		damaged(reader, "event %u where %u was due before byte %llu", event->seq,
			reader->next_seq, place);
	else if (is_nameless(reader, event))
		damaged(reader, "instance %u or note %u of event %u has no name before byte %llu",
			event->instance, event->conn, event->seq, place);
	else if (reader->ended)
		damaged(reader, "events after lane.end before byte %llu", place);
	else
		damaged(reader, "kind %u, color %u, t %lld is no event, before byte %llu",
			event->kind, event->color, (long long)event->t_ns, place);
}

/* Event i goes before those that are later and not delivered yet. */
static void put_in_place(struct lane_reader *reader, size_t i)
{
	struct event late = *lane_reader_event(reader, i);

	for (; i > reader->at && lane_reader_event(reader, i - 1)->t_ns > late.t_ns; i--)
		*lane_reader_event(reader, i) = *lane_reader_event(reader, i - 1);
	*lane_reader_event(reader, i) = late;
}

/* False: the lane ends among the block's events. */
static bool take_events(struct lane_reader *reader, const char *bytes, uint32_t count)
{
	struct lane_status *status = &reader->status;

	for (uint32_t k = 0; k < count; k++, reader->count++) {
		size_t i = reader->count;
		struct event *event = memcpy(lane_reader_event(reader, i),
					     bytes + k * sizeof(*event), sizeof(*event));
		bool good = event->seq == reader->next_seq && !reader->ended &&
			    !is_nameless(reader, event) && event->kind < EVENT_KIND_COUNT &&
			    event->color < COLOR_COUNT && event->t_ns >= 0 &&
			    event->t_ns < INT64_MAX;
		if (!good) {
			inspect(reader, event);
			return false;
		}
		reader->next_seq++;
		reader->ended = event->kind == EVENT_LANE_END;
		if (reader->ended && event->ver && event->ver != reader->named)
			damaged(reader, "%u of its %u names are here", reader->named, event->ver);
		event->instance = reader->instance[event->instance];
		if (event->conn && (reader->note_kinds >> event->kind & 1))
			event->conn = event->conn < reader->note_count ? reader->note[event->conn] :
									 0;
		if (!status->events++ || event->t_ns < status->first_ns)
			status->first_ns = event->t_ns;
		if (event->t_ns > status->last_ns)
			status->last_ns = event->t_ns;
		if (i > reader->at && lane_reader_event(reader, i - 1)->t_ns > event->t_ns)
			put_in_place(reader, i);
	}
	return true;
}

/* So many bytes from used on are there, unless the file ends before; -1 with errno. */
static int look_ahead(struct lane_reader *reader, size_t size)
{
	ssize_t more;

	if (reader->got - reader->used >= size)
		return 0;
	reader->got -= reader->used;
	memmove(reader->bytes, reader->bytes + reader->used, reader->got);
	reader->used = 0;
	more = read_at(reader->fd, reader->bytes + reader->got, LANE_READ_BYTES - reader->got,
		       reader->offset + reader->got);
	reader->got += more > 0 ? (size_t)more : 0;
	return more < 0 ? -1 : 0;
}

/* The next block's header, and its bytes behind it at reader->used; false when there is none, or
 * none that is good. */
static bool next_block(struct lane_reader *reader, struct lane_block *ret)
{
	unsigned long long place = reader->offset;
	bool read = look_ahead(reader, sizeof(*ret)) == 0;
	size_t left = reader->got - reader->used, size = sizeof(*ret);

	if (read && left >= size) {
		memcpy(ret, reader->bytes + reader->used, sizeof(*ret));
		if (ret->length > LANE_BLOCK_BYTES) {
			damaged(reader, "bad block at byte %llu: length %u, limit %d", place,
				ret->length, LANE_BLOCK_BYTES);
			return false;
		}
		size += ret->length;
		read = look_ahead(reader, size) == 0;
		left = reader->got - reader->used;
	}
	if (!read)
		damaged(reader, "block at byte %llu: read: %s", place, strerrordesc_np(errno));
	else if (left >= size)
		return true;
	else if (left)
		damaged(reader, "torn block at byte %llu", place);
	else if (!reader->ended)
		damaged(reader, "no lane.end: cut at byte %llu", place);
	return false;
}

/* True when a good block was taken; else the lane ends here. */
static bool take_block(struct lane_reader *reader)
{
	struct lane_block block;
	unsigned long long place = reader->offset;
	const char *bytes;

	if (!next_block(reader, &block))
		return false;
	bytes = reader->bytes + reader->used + sizeof(block);
	if (block.crc != lane_block_crc(&block, bytes)) {
		damaged(reader, "bad CRC of the block at byte %llu", place);
		return false;
	}
	reader->offset += sizeof(block) + block.length;
	reader->used += sizeof(block) + block.length;
	if (block.what == LANE_EVENTS &&
	    (uint64_t)block.count * sizeof(struct event) == block.length) {
		return take_events(reader, bytes, block.count);
	} else if (block.what == LANE_NAMES) {
		take_names(reader, &block, bytes);
	} else {
		damaged(reader, "block at byte %llu: %u of kind %u do not make %u bytes", place,
			block.count, block.what, block.length);
		return false;
	}
	return true;
}

bool lane_reader_fill(struct lane_reader *reader)
{
	if (!reader->has_header) {
		damaged(reader, "cut inside the header");
		reader->at_end = true;
	}
	while (!reader->at_end && reader->count - reader->at <= HELD_BACK)
		reader->at_end = !take_block(reader);
	reader->limit = reader->at_end ? reader->count : reader->count - HELD_BACK;
	return reader->limit > reader->at;
}
