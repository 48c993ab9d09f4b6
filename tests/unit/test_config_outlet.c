/* What is made of the settings: the resource that traces name, and where they go. */
#include "config_fixture.h"

#include <unistd.h>

/*
 * The pairs of a config's resource. Its message has the form of a KeyValueList, so what reads the
 * tests' spans reads it, too: every field checked, no key twice.
 */
typedef struct resource {
	uint8_t bytes[32 * 1024];
	size_t count;
	opa_str keys[160];
	opa_str values[160];
} resource;

static const resource *read_resource(const opa_config *config)
{
	static resource r;
	opa_writer w = {r.bytes + sizeof(r.bytes)};
	assert_true(config->resource_len < sizeof(r.bytes) - 8);
	opa_write_raw(&w, config->resource, config->resource_len);
	opa_write_header(&w, 6 << 3 | 2, r.bytes + sizeof(r.bytes));
	opa_str any = {(char *)w.pos, (size_t)(r.bytes + sizeof(r.bytes) - w.pos)};
	r.count = 0;
	for (size_t at = 0; wire_next_pair(any, &at, &r.keys[r.count], &r.values[r.count]);) {
		for (size_t i = 0; i < r.count; i++) {
			assert_false(r.keys[i].len == r.keys[r.count].len &&
						 memcmp(r.keys[i].data, r.keys[r.count].data, r.keys[i].len) == 0);
		}
		assert_true(++r.count < 160);
	}
	return &r;
}

static const opa_str *find(const opa_config *config, const char *key)
{
	const resource *r = read_resource(config);
	for (size_t i = 0; i < r->count; i++) {
		if (wire_is(r->keys[i], key)) {
			return &r->values[i];
		}
	}
	return NULL;
}

/* expected NULL: the key is not there. */
static void check(const opa_config *config, const char *key, const char *expected)
{
	const opa_str *value = find(config, key);
	if (expected == NULL) {
		assert_null(value);
		return;
	}
	if (value == NULL) {
		fail_msg("there is no %s", key);
		return;
	}
	if (!wire_is(wire_string(*value), expected)) {
		fail_msg("%s is %.*s, not %s", key, (int)wire_string(*value).len, wire_string(*value).data,
			expected);
	}
}

static opa_config *with_attributes(config_fixture *f, const char *list)
{
	f->variables = 0;
	f->warnings = 0;
	set_env(f, "OTEL_RESOURCE_ATTRIBUTES", list);
	return make(f);
}

static void the_resource_tells_process_host_and_sdk(void **state)
{
	config_fixture *f = *state;
	char host[256], arch[64];
	opa_config *config = make(f);
	opa_host_name(host, sizeof(host));
	opa_host_arch(arch, sizeof(arch));
	check(config, "telemetry.sdk.name", "opa");
	check(config, "telemetry.sdk.language", "php");
	check(config, "telemetry.sdk.version", "0.1.0");
	check(config, "process.runtime.name", "cli");
	check(config, "process.runtime.version", "8.2.0");
	check(config, "service.name", "unknown_service:php");
	check(config, "service.instance.id", f->identity.instance_id);
	check(config, "host.name", host);
	check(config, "host.arch", arch);
	check(config, "os.type", opa_host_os());
	assert_true(wire_int(*find(config, "process.pid")) == (int64_t)getpid());
}

/* RFC 9562: version 4. */
static void the_instance_id_is_a_random_uuid(void **state)
{
	config_fixture *f = *state;
	const char *id = f->identity.instance_id;
	opa_identity other;
	assert_int_equal(strlen(id), 36);
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		assert_true(dash ? id[i] == '-' : strchr("0123456789abcdef", id[i]) != NULL);
	}
	assert_int_equal(id[14], '4');
	assert_non_null(strchr("89ab", id[19]));
	opa_identity_gather(&other);
	assert_string_not_equal(id, other.instance_id);
}

static void the_name_of_the_service_has_four_sources(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_RESOURCE_ATTRIBUTES", "service.name=of attributes,a=b");
	check(make(f), "service.name", "of attributes");
	set_env(f, "OTEL_SERVICE_NAME", "of variable");
	check(make(f), "service.name", "of variable");
	set_ini(f, OPA_SETTING_SERVICE_NAME, "of ini");
	opa_config *config = make(f);
	check(config, "service.name", "of ini");
	check(config, "a", "b");
	f->variables = 0;
	set_ini(f, OPA_SETTING_SERVICE_NAME, "");
	check(make(f), "service.name", "unknown_service:php");
}

