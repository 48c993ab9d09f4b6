--TEST--
A collector's settings: by INI or OTEL_* variables, in that order; what is secret is shown nowhere
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/collector.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = <<<'PHP'
<?php
$status = opa_status();
$names = ['endpoint', 'headers', 'timeout', 'compression', 'linger', 'ca_file', 'cert_file', 'key_file', 'proxy'];
echo $status['exporter']['destination'], opa_is_enabled() ? '' : ' (off)', "\n";
foreach ($names as $name) {
	['value' => $value, 'source' => $source] = $status['settings']["opa.$name"];
	echo $source === 'default' ? '' : "  $name: $value ($source)\n";
}
foreach ($status['warnings'] as $warning) {
	echo "  warning: $warning\n";
}
opa_end_span(opa_start_span('s'));
opa_flush(0);
phpinfo(INFO_MODULES);
PHP;
$otlp = 'OTEL_EXPORTER_OTLP_';
$cases = [
	'nothing' => [[], []],
	'a base' => [[], ["{$otlp}ENDPOINT" => 'http://c:4318']],
	'as it stands' => [[], ["{$otlp}ENDPOINT" => 'http://c:4318', "{$otlp}TRACES_ENDPOINT" => 'http://t']],
	'the setting first' => [['opa.endpoint' => '"https://s/v1/traces"'], ["{$otlp}ENDPOINT" => 'http://c:4318']],
	'a base by setting' => [['opa.endpoint' => '"https://s/otlp"'], []],
	'no endpoint by setting' => [['opa.endpoint' => '""'], ["{$otlp}ENDPOINT" => 'http://c:4318', 'OTEL_TRACES_EXPORTER' => 'otlp']],
	'otlp alone' => [[], ['OTEL_TRACES_EXPORTER' => 'otlp']],
	'none' => [['opa.endpoint' => '"https://s"'], ['OTEL_TRACES_EXPORTER' => 'none']],
	'all variables' => [[], ["{$otlp}ENDPOINT" => 'https://name:SECRET@c/?key=SECRET', "{$otlp}HEADERS" => 'api-key=SECRET,x=SECRET%20', "{$otlp}TIMEOUT" => '1500',
		"{$otlp}COMPRESSION" => 'none', "{$otlp}CERTIFICATE" => '/ca', "{$otlp}CLIENT_CERTIFICATE" => '/cert', "{$otlp}CLIENT_KEY" => '/key', 'OTEL_BSP_SCHEDULE_DELAY' => '250']],
	'those for traces first' => [[], ["{$otlp}TRACES_HEADERS" => 'a=b', "{$otlp}HEADERS" => 'c=d', "{$otlp}TRACES_TIMEOUT" => '200', "{$otlp}TIMEOUT" => '300', 'OTEL_BSP_EXPORT_TIMEOUT' => '400']],
	'bad variables' => [[], ["{$otlp}ENDPOINT" => 'c:4318', "{$otlp}TRACES_ENDPOINT" => 'http//u:SECRET@c', "{$otlp}HEADERS" => 'SECRET', "{$otlp}TIMEOUT" => '10s', 'OTEL_BSP_SCHEDULE_DELAY' => '-1', "{$otlp}COMPRESSION" => 'zstd']],
	'protocol' => [[], ["{$otlp}ENDPOINT" => 'http://c:4317', "{$otlp}PROTOCOL" => 'grpc', 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE' => 'many']],
	'proxy' => [['opa.endpoint' => '"http://c"', 'opa.proxy' => '"http://u:SECRET@p:3128"', 'opa.headers' => '"k=SECRET"'], []],
];
foreach ($cases as $what => [$ini, $env]) {
	$run = opa_test_run($code, ['ini' => $ini, 'env' => $env]);
	[$said, $info] = explode("phpinfo()\n", $run['out'], 2);
	echo "$what: $said";
	preg_match('/^Traces go to => (.*)$/m', $info, $m);
	$files = glob("$run[spool]/dest/*");
	if (str_contains($run['out'], 'SECRET')) {
		echo "  A SECRET IS SHOWN\n";
	}
	foreach ($files as $file) {
		printf("  %s %s\n", $m[1], decoct(fileperms($file) & 0777));
		if (str_contains(file_get_contents($file), 'type=otlp')) {
			echo '    ', str_replace("\n", "\n    ", trim(file_get_contents($file))), "\n";
		}
	}
}

echo "A bad value is not shown either\n";
$run = opa_test_run('<?php echo 1;', ['ini' => ['opa.headers' => 'SECRET', 'opa.endpoint' => '"http//u:SECRET@c"', 'opa.proxy' => '"ftp://u:SECRET@c"',
	'display_startup_errors' => '1', 'display_errors' => '1', 'html_errors' => '0', 'log_errors' => '0']]);
echo preg_replace('/ in Unknown.*/', '', trim($run['out'])), "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
nothing: store
  the local store 600
a base: http://c:4318/v1/traces
  endpoint: http://c:4318 (OTEL_EXPORTER_OTLP_ENDPOINT)
  http://c:4318/v1/traces 600
    type=otlp
    endpoint=http://c:4318/v1/traces
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    shutdown_timeout=5000
as it stands: http://t/
  endpoint: http://t (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
  http://t/ 600
    type=otlp
    endpoint=http://t/
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    shutdown_timeout=5000
the setting first: https://s/v1/traces
  endpoint: https://s/v1/traces (ini)
  https://s/v1/traces 600
    type=otlp
    endpoint=https://s/v1/traces
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    shutdown_timeout=5000
a base by setting: https://s/otlp/v1/traces
  endpoint: https://s/otlp (ini)
  https://s/otlp/v1/traces 600
    type=otlp
    endpoint=https://s/otlp/v1/traces
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    shutdown_timeout=5000
no endpoint by setting: store
  endpoint:  (ini)
  the local store 600
otlp alone: http://localhost:4318/v1/traces
  http://localhost:4318/v1/traces 600
    type=otlp
    endpoint=http://localhost:4318/v1/traces
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    shutdown_timeout=5000
none: store (off)
  endpoint: https://s (ini)
all variables: https://REDACTED@c/v1/traces?REDACTED
  endpoint: https://REDACTED@c/?REDACTED (OTEL_EXPORTER_OTLP_ENDPOINT)
  headers: api-key=REDACTED,x=REDACTED (OTEL_EXPORTER_OTLP_HEADERS)
  timeout: 1500ms (OTEL_EXPORTER_OTLP_TIMEOUT)
  compression: none (OTEL_EXPORTER_OTLP_COMPRESSION)
  linger: 250ms (OTEL_BSP_SCHEDULE_DELAY)
  ca_file: /ca (OTEL_EXPORTER_OTLP_CERTIFICATE)
  cert_file: /cert (OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE)
  key_file: /key (OTEL_EXPORTER_OTLP_CLIENT_KEY)
  https://REDACTED@c/v1/traces?REDACTED 600
    type=otlp
    endpoint=https://name:SECRET@c/v1/traces?key=SECRET
    header=api-key: SECRET
    header=x: SECRET 
    timeout=1500
    compression=none
    batch_size=524288
    linger=250
    ca_file=/ca
    cert_file=/cert
    key_file=/key
    shutdown_timeout=5000
those for traces first: store
  headers: a=REDACTED (OTEL_EXPORTER_OTLP_TRACES_HEADERS)
  timeout: 200ms (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)
  the local store 600
bad variables: store
  warning: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is ignored: its value is not a URL that begins with http://, https:// or unix:///, or nothing
  warning: OTEL_EXPORTER_OTLP_ENDPOINT is ignored: "c:4318" is not a URL that begins with http://, https:// or unix:///, or nothing
  warning: OTEL_EXPORTER_OTLP_HEADERS is ignored: its value is not a list like name=value,name=value with percent-encoded values
  warning: OTEL_EXPORTER_OTLP_TIMEOUT is ignored: "10s" is not a whole number of milliseconds from 100 to 600000
  warning: OTEL_EXPORTER_OTLP_COMPRESSION is ignored: "zstd" is not gzip or none
  warning: OTEL_BSP_SCHEDULE_DELAY is ignored: "-1" is not a whole number of milliseconds from 0 to 60000
  the local store 600
protocol: http://c:4317/v1/traces
  endpoint: http://c:4317 (OTEL_EXPORTER_OTLP_ENDPOINT)
  warning: OTEL_EXPORTER_OTLP_PROTOCOL is ignored: opa sends http/protobuf, not "grpc"
  warning: OTEL_BSP_MAX_EXPORT_BATCH_SIZE is ignored: "many" is not a whole number from 1 on
  http://c:4317/v1/traces 600
    type=otlp
    endpoint=http://c:4317/v1/traces
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    shutdown_timeout=5000
proxy: http://c/v1/traces
  endpoint: http://c (ini)
  headers: k=REDACTED (ini)
  proxy: http://REDACTED@p:3128 (ini)
  http://c/v1/traces 600
    type=otlp
    endpoint=http://c/v1/traces
    header=k: SECRET
    timeout=10000
    compression=gzip
    batch_size=524288
    linger=1000
    proxy=http://u:SECRET@p:3128
    shutdown_timeout=5000
A bad value is not shown either
Warning: PHP Startup: opa.endpoint must be a URL that begins with http://, https:// or unix:///, or nothing

Warning: PHP Startup: opa.headers must be a list like name=value,name=value with percent-encoded values

Warning: PHP Startup: opa.proxy must be a proxy's URL (http, https, socks4, socks5) without a path, or nothing
1