/*
 * For tests of sending: a collector that does what it is told to. It is a process of its own on a
 * free port of the loopback, answers one connection after the other, and writes down what it got
 * where the test can read it.
 */
#ifndef OPA_TEST_COLLECTOR_FIXTURE_H
#define OPA_TEST_COLLECTOR_FIXTURE_H

#include "exporter_fixture.h"
#include "export/opa_otlp_read.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <zlib.h>

#define REQUESTS_MAX 512
#define STEPS_MAX    16
#define BODIES_MAX   (48u << 20)
#define HEAD_MAX     4096

typedef enum action {
	ANSWER,
	HANG,         /* says nothing until the other side goes */
	CLOSE,        /* reads the request and closes */
	CLOSE_MIDDLE, /* half of the answer, then it closes */
	DRIBBLE,      /* the answer byte by byte */
} action;

typedef struct answer {
	action action;
	unsigned status;  /* 0: 200 */
	const char *head; /* more header lines, each with its CRLF */
	const char *body;
	size_t len;
	size_t zeros; /* the body is that many zero bytes instead */
} answer;

typedef struct request {
	char head[HEAD_MAX];
	size_t body; /* where it begins among the bodies: unpacked */
	size_t len;
	size_t packed_len;
	uint64_t time;
	unsigned connection;
	unsigned status; /* that it was answered with */
} request;

/* Shared by test and server. Set up before the server is started, but for the switches. */
typedef struct script {
	answer steps[STEPS_MAX]; /* for the first requests, one each */
	unsigned step_count;
	answer always;      /* for all others */
	const char *poison; /* a request with these bytes is answered with `poisoned` */
	size_t poison_len;
	unsigned poisoned;
	size_t most;       /* a longer body is answered with 413; 0: no bound */
	atomic_uint down;  /* answers 503 to all */
	atomic_uint count; /* requests that were answered, or not on purpose */
	unsigned connections;
	size_t used;
	request requests[REQUESTS_MAX];
	uint8_t bodies[BODIES_MAX];
} script;

typedef struct server {
	script *script;
	pid_t pid;
	int port;
	char path[108]; /* of a socket; "" with a port */
} server;

/* ---- the server's process ---- */

static inline bool send_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		if (n <= 0) {
			return false;
		}
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static inline bool inflate_body(script *s, request *r, const uint8_t *packed, size_t len)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)len};
	z.next_out = s->bodies + r->body;
	z.avail_out = (uInt)(BODIES_MAX - r->body);
	if (inflateInit2(&z, 15 + 16) != Z_OK) {
		return false;
	}
	int result = inflate(&z, Z_FINISH);
	r->len = z.total_out;
	inflateEnd(&z);
	return result == Z_STREAM_END;
}

/* Reads one request. False when the other side has gone. */
static inline bool read_request(int fd, script *s, request *r)
{
	static uint8_t body[BODIES_MAX];
	size_t len = 0;
	char *end = NULL;
	while (end == NULL && len < HEAD_MAX - 1) {
		ssize_t n = recv(fd, r->head + len, 1, 0);
		if (n <= 0) {
			return false;
		}
		r->head[++len] = '\0';
		end = len > 3 ? strstr(r->head + len - 4, "\r\n\r\n") : NULL;
	}
	const char *length = strcasestr(r->head, "\r\nContent-Length:");
	size_t want = length != NULL ? (size_t)atol(length + 17) : 0, got = 0;
	while (got < want && got < sizeof(body)) {
		ssize_t n = recv(fd, body + got, want - got, 0);
		if (n <= 0) {
			return false;
		}
		got += (size_t)n;
	}
	r->body = s->used;
	r->packed_len = r->len = got;
	if (strcasestr(r->head, "\r\nContent-Encoding: gzip") != NULL) {
		if (!inflate_body(s, r, body, got)) {
			_exit(3);
		}
	} else {
		memcpy(s->bodies + r->body, body, got);
	}
	s->used += r->len;
	r->time = opa_clock_mono();
	return true;
}