static void attributes_are_pairs_between_commas(void **state)
{
	config_fixture *f = *state;
	opa_config *config =
		with_attributes(f, " a = b ,\tc=d\t,,e=f g, ,deployment.environment.name=prod,");
	check(config, "a", "b");
	check(config, "c", "d");
	check(config, "e", "f g");
	check(config, "deployment.environment.name", "prod");
	assert_int_equal(f->warnings, 0);
	config = with_attributes(f, "a=b=c,d==,e=\"x\"");
	check(config, "a", "b=c");
	check(config, "d", "=");
	check(config, "e", "\"x\"");
	assert_int_equal(f->warnings, 0);
}

static void keys_and_values_are_percent_decoded(void **state)
{
	config_fixture *f = *state;
	opa_config *config =
		with_attributes(f, "a=%2C%3d%20,%62=x%2,c=100%,d=%zz%4g,e=%,f=%25%32%35,g%2Ch=1");
	check(config, "a", ",= ");
	check(config, "b", "x%2");
	check(config, "c", "100%");
	check(config, "d", "%zz%4g");
	check(config, "e", "%");
	check(config, "f", "%25");
	check(config, "g,h", "1");
	assert_int_equal(f->warnings, 0);
}

/* As it goes into a protobuf `string`. */
static void any_bytes_make_a_valid_value(void **state)
{
	config_fixture *f = *state;
	opa_config *config = with_attributes(f, "a=%ff,b=gr\xC3\xBC\xC3\x9F,c=%C3%BC,d=\xC3,%fe=1");
	check(config, "a", "\xEF\xBF\xBD");
	check(config, "b", "gr\xC3\xBC\xC3\x9F");
	check(config, "c", "\xC3\xBC");
	check(config, "d", "\xEF\xBF\xBD");
	check(config, "\xEF\xBF\xBD", "1");
	opa_str zero = wire_string(*find(with_attributes(f, "z=a%00b"), "z"));
	assert_int_equal(zero.len, 3);
	assert_memory_equal(zero.data, "a\0b", 3);
}

static void of_a_key_that_is_given_twice_the_last_counts(void **state)
{
	config_fixture *f = *state;
	opa_config *config = with_attributes(f, "a=1,b=x,a=2,%61=3,c=y");
	check(config, "a", "3");
	check(config, "b", "x");
	check(config, "c", "y");
}

static void what_identifies_opa_and_the_process_cannot_be_given(void **state)
{
	config_fixture *f = *state;
	opa_config *config = with_attributes(f,
		"telemetry.sdk.name=opentelemetry,process.pid=1,telemetry.sdk.language=go,host.name=mine,"
		"service.instance.id=one,container.id=c,process.runtime.name=r");
	check(config, "telemetry.sdk.name", "opa");
	check(config, "telemetry.sdk.language", "php");
	assert_true(wire_int(*find(config, "process.pid")) == (int64_t)getpid());
	check(config, "host.name", "mine");
	check(config, "service.instance.id", "one");
	check(config, "container.id", "c");
	check(config, "process.runtime.name", "r");
}

static void parts_that_are_no_pairs_are_one_warning(void **state)
{
	config_fixture *f = *state;
	opa_config *config = with_attributes(f, "nothing,a=b,=c, =d,more");
	check(config, "a", "b");
	check(config, "", NULL);
	assert_int_equal(f->warnings, 1);
	assert_non_null(strstr(f->warning, "4 ignored"));
	assert_non_null(strstr(f->warning, "\"nothing\""));
	config = with_attributes(f, "a=,b");
	check(config, "a", NULL);
	assert_int_equal(f->warnings, 1);
}

/* What opa itself has to say is said all the same. */
static void more_attributes_than_fit_are_left_out_with_a_warning(void **state)
{
	config_fixture *f = *state;
	char *list = malloc(100000);
	size_t len = 0;
	for (unsigned i = 0; i < 5000; i++) {
		len += (size_t)snprintf(list + len, 100000 - len, "k%u=v,", i);
	}
	opa_config *config = with_attributes(f, list);
	assert_int_equal(f->warnings, 1);
	const resource *r = read_resource(config);
	assert_true(r->count >= 128 && r->count < 160);
	check(config, "k4999", "v");
	check(config, "k0", NULL);
	check(config, "service.name", "unknown_service:php");
	check(config, "service.instance.id", f->identity.instance_id);
	check(config, "os.type", opa_host_os());
	free(list);
}

