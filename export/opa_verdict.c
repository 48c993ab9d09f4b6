#include "opa_verdict.h"

#include "../core/opa_address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SAID_MAX 256

/* ---- what it says ---- */

/* As a line of printable ASCII: whatever it is, it ends up in text files and on terminals. */
static void make_line(opa_str text, char *to, size_t size)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		to[i] = c >= ' ' && c <= '~' ? (char)c : c < ' ' ? ' ' : '?';
	}
	while (len > 0 && to[len - 1] == ' ') {
		len--;
	}
	to[len] = '\0';
}

static bool is_type(const opa_http_answer *answer, const char *type)
{
	return strncasecmp(answer->type, type, strlen(type)) == 0;
}

/* google.rpc.Status: {code = 1, message = 2}. */
static opa_str status_message(opa_str body)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_str message = {"", 0};
	opa_wire_init(&reader, body);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == 2 && field.type == OPA_WIRE_BYTES) {
			message = field.bytes;
		}
	}
	return message;
}

/* ": " and what the answer has to say; nothing where it has not, or a page for browsers. */
static void quote(const opa_http_answer *answer, char *to, size_t size)
{
	opa_str said = {"", 0};
	if (is_type(answer, "application/x-protobuf")) {
		said = status_message(answer->body);
	} else if (is_type(answer, "text/plain") || is_type(answer, "application/json")) {
		said = answer->body;
	}
	snprintf(to, size, ": ");
	make_line(said, to + 2, size - 2);
	if (to[2] == '\0') {
		to[0] = '\0';
	}
}

/* ---- taken ---- */

/* ExportTracePartialSuccess: {rejected_spans = 1, error_message = 2}. */
static void read_partial(opa_verdict *verdict, opa_str partial)
{
	opa_wire_reader reader;
	opa_wire_field field;
	char said[SAID_MAX] = "";
	opa_wire_init(&reader, partial);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == 1 && field.type == OPA_WIRE_VARINT && (int64_t)field.value > 0) {
			verdict->rejected = field.value;
		} else if (field.number == 2 && field.type == OPA_WIRE_BYTES) {
			make_line(field.bytes, said, sizeof(said));
		}
	}
	if (verdict->rejected > 0) {
		snprintf(verdict->message, sizeof(verdict->message), "it rejected %llu spans%s%s",
			(unsigned long long)verdict->rejected, said[0] != '\0' ? ": " : "", said);
	} else if (said[0] != '\0') {
		snprintf(verdict->message, sizeof(verdict->message), "it warns: %s", said);
	}
}

/* ExportTraceServiceResponse: {partial_success = 1}. */
static void read_success(opa_verdict *verdict, const opa_http_answer *answer)
{
	opa_wire_reader reader;
	opa_wire_field field;
	if (answer->cut) {
		snprintf(verdict->message, sizeof(verdict->message),
			"its answer is larger than %u MiB and was not read", OPA_HTTP_ANSWER_MAX >> 20);
		return;
	}
	if (!is_type(answer, "application/x-protobuf")) {
		return;
	}
	opa_wire_init(&reader, answer->body);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == 1 && field.type == OPA_WIRE_BYTES) {
			read_partial(verdict, field.bytes);
		}
	}
}

/* ---- not taken ---- */

static opa_verdict_kind kind_of(unsigned status)
{
	switch (status) {
	case 429:
	case 502:
	case 503:
	case 504:
		return OPA_VERDICT_LATER;
	case 400:
	case 413:
		return OPA_VERDICT_SMALLER;
	default:
		return status >= 200 && status < 300 ? OPA_VERDICT_TAKEN : OPA_VERDICT_REFUSED;
	}
}

/* What to do about it, where that can be said. */
static const char *advice(unsigned status)
{
	switch (status) {
	case 401:
		return " (credentials are missing or wrong: opa.headers)";
	case 403:
		return " (the credentials do not allow it: opa.headers)";
	case 404:
	case 405:
		return " (wrong path? OTLP's is /v1/traces: opa.endpoint)";
	case 407:
		return " (the proxy wants credentials: opa.proxy)";
	case 415:
		return " (it does not take OTLP as protobuf: is it a collector? opa.endpoint,"
			   " opa.compression)";
	case 429:
		return " (too much for it)";
	default:
		return "";
	}
}

static void read_refusal(opa_verdict *verdict, const opa_http_answer *answer)
{
	char said[SAID_MAX], where[SAID_MAX] = "";
	quote(answer, said, sizeof(said));
	if (answer->status >= 300 && answer->status < 400 && answer->location[0] != '\0') {
		char shown[SAID_MAX];
		opa_address_show(
			(opa_str){answer->location, strlen(answer->location)}, shown, sizeof(shown));
		make_line((opa_str){shown, strlen(shown)}, where, sizeof(where));
	}
	if (where[0] != '\0') {
		snprintf(verdict->message, sizeof(verdict->message),
			"it answers %u and points to %s, where nothing is sent (opa.endpoint)", answer->status,
			where);
	} else {
		snprintf(verdict->message, sizeof(verdict->message), "it answers %u%s%s", answer->status,
			advice(answer->status), said);
	}
}

void opa_verdict_read(opa_verdict *verdict, const opa_http_answer *answer)
{
	*verdict = (opa_verdict){.kind = OPA_VERDICT_LATER};
	if (answer->result != OPA_HTTP_ANSWERED) {
		make_line((opa_str){answer->problem, strlen(answer->problem)}, verdict->message,
			sizeof(verdict->message));
		return;
	}
	verdict->kind = kind_of(answer->status);
	if (verdict->kind == OPA_VERDICT_TAKEN) {
		read_success(verdict, answer);
		return;
	}
	verdict->retry_after = verdict->kind == OPA_VERDICT_LATER ? answer->retry_after : 0;
	read_refusal(verdict, answer);
}
