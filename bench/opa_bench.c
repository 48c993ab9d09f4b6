#include "../php_opa.h"
#include "opa_bench.h"
#include "../opa_request_span.h"
#include "../core/opa_fields.h"

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_floor, 0, 3, _IS_BOOL, 0)
ZEND_ARG_TYPE_INFO(0, span, IS_STRING, 0)
ZEND_ARG_TYPE_INFO(0, key, IS_STRING, 0)
ZEND_ARG_TYPE_INFO(0, value, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_requests, 0, 2, IS_ARRAY, 0)
ZEND_ARG_TYPE_INFO(0, count, IS_LONG, 0)
ZEND_ARG_TYPE_INFO(0, spans, IS_LONG, 0)
ZEND_END_ARG_INFO()

/* opa_bench_floor(string $span, string $key, mixed $value): bool: what any function costs. */
static PHP_FUNCTION(opa_bench_floor)
{
	zend_string *span, *key;
	zval *value;
	ZEND_PARSE_PARAMETERS_START(3, 3)
		Z_PARAM_STR(span)
		Z_PARAM_STR(key)
		Z_PARAM_ZVAL(value)
	ZEND_PARSE_PARAMETERS_END();
	(void)span;
	(void)key;
	(void)value;
	RETURN_TRUE;
}

/* A finished child span with one tag of ten characters. */
static void make_span(const opa_fields *tag)
{
	opa_span_start start = {.name = OPA_STR("bench"), .kind = OPA_KIND_INTERNAL, .start = OPA_NOW};
	opa_span_id id = opa_request_start_span(&start);
	opa_attributes attributes = {tag->data, tag->len, 0};
	opa_span_set_attributes(opa_the_process.spans, OPA_G(request).owner, id, attributes);
	opa_request_end_span(id, OPA_NOW);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/*
 * opa_bench_requests(int $count, int $spans): array: ends this request, runs `count` requests with
 * `spans` spans each, begins this one anew. Medians in nanoseconds: [begin, spans, end], and the
 * bytes that the trace took in memory before its end.
 */
static PHP_FUNCTION(opa_bench_requests)
{
	zend_long count, spans;
	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_LONG(count)
		Z_PARAM_LONG(spans)
	ZEND_PARSE_PARAMETERS_END();
	size_t open_spans, bytes = 0;
	double *times[3];
	opa_fields tag;
	opa_value value = OPA_VALUE_OF_STRING(OPA_STR("0123456789"));
	opa_fields_init(&tag);
	opa_fields_attribute(&tag, OPA_TAG_SPAN_ATTRIBUTE, OPA_STR("key"), &value);
	for (int i = 0; i < 3; i++) {
		times[i] = safe_emalloc((size_t)count, sizeof(double), 0);
	}
	opa_request_leave();
	opa_request_end();
	for (zend_long n = 0; n < count; n++) {
		uint64_t t0 = opa_clock_mono();
		opa_request_begin();
		uint64_t t1 = opa_clock_mono();
		for (zend_long i = 0; i < spans; i++) {
			make_span(&tag);
		}
		uint64_t t2 = opa_clock_mono();
		opa_span_table_usage(opa_the_process.spans, &open_spans, &bytes);
		uint64_t t3 = opa_clock_mono();
		opa_request_leave();
		opa_request_end();
		uint64_t t4 = opa_clock_mono();
		times[0][n] = (double)(t1 - t0);
		times[1][n] = (double)(t2 - t1);
		times[2][n] = (double)(t4 - t3);
	}
	opa_request_begin();
	opa_fields_deinit(&tag);
	array_init(return_value);
	for (int i = 0; i < 3; i++) {
		qsort(times[i], (size_t)count, sizeof(double), compare);
		add_next_index_double(return_value, times[i][count / 2]);
		efree(times[i]);
	}
	add_next_index_long(return_value, (zend_long)bytes);
}

static const zend_function_entry functions[] = {
	PHP_FE(opa_bench_floor, arginfo_floor) PHP_FE(opa_bench_requests, arginfo_requests) PHP_FE_END};

void opa_bench_startup(void)
{
	zend_register_functions(NULL, functions, NULL, MODULE_PERSISTENT);
}
