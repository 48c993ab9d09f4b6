#include "opa_sender.h"
#include "opa_bundle.h"
#include "opa_definition.h"
#include "opa_delivery.h"
#include "opa_journal_format.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define MS_NS       1000000ull
#define WAIT_MS     1000
#define RECORD_MAX  OPA_RECORD_MAX_SIZE
#define UNREAD      "nobody reads what it answers"
#define PROBLEM_MAX (OPA_VERDICT_MESSAGE_MAX + 128)

typedef struct sender {
	opa_destination destination;
	FILE *in;
	FILE *out;
	opa_http *http;
	opa_bundle *bundle;
	opa_delivery *delivery;
	opa_text record; /* resource and scope spans of the one that was read */
	size_t settled;  /* records of the bundle */
	uint64_t spans;  /* in the bundle */
	uint64_t patience;
	uint64_t taken_at;
	char problem[PROBLEM_MAX];
} sender;

static bool fail(sender *s, const char *problem)
{
	snprintf(s->problem, sizeof(s->problem), "%s", problem);
	return false;
}

/* ---- what has become of records ---- */

/* It stops at the first answer that is final for all: what is not sent is not lost. */
static bool settle(void *user, const opa_settlement *settlement)
{
	sender *s = user;
	bool taken = settlement->fate == OPA_FATE_TAKEN;
	if (settlement->fate == OPA_FATE_REFUSED || settlement->fate == OPA_FATE_UNASKED) {
		bool unasked = settlement->fate == OPA_FATE_UNASKED;
		snprintf(s->problem, sizeof(s->problem), "%s%s", unasked ? "nothing is taken: " : "",
			settlement->message);
		return false;
	}
	s->settled = settlement->to;
	s->taken_at = taken ? opa_clock_mono() : s->taken_at;
	fprintf(s->out, "%s %zu %" PRIu64 " %" PRIu64 " %s\n", taken ? "taken" : "malformed",
		settlement->to - settlement->from, settlement->spans, settlement->rejected,
		settlement->message);
	return fflush(s->out) == 0 || fail(s, UNREAD);
}

/* ---- sending ---- */

static void rest(uint64_t ms)
{
	struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	nanosleep(&time, NULL);
}

/* Waits for another try. False when there is to be none. */
static bool put_off(sender *s)
{
	uint64_t pause = opa_delivery_pause_ms(s->delivery);
	uint64_t now = opa_clock_mono();
	if (now + pause * MS_NS > s->taken_at + s->patience) {
		return fail(s, opa_delivery_problem(s->delivery));
	}
	fprintf(s->out, "later %" PRIu64 " %s\n", pause, opa_delivery_problem(s->delivery));
	if (fflush(s->out) != 0) {
		return fail(s, UNREAD);
	}
	rest(pause);
	return true;
}

/* All that is in the bundle. */
static bool deliver(sender *s)
{
	s->settled = 0;
	s->taken_at = opa_clock_mono();
	while (s->settled < opa_bundle_count(s->bundle)) {
		opa_delivered how = OPA_DELIVERY_PENDING;
		opa_delivery_start(s->delivery, s->settled);
		while (how == OPA_DELIVERY_PENDING) {
			how = opa_delivery_go_on(s->delivery);
			if (how == OPA_DELIVERY_PENDING) {
				opa_http_wait(s->http, WAIT_MS);
			}
		}
		if (how == OPA_DELIVERY_STOPPED) {
			return s->problem[0] == '\0' ? fail(s, opa_delivery_problem(s->delivery)) : false;
		}
		if (how == OPA_DELIVERY_FAILED && !put_off(s)) {
			return false;
		}
	}
	opa_bundle_reset(s->bundle);
	s->spans = 0;
	return true;
}

static bool is_full(const sender *s)
{
	uint64_t most = s->destination.batch_spans;
	return opa_bundle_size(s->bundle) >= s->destination.batch_size ||
		   (most > 0 && s->spans >= most);
}

/* ---- reading ---- */

static bool read_bytes(sender *s, size_t len)
{
	char part[16384];
	opa_text_reset(&s->record);
	while (len > 0) {
		size_t n = fread(part, 1, len < sizeof(part) ? len : sizeof(part), s->in);
		if (n == 0) {
			return fail(s, "the input ends within a record");
		}
		opa_text_append(&s->record, part, n);
		len -= n;
	}
	return !s->record.failed || fail(s, "out of memory");
}

static bool add_record(sender *s, const char *line)
{
	uint32_t spans;
	size_t resource, scope;
	int end = 0;
	if (sscanf(line, "record %" SCNu32 " %zu %zu%n", &spans, &resource, &scope, &end) != 3 ||
		line[end] != '\n' || resource > RECORD_MAX || scope > RECORD_MAX) {
		return fail(s, "the input is not made of records");
	}
	if (!read_bytes(s, resource + scope)) {
		return false;
	}
	opa_str content = {s->record.data != NULL ? s->record.data : "", resource};
	opa_bundle_item item = {
		.scope_spans = {content.data + resource, scope},
		.resource = content,
		.spans = spans,
		.journal = "",
	};
	s->spans += spans;
	return opa_bundle_add(s->bundle, &item) || fail(s, "out of memory");
}