static void a_value_that_does_not_fit_leaves_room_for_others(void **state)
{
	config_fixture *f = *state;
	char *list = malloc(100100), value[301];
	memset(list, 'x', 100000);
	memcpy(list, "long=", 5);
	strcpy(list + 100000, ",short=1");
	opa_config *config = with_attributes(f, list);
	check(config, "long", NULL);
	check(config, "short", "1");
	assert_int_equal(f->warnings, 1);
	free(list);
	list = malloc(200 * 700);
	memset(value, 'y', 300);
	value[300] = '\0';
	size_t len = 0;
	for (unsigned i = 0; i < 200; i++) {
		len +=
			(size_t)snprintf(list + len, 200 * 700 - len, "k%u=%s,", i, i < 100 ? "short" : value);
	}
	config = with_attributes(f, list);
	check(config, "k199", value);
	check(config, "k100", NULL);
	check(config, "k0", NULL);
	check(config, "service.instance.id", f->identity.instance_id);
	check(config, "process.runtime.version", "8.2.0");
	assert_int_equal(f->warnings, 1);
	free(list);
}

/* Of the size that the system allows a variable to have; quadratic work would not end. */
static void a_list_of_nothing_but_commas_is_read_in_passing(void **state)
{
	config_fixture *f = *state;
	size_t len = 4u << 20;
	char *list = malloc(len + 1);
	memset(list, ',', len);
	list[len] = '\0';
	with_attributes(f, list);
	assert_int_equal(f->warnings, 0);
	memset(list, 'a', len);
	for (size_t i = 1; i < len; i += 2) {
		list[i] = ',';
	}
	with_attributes(f, list);
	assert_int_equal(f->warnings, 1);
	free(list);
}

static void texts_that_are_empty_are_left_out(void **state)
{
	config_fixture *f = *state;
	f->input.sapi = "";
	check(make(f), "process.runtime.name", NULL);
}

/* ---- renewal ---- */

static void a_forked_child_is_another_process_of_the_same_service(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_SERVICE_NAME, "shop");
	set_env(f, "OTEL_RESOURCE_ATTRIBUTES", "a=b,not a pair");
	opa_config *config = make(f);
	opa_identity parent = f->identity;
	uint64_t id = config->resource_id;
	assert_int_equal(f->warnings, 1);
	int pid = fork();
	if (pid == 0) {
		opa_identity_gather(&f->identity);
		CHECK(opa_config_renew(config, &f->input));
		CHECK(f->identity.pid == (uint64_t)getpid() && f->identity.pid != parent.pid);
		CHECK(strcmp(f->identity.instance_id, parent.instance_id) != 0);
		CHECK(config->resource_id != id);
		CHECK(wire_int(*find(config, "process.pid")) == (int64_t)getpid());
		check(config, "service.instance.id", f->identity.instance_id);
		check(config, "service.name", "shop");
		check(config, "a", "b");
		CHECK(strchr(config->warnings, '\n')[1] == '\0'); /* still that one line */
		_exit(0);
	}
	assert_int_equal(wait_child(pid), 0);
}

static void resources_that_differ_have_different_ids(void **state)
{
	config_fixture *f = *state;
	uint64_t seen[20];
	for (unsigned i = 0; i < 20; i++) {
		opa_identity_gather(&f->identity); /* as in 20 processes */
		seen[i] = make(f)->resource_id;
		for (unsigned k = 0; k < i; k++) {
			assert_true(seen[i] != seen[k]);
		}
	}
}

/* ---- where traces go ---- */

static void the_destination_is_lines_that_the_exporter_reads(void **state)
{
	config_fixture *f = *state;
	set_env(f, "XDG_STATE_HOME", "/state");
	set_env(f, "HOME", "/home/me");
	set_ini(f, OPA_SETTING_STORE_PATH, "/data/opa.db");
	set_ini(f, OPA_SETTING_STORE_GROUP, "staff");
	set_ini(f, OPA_SETTING_STORE_MAX_SIZE, "2M");
	set_ini(f, OPA_SETTING_STORE_MAX_AGE, "1h");
	set_ini(f, OPA_SETTING_SHUTDOWN_TIMEOUT, "1500ms");
	opa_config *config = make(f);
	assert_string_equal(config->outlet.destination,
		"type=store\npath=/data/opa.db\nstate_dir=/state\nhome=/home/me\ngroup=staff\n"
		"max_size=2097152\nmax_age=3600\nshutdown_timeout=1500\n");
	assert_true(config->outlet.destination_id == opa_destination_id(config->outlet.destination));
}