static inline answer choose(script *s, const request *r, unsigned number)
{
	if (atomic_load(&s->down) != 0) {
		return (answer){.status = 503};
	}
	if (s->poison != NULL &&
		memmem(s->bodies + r->body, r->len, s->poison, s->poison_len) != NULL) {
		return (answer){.status = s->poisoned};
	}
	if (s->most > 0 && r->len > s->most) {
		return (answer){.status = 413};
	}
	return number < s->step_count ? s->steps[number] : s->always;
}

/* False when the connection has ended. */
static inline bool give(int fd, const answer *a)
{
	char head[1024];
	size_t len = a->zeros > 0 ? a->zeros : a->len;
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %u Scripted\r\nContent-Length: %zu\r\n%s\r\n",
		a->status == 0 ? 200 : a->status, len, a->head != NULL ? a->head : "");
	if (a->action == HANG) {
		struct pollfd gone = {.fd = fd, .events = POLLIN};
		poll(&gone, 1, -1);
		return false;
	}
	if (a->action == CLOSE || !send_all(fd, head, (size_t)n)) {
		return false;
	}
	if (a->action == CLOSE_MIDDLE) {
		send_all(fd, a->body, a->len / 2);
		return false;
	}
	for (size_t i = 0; i < a->zeros; i += 4096) {
		static const char zeros[4096];
		if (!send_all(fd, zeros, a->zeros - i < 4096 ? a->zeros - i : 4096)) {
			return false;
		}
	}
	for (size_t i = 0; a->action == DRIBBLE && i < a->len; i++) {
		pause_a_little();
		if (!send_all(fd, a->body + i, 1)) {
			return false;
		}
	}
	return a->action == DRIBBLE || a->zeros > 0 || send_all(fd, a->body, a->len);
}

static inline void serve_connection(int fd, script *s)
{
	for (bool open = true; open;) {
		unsigned number = atomic_load(&s->count);
		request *r = &s->requests[number];
		if (number >= REQUESTS_MAX || !read_request(fd, s, r)) {
			break;
		}
		answer a = choose(s, r, number);
		r->connection = s->connections;
		r->status =
			a.action == ANSWER || a.action == DRIBBLE ? (a.status == 0 ? 200 : a.status) : 0;
		atomic_store(&s->count, number + 1);
		open = give(fd, &a);
	}
	close(fd);
}

static inline void run_server(int listener, script *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0) {
			s->connections++;
			serve_connection(fd, s);
		}
	}
}

/* ---- the test's side ---- */

static inline server *new_server(void)
{
	server *s = calloc(1, sizeof(*s));
	s->script =
		mmap(NULL, sizeof(script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->script != MAP_FAILED);
	return s;
}

/* On the port that it had before, if it had one. */
static inline void start_server(server *s)
{
	int listener, on = 1;
	if (s->path[0] != '\0') {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		memcpy(address.sun_path, s->path, sizeof(s->path));
		listener = socket(AF_UNIX, SOCK_STREAM, 0);
		unlink(s->path);
		assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	} else {
		struct sockaddr_in address = {.sin_family = AF_INET,
			.sin_port = htons((uint16_t)s->port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(address);
		listener = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
		s->port = ntohs(address.sin_port);
	}
	assert_int_equal(listen(listener, 64), 0);
	fflush(NULL);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		run_server(listener, s->script);
	}
	close(listener);
}

static inline void stop_server(server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		s->pid = 0;
	}
}

static inline void free_server(server *s)
{
	stop_server(s);
	munmap(s->script, sizeof(script));
	free(s);
}

static inline unsigned count_requests(const server *s)
{
	return atomic_load(&s->script->count);
}

static inline void wait_for_requests(const server *s, unsigned count)
{
	uint64_t until = opa_clock_mono() + patience();
	while (count_requests(s) < count) {
		if (opa_clock_mono() > until) {
			fail_msg("%u requests came, wanted %u", count_requests(s), count);
		}
		pause_a_little();
	}
}

/* A destination that is that server. linger 0: what is there is sent at once. */
static inline void define_collector(
	const fixture *f, uint64_t id, const server *s, const char *more)
{
	char name[64], text[1024], url[160];
	if (s->path[0] != '\0') {
		snprintf(url, sizeof(url), "unix://%s", s->path);
	} else {
		snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/traces", s->port);
	}
	snprintf(name, sizeof(name), "dest/%016" PRIx64, id);
	snprintf(text, sizeof(text),
		"type=otlp\nendpoint=%s\ntimeout=10000\ncompression=gzip\nlinger=0\n%s", url, more);
	write_text(f, name, text);
}

/* ---- what arrived ---- */

/* Of one writer, in requests with an answer of that status. */
typedef struct arrived {
	unsigned times[4096]; /* by number of the trace: how many spans of it */
	unsigned spans;
	unsigned resources; /* ResourceSpans, of all writers */
} arrived;

static inline void look_at_span(arrived *a, opa_str message, uint8_t writer_number)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		const uint8_t *id = (const uint8_t *)field.bytes.data;
		if (field.number == 1 && field.bytes.len == 16 && id[0] == writer_number) {
			a->times[(id[14] << 8 | id[15]) % 4096]++;
			a->spans++;
		}
	}
}