static bool send_all(sender *s)
{
	char line[128];
	while (fgets(line, sizeof(line), s->in) != NULL) {
		if (!add_record(s, line) || (is_full(s) && !deliver(s))) {
			return false;
		}
	}
	return deliver(s);
}

/* ---- the two calls ---- */

static opa_exporter_result say_end(sender *s, bool done)
{
	fprintf(s->out, done ? "done\n" : "failed %s\n", s->problem);
	return fflush(s->out) == 0 && done ? OPA_EXPORTER_DONE : OPA_EXPORTER_TROUBLE;
}

opa_exporter_result opa_sender_run(FILE *in, FILE *out, FILE *errors, unsigned patience_seconds)
{
	sender s = {.in = in, .out = out, .patience = (uint64_t)patience_seconds * 1000 * MS_NS};
	if (!opa_definition_read(in, &s.destination, s.problem, sizeof(s.problem))) {
		fprintf(errors, "opa-exporter: %s\n", s.problem);
		return OPA_EXPORTER_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	s.http = opa_http_create();
	s.bundle = opa_bundle_create();
	if (s.http != NULL && s.bundle != NULL) {
		s.delivery = opa_delivery_create(s.http, &s.destination, s.bundle, settle, &s);
	}
	bool done = s.delivery != NULL ? send_all(&s) : fail(&s, OPA_DELIVERY_IMPOSSIBLE);
	opa_exporter_result result = say_end(&s, done);
	opa_delivery_destroy(s.delivery);
	opa_bundle_destroy(s.bundle);
	opa_http_destroy(s.http);
	opa_text_deinit(&s.record);
	opa_destination_deinit(&s.destination);
	return result;
}

static void say_verdict(FILE *out, const char *url, const opa_http_answer *answer, uint64_t ms)
{
	static const char *const names[] = {"taken", "later", "smaller", "refused"};
	char shown[OPA_ADDRESS_MAX];
	opa_verdict verdict;
	opa_verdict_read(&verdict, answer);
	opa_address_show((opa_str){url, strlen(url)}, shown, sizeof(shown));
	fprintf(out, "url=%s\nverdict=%s\n", shown, names[verdict.kind]);
	if (answer->result == OPA_HTTP_ANSWERED) {
		fprintf(out, "status=%u\n", answer->status);
	} else {
		fprintf(out, "cause=%s\n", answer->cause);
	}
	fprintf(out, "ms=%" PRIu64 "\n", ms);
	if (verdict.message[0] != '\0') {
		fprintf(out, "message=%s\n", verdict.message);
	}
}

/* NULL, for want of memory or of what libcurl can do. */
static const opa_http_answer *ask(
	opa_http *http, opa_http_client *client, const opa_destination *d, opa_text *body)
{
	opa_bundle *empty = opa_bundle_create();
	bool posted =
		client != NULL && empty != NULL &&
		opa_bundle_write(empty, 0, 0, d->gzip ? OPA_DELIVERY_GZIP_LEVEL : 0, body) &&
		opa_http_client_post(client, body->data != NULL ? body->data : "", body->len, d->timeout);
	opa_bundle_destroy(empty);
	while (posted && opa_http_client_answer(client) == NULL) {
		opa_http_wait(http, WAIT_MS);
	}
	return posted ? opa_http_client_answer(client) : NULL;
}

opa_exporter_result opa_sender_check(FILE *in, FILE *out, FILE *errors)
{
	opa_destination destination;
	char problem[PROBLEM_MAX];
	if (!opa_definition_read(in, &destination, problem, sizeof(problem))) {
		fprintf(errors, "opa-exporter: %s\n", problem);
		return OPA_EXPORTER_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	opa_text body = {0};
	opa_http *http = opa_http_create();
	opa_http_client *client = http != NULL ? opa_delivery_client(http, &destination) : NULL;
	uint64_t begin = opa_clock_mono();
	const opa_http_answer *answer = http != NULL ? ask(http, client, &destination, &body) : NULL;
	uint64_t ms = (opa_clock_mono() - begin) / MS_NS;
	bool taken = answer != NULL && answer->status >= 200 && answer->status < 300;
	if (answer != NULL) {
		say_verdict(out, destination.endpoint, answer, ms);
	} else {
		fprintf(errors, "opa-exporter: %s\n", OPA_DELIVERY_IMPOSSIBLE);
	}
	opa_http_client_destroy(client);
	opa_http_destroy(http);
	opa_text_deinit(&body);
	opa_destination_deinit(&destination);
	return taken && fflush(out) == 0 ? OPA_EXPORTER_DONE : OPA_EXPORTER_TROUBLE;
}