static void what_is_not_set_has_no_line(void **state)
{
	config_fixture *f = *state;
	set_env(f, "XDG_STATE_HOME", "");
	assert_string_equal(make(f)->outlet.destination,
		"type=store\nmax_size=1073741824\nmax_age=604800\nshutdown_timeout=5000\n");
}

/* A server's home may be a document root: a store there could be downloaded. */
static void a_servers_store_is_not_put_below_its_home(void **state)
{
	config_fixture *f = *state;
	f->input.server = true;
	set_env(f, "XDG_STATE_HOME", "/var/www/.local/state");
	set_env(f, "HOME", "/var/www");
	set_env(f, "XDG_RUNTIME_DIR", "/run/user/33");
	opa_config *config = make(f);
	assert_string_equal(config->outlet.destination,
		"type=store\nmax_size=1073741824\nmax_age=604800\nshutdown_timeout=5000\n");
	assert_string_equal(config->outlet.spool.runtime_dir, "/run/user/33");
	set_ini(f, OPA_SETTING_STORE_PATH, "/srv/opa");
	assert_non_null(strstr(make(f)->outlet.destination, "\npath=/srv/opa\n"));
}

/* Else a variable could say anything in the definition. */
static void a_value_with_a_line_break_is_left_out(void **state)
{
	config_fixture *f = *state;
	set_env(f, "HOME", "/home\nmax_size=0");
	assert_null(strstr(make(f)->outlet.destination, "home"));
}

static void a_path_is_named_whole_or_not_at_all(void **state)
{
	config_fixture *f = *state;
	char *path = malloc(5000), *line = malloc(5010);
	const char *names[] = {"XDG_STATE_HOME", "HOME"};
	for (size_t len = 4090; len < 4100; len++) {
		memset(path, 'x', len);
		path[0] = '/';
		path[len] = '\0';
		f->variables = 0;
		set_env(f, names[0], path);
		set_env(f, names[1], path);
		set_ini(f, OPA_SETTING_STORE_PATH, path);
		set_ini(f, OPA_SETTING_STORE_GROUP, path);
		opa_config *config = make(f);
		snprintf(line, 5010, "\nhome=%s\n", path);
		assert_int_equal(strstr(config->outlet.destination, line) != NULL, len < 4096);
		assert_int_equal(strstr(config->outlet.destination, "home") != NULL, len < 4096);
		assert_non_null(strstr(config->outlet.destination, "\nshutdown_timeout=5000\n"));
	}
	free(path);
	free(line);
}

static void the_same_settings_name_the_same_destination(void **state)
{
	config_fixture *f = *state;
	uint64_t id = make(f)->outlet.destination_id;
	assert_true(make(f)->outlet.destination_id == id);
	set_ini(f, OPA_SETTING_STORE_MAX_AGE, "8d");
	assert_true(make(f)->outlet.destination_id != id);
}

/* ---- a collector ---- */

static const char *destination_of(config_fixture *f)
{
	return make(f)->outlet.destination;
}

static void a_collector_is_lines_that_the_exporter_reads(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_ENDPOINT, "https://collector:4318");
	set_ini(f, OPA_SETTING_HEADERS, "api-key=a%20b, x = y");
	set_ini(f, OPA_SETTING_TIMEOUT, "1500ms");
	set_ini(f, OPA_SETTING_COMPRESSION, "none");
	set_ini(f, OPA_SETTING_BATCH_SIZE, "64K");
	set_ini(f, OPA_SETTING_LINGER, "250ms");
	set_ini(f, OPA_SETTING_CA_FILE, "/ca.pem");
	set_ini(f, OPA_SETTING_CERT_FILE, "/cert.pem");
	set_ini(f, OPA_SETTING_KEY_FILE, "/key.pem");
	set_ini(f, OPA_SETTING_PROXY, "http://proxy:3128");
	set_env(f, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512");
	opa_config *config = make(f);
	assert_string_equal(config->outlet.destination,
		"type=otlp\nendpoint=https://collector:4318/v1/traces\nheader=api-key: a b\nheader=x: y\n"
		"timeout=1500\ncompression=none\nbatch_size=65536\nlinger=250\nbatch_spans=512\n"
		"ca_file=/ca.pem\ncert_file=/cert.pem\nkey_file=/key.pem\nproxy=http://proxy:3128\n"
		"shutdown_timeout=5000\n");
	assert_string_equal(config->collector, "https://collector:4318/v1/traces");
	assert_int_equal(f->warnings, 0);
}