static inline void look_at_scope(arrived *a, opa_str message, uint8_t writer_number)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == 2 && field.type == OPA_WIRE_BYTES) {
			look_at_span(a, field.bytes, writer_number);
		}
	}
	assert_false(reader.damaged);
}

static inline void look_at_request(arrived *a, opa_str message, uint8_t writer_number)
{
	opa_wire_reader reader, inner;
	opa_wire_field field, part;
	opa_wire_init(&reader, message);
	while (opa_wire_next(&reader, &field)) {
		assert_int_equal(field.number, 1);
		a->resources++;
		unsigned resources = 0;
		opa_wire_init(&inner, field.bytes);
		while (opa_wire_next(&inner, &part)) {
			resources += part.number == 1;
			if (part.number == 2) {
				look_at_scope(a, part.bytes, writer_number);
			}
		}
		assert_int_equal(resources, 1);
	}
	assert_false(reader.damaged);
}

static inline arrived *look(const server *s, unsigned status, uint8_t writer_number)
{
	static arrived a;
	memset(&a, 0, sizeof(a));
	for (unsigned i = 0; i < count_requests(s); i++) {
		const request *r = &s->script->requests[i];
		if (r->status == status) {
			look_at_request(
				&a, (opa_str){(const char *)s->script->bodies + r->body, r->len}, writer_number);
		}
	}
	return &a;
}

/* Each of the traces 0 to count - 1 has arrived once, whole. */
static inline void assert_arrived(const server *s, uint8_t writer_number, unsigned count)
{
	const arrived *a = look(s, 200, writer_number);
	for (unsigned i = 0; i < count; i++) {
		if (a->times[i] != SPANS_A_TRACE) {
			fail_msg("of trace %u of writer %02x %u spans came", i, writer_number, a->times[i]);
		}
	}
	assert_int_equal(a->spans, count * SPANS_A_TRACE);
}

static inline void wait_for_arrival(const server *s, uint8_t writer_number, unsigned count)
{
	uint64_t until = opa_clock_mono() + patience();
	while (look(s, 200, writer_number)->spans < count * SPANS_A_TRACE) {
		if (opa_clock_mono() > until) {
			fail_msg("%u spans came, wanted %u", look(s, 200, writer_number)->spans,
				count * SPANS_A_TRACE);
		}
		pause_a_little();
	}
}

/* A counter of <spool>/dest/<id>.sent; 0 when it is not there. */
static inline long read_counter(const fixture *f, uint64_t id, const char *key)
{
	static char text[65536];
	char name[64], line[64];
	snprintf(name, sizeof(name), "dest/%016" PRIx64 ".sent", id);
	snprintf(line, sizeof(line), "%s=", key);
	if (opa_spool_read_file(&f->spool, name, text, sizeof(text)) < 0) {
		return 0;
	}
	const char *at = strstr(text, line);
	return at != NULL ? atol(at + strlen(line)) : 0;
}

#endif
