--TEST--
Each setting takes good values as they stand, and refuses bad ones with a warning that says what is allowed
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/values.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$cases = [
	'opa.enabled' => [['1', 'on', 'YES', 'true', '0', 'off'], ['maybe', '2']],
	'opa.service_name' => [['shop', 'a b', 'ünicode'], ["two\nlines"]],
	'opa.resource_attributes' => [['a=b,c=d'], ["a=b\nc"]],
	'opa.sample_rate' => [['0', '0.25', '1', '1e-3', '.5'], ['2', '-1', 'half', '1.0001', 'nan', '']],
	'opa.sample_rules' => [['', 'GET /health=0; POST /checkout*=1; *=0.1', "sapi:cli=1;\nservice:shop* /a = .5;"],
		['*=2', 'get /=1', '/a /b=1', '*', '=1', 'host:x=1']],
	'opa.rate_limit' => [['0', '1', '100000'], ['-1', '100001', '1.5', '']],
	'opa.keep_errors' => [['1', '0'], ['x']],
	'opa.keep_slow' => [['0', '500ms', '2s', '1d'], ['2d', '-1s', 'slow', '']],
	'opa.trace_cli' => [['0', '1'], ['x']],
	'opa.cli_args' => [['on'], ['x']],
	'opa.trust_proxy' => [['on'], ['x']],
	'opa.trust_incoming' => [['off'], ['x']],
	'opa.propagators' => [['b3, tracecontext', '', 'none'], ["b3\nbaggage"]],
	'opa.response_header' => [['1'], ['x']],
	'opa.redact' => [['a,*b*', ''], ["a\nb"]],
	'opa.trace_rotate' => [['0', '500ms', '1d', '60'], ['2d', '5x', '-1s', '1.5s', '']],
	'opa.max_attributes' => [['0', '65535'], ['65536', '-1', '1K', '']],
	'opa.max_events' => [['0', '10'], ['many']],
	'opa.max_links' => [['0', '10'], ['many']],
	'opa.max_value_length' => [['16', '1M', '64KiB', '2 kb'], ['15', '2M', '1.5K', '']],
	'opa.max_trace_size' => [['64K', '1G'], ['63K', '2G']],
	'opa.spool_dir' => [['', opa_test_spool() . '/good'], ['relative', './x']],
	'opa.spool_max_size' => [['0', '64M'], ['x']],
	'opa.store_path' => [['', '/tmp/x.db'], ['x.db']],
	'opa.store_max_size' => [['0', '10G'], ['10X']],
	'opa.store_max_age' => [['0', '7d', '12h'], ['7y']],
	'opa.store_group' => [['', 'adm'], ["a\nb"]],
	'opa.endpoint' => [['', 'http://collector:4318', 'https://c.example/otlp?x=1', 'unix:///run/c.sock', 'HTTP://[::1]:1'], ['collector:4318', 'grpc://c:4317', 'http://', 'http://c:0', 'unix://c.sock', 'http://a b']],
	'opa.headers' => [['', 'api-key=x', 'a=b,c=d%20e'], ['nothing', 'a b=c', 'a=%0d%0aHost: x', "a=b\nc"]],
	'opa.timeout' => [['100ms', '10s', '600'], ['99ms', '0', '601', '']],
	'opa.compression' => [['gzip', 'none', 'GZIP', ''], ['zstd', '9']],
	'opa.batch_size' => [['4K', '32M'], ['4095', '33M', '0']],
	'opa.linger' => [['0', '250ms', '60s'], ['61s', '-1']],
	'opa.ca_file' => [['', '/etc/ca.pem'], ['ca.pem']],
	'opa.cert_file' => [['', '/etc/cert.pem'], ['cert.pem']],
	'opa.key_file' => [['', '/etc/key.pem'], ['key.pem']],
	'opa.proxy' => [['', 'http://proxy:3128', 'proxy:3128', 'socks5h://u:p@10.0.0.1:1080'], ['ftp://proxy', 'http://proxy/path', 'proxy:port']],
	'opa.exporter_path' => [['', '/x'], ['opa-exporter']],
	'opa.shutdown_timeout' => [['0', '5s'], ['1h', 'soon']],
	'opa.log_level' => [['off', '', 'error', 'debug'], ['info']],
];
show('all settings', array_diff(array_keys(ini_get_all('opa')), array_keys($cases)), count($cases));
// The good and the bad of all settings at once: a run a column, not a run a value.
$columns = max(array_map(static fn (array $case): int => max(count($case[0]), count($case[1])), $cases));
$code = '<?php opa_disable(); echo json_encode(ini_get_all("opa", false)), "\n";';
for ($n = 0; $n < $columns; $n++) {
	foreach ([0, 1] as $bad) {
		$settings = array_filter(array_map(static fn (array $case): ?string => $case[$bad][$n] ?? null, $cases), 'is_string');
		$quoted = array_map(static fn (string $value): string => '"' . $value . '"', $settings);
		$spool = opa_test_spool() . '/values';
		$run = opa_test_run($code, ['ini' => $quoted + ['display_startup_errors' => '1', 'display_errors' => '1', 'html_errors' => '0', 'log_errors' => '0'], 'spool' => $spool, 'env' => ['XDG_RUNTIME_DIR' => opa_test_spool()]]);
		$is = json_decode(substr($run['out'], strrpos($run['out'], '{')), true);
		foreach ($settings as $name => $value) {
			$warned = preg_match('/' . preg_quote($name) . ' must be (.*?)(?:, "| in Unknown)/', $run['out'], $m);
			if ($bad) {
				$n === 0 && show($name, $m[1] ?? 'no warning');
				if (!$warned || $is[$name] === $value) {
					show("accepted $name", $value);
				}
			} elseif ($warned || $is[$name] !== $value) {
				show("refused $name", $value, $is[$name]);
			}
		}
	}
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
all settings [] 40
opa.enabled "on or off"
opa.service_name "one line of text"
opa.resource_attributes "one line of text"
opa.sample_rate "a number from 0 to 1"
opa.sample_rules "rules like GET /health=0; service:shop* sapi:cli=1; *=0.1 (rates from 0 to 1, up to 256 rules)"
opa.rate_limit "a whole number from 0 to 100000"
opa.keep_errors "on or off"
opa.keep_slow "a time like 500ms or 10s, from 0s to 1d"
opa.trace_cli "on or off"
opa.cli_args "on or off"
opa.trust_proxy "on or off"
opa.trust_incoming "on or off"
opa.propagators "one line of text"
opa.response_header "on or off"
opa.redact "one line of text"
opa.trace_rotate "a time like 500ms or 10s, from 0s to 1d"
opa.max_attributes "a whole number from 0 to 65535"
opa.max_events "a whole number from 0 to 65535"
opa.max_links "a whole number from 0 to 65535"
opa.max_value_length "a size like 64M, from 16 to 1M"
opa.max_trace_size "a size like 64M, from 64K to 1G"
opa.spool_dir "an absolute path, or nothing"
opa.spool_max_size "a size like 64M, from 0 to 1T"
opa.store_path "an absolute path, or nothing"
opa.store_max_size "a size like 64M, from 0 to 1T"
opa.store_max_age "a time like 500ms or 10s, from 0s to 36500d"
opa.store_group "one line of text"
opa.endpoint "a URL that begins with http://, https:// or unix:///, or nothing"
opa.headers "a list like name=value,name=value with percent-encoded values"
opa.timeout "a time like 500ms or 10s, from 100ms to 600s"
opa.compression "gzip or none"
opa.batch_size "a size like 64M, from 4K to 32M"
opa.linger "a time like 500ms or 10s, from 0s to 60s"
opa.ca_file "an absolute path, or nothing"
opa.cert_file "an absolute path, or nothing"
opa.key_file "an absolute path, or nothing"
opa.proxy "a proxy's URL (http, https, socks4, socks5) without a path, or nothing"
opa.exporter_path "an absolute path, or nothing"
opa.shutdown_timeout "a time like 500ms or 10s, from 0s to 600s"
opa.log_level "off, error, warning or debug"