/* Whatever is allowed fits. */
static void a_collector_with_all_that_it_may_have_is_named_whole(void **state)
{
	config_fixture *f = *state;
	char *headers = malloc(OPA_KIB * 16 + 1), *path = malloc(4096);
	size_t len = 0;
	for (unsigned i = 0; i < 64; i++) {
		len += (size_t)snprintf(headers + len, 300, "name-%02u=%0246d%s", i, 0, i < 63 ? "," : "");
	}
	memset(path, 'p', 4095);
	path[0] = '/';
	path[4095] = '\0';
	set_ini(f, OPA_SETTING_ENDPOINT, "http://c");
	set_ini(f, OPA_SETTING_HEADERS, headers);
	set_ini(f, OPA_SETTING_CA_FILE, path);
	set_ini(f, OPA_SETTING_CERT_FILE, path);
	set_ini(f, OPA_SETTING_KEY_FILE, path);
	const char *definition = destination_of(f);
	assert_non_null(strstr(definition, "\nheader=name-63: 0000"));
	assert_non_null(strstr(definition, "\nkey_file=/ppp"));
	assert_string_equal(definition + strlen(definition) - 23, "\nshutdown_timeout=5000\n");
	free(headers);
	free(path);
}

static void an_endpoint_is_a_base_or_the_whole_url(void **state)
{
	config_fixture *f = *state;
	static const struct {
		const char *variable; /* NULL: the setting */
		const char *text;
		const char *url;
	} cases[] = {{NULL, "http://c:4318", "http://c:4318/v1/traces"},
		{NULL, "http://c/v1/traces", "http://c/v1/traces"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/v1/traces", "http://c/v1/traces/v1/traces"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/own", "http://c/own"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c", "http://c/"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "unix:///run/c.sock", "unix:///run/c.sock"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->variables = 0;
		f->input.given[OPA_SETTING_ENDPOINT] = false;
		f->input.ini[OPA_SETTING_ENDPOINT] = str("");
		if (cases[i].variable != NULL) {
			set_env(f, cases[i].variable, cases[i].text);
		} else {
			set_ini(f, OPA_SETTING_ENDPOINT, cases[i].text);
		}
		char line[128];
		snprintf(line, sizeof(line), "type=otlp\nendpoint=%s\n", cases[i].url);
		assert_int_equal(strncmp(destination_of(f), line, strlen(line)), 0);
	}
}

static void people_see_no_credentials_of_a_collector(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_ENDPOINT, "https://name:secret@c/?key=secret");
	opa_config *config = make(f);
	assert_non_null(strstr(config->outlet.destination, "\nendpoint=https://name:secret@c/"));
	assert_string_equal(config->collector, "https://REDACTED@c/v1/traces?REDACTED");
}

/* The settings are of milliseconds in the variables, and of seconds where they have no unit. */
static void times_in_variables_are_milliseconds(void **state)
{
	config_fixture *f = *state;
	set_ini(f, OPA_SETTING_ENDPOINT, "http://c");
	set_env(f, "OTEL_EXPORTER_OTLP_TIMEOUT", "2500");
	set_env(f, "OTEL_BSP_SCHEDULE_DELAY", "0");
	assert_non_null(strstr(destination_of(f), "\ntimeout=2500\n"));
	assert_non_null(strstr(destination_of(f), "\nlinger=0\n"));
	static const char *const bad[] = {"50", "10s", "600001", "x", "-1", "1.5"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f->variables = 0;
		f->warnings = 0;
		set_env(f, "OTEL_EXPORTER_OTLP_TIMEOUT", bad[i]);
		assert_non_null(strstr(destination_of(f), "\ntimeout=10000\n"));
		assert_int_equal(f->warnings, 1);
		assert_non_null(strstr(f->warning, "whole number of milliseconds from 100 to 600000"));
	}
}

static void another_protocol_is_not_passed_over_in_silence(void **state)
{
	config_fixture *f = *state;
	set_env(f, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
	make(f);
	assert_int_equal(f->warnings, 0); /* nobody asks for it */
	set_env(f, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317");
	make(f);
	assert_int_equal(f->warnings, 1);
	assert_non_null(strstr(f->warning, "OTEL_EXPORTER_OTLP_PROTOCOL is ignored"));
	set_env(f, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
	f->warnings = 0;
	make(f);
	assert_int_equal(f->warnings, 0);
}

static void a_warning_has_no_secrets(void **state)
{
	config_fixture *f = *state;
	static const char *const names[] = {"OTEL_EXPORTER_OTLP_HEADERS",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"};
	for (size_t i = 0; i < 4; i++) {
		f->variables = 0;
		f->warnings = 0;
		set_env(f, names[i], i < 2 ? "secret" : "http//u:secret@c");
		opa_config *config = make(f);
		assert_int_equal(f->warnings, 1);
		assert_non_null(strstr(f->warning, names[i]));
		assert_null(strstr(config->warnings, "secret"));
	}
}

static void the_exporter_is_the_one_beside_unless_a_setting_names_one(void **state)
{
	config_fixture *f = *state;
	assert_null(make(f)->outlet.exporter);
	f->input.exporter = "/ext/opa-exporter";
	assert_string_equal(make(f)->outlet.exporter, "/ext/opa-exporter");
	set_ini(f, OPA_SETTING_EXPORTER_PATH, "/mine/opa-exporter");
	assert_string_equal(make(f)->outlet.exporter, "/mine/opa-exporter");
}

static void the_spool_has_its_settings(void **state)
{
	config_fixture *f = *state;
	opa_config *config = make(f);
	assert_null(config->outlet.spool.dir);
	assert_null(config->outlet.spool.runtime_dir);
	assert_true(config->outlet.spool.max_size == 0);
	set_ini(f, OPA_SETTING_SPOOL_DIR, "/spool");
	set_ini(f, OPA_SETTING_SPOOL_MAX_SIZE, "3M");
	set_env(f, "XDG_RUNTIME_DIR", "/run/user/7");
	config = make(f);
	assert_string_equal(config->outlet.spool.dir, "/spool");
	assert_string_equal(config->outlet.spool.runtime_dir, "/run/user/7");
	assert_true(config->outlet.spool.max_size == 3 * OPA_MIB);
}

/* XDG Base Directory Specification: a relative path is to be ignored. */
static void a_relative_runtime_directory_is_none(void **state)
{
	config_fixture *f = *state;
	set_env(f, "XDG_RUNTIME_DIR", "run");
	assert_null(make(f)->outlet.spool.runtime_dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_resource_tells_process_host_and_sdk),
		TEST(the_instance_id_is_a_random_uuid),
		TEST(the_name_of_the_service_has_four_sources),
		TEST(attributes_are_pairs_between_commas),
		TEST(keys_and_values_are_percent_decoded),
		TEST(any_bytes_make_a_valid_value),
		TEST(of_a_key_that_is_given_twice_the_last_counts),
		TEST(what_identifies_opa_and_the_process_cannot_be_given),
		TEST(parts_that_are_no_pairs_are_one_warning),
		TEST(more_attributes_than_fit_are_left_out_with_a_warning),
		TEST(a_value_that_does_not_fit_leaves_room_for_others),
		TEST(a_list_of_nothing_but_commas_is_read_in_passing),
		TEST(texts_that_are_empty_are_left_out),
		TEST(a_forked_child_is_another_process_of_the_same_service),
		TEST(resources_that_differ_have_different_ids),
		TEST(the_destination_is_lines_that_the_exporter_reads),
		TEST(what_is_not_set_has_no_line),
		TEST(a_servers_store_is_not_put_below_its_home),
		TEST(a_value_with_a_line_break_is_left_out),
		TEST(a_path_is_named_whole_or_not_at_all),
		TEST(the_same_settings_name_the_same_destination),
		TEST(a_collector_is_lines_that_the_exporter_reads),
		TEST(a_collector_with_all_that_it_may_have_is_named_whole),
		TEST(an_endpoint_is_a_base_or_the_whole_url),
		TEST(people_see_no_credentials_of_a_collector),
		TEST(times_in_variables_are_milliseconds),
		TEST(another_protocol_is_not_passed_over_in_silence),
		TEST(a_warning_has_no_secrets),
		TEST(the_exporter_is_the_one_beside_unless_a_setting_names_one),
		TEST(the_spool_has_its_settings),
		TEST(a_relative_runtime_directory_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
