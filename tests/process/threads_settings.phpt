--TEST--
Threads that serve virtual hosts: each request has its own host's settings, while the environment changes beneath them
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/threads.inc';
opa_test_threads_missing() === null || die('skip ' . opa_test_threads_missing());
?>
--INI--
opa.spool_dir={PWD}/threads_settings.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/threads.inc';

$code = 'opa_end_span(opa_start_span(ini_get("opa.resource_attributes"))); for ($i = 0; $i < 100; $i++) { putenv("OTEL_SERVICE_NAME=" . str_repeat("y", 1000 + $i)); }';
$run = opa_test_run('<?php echo opa_test_threads(8, 250, ' . var_export($code, true) . ', "opa.resource_attributes", "host=");', [
	'ini' => ['extension' => opa_test_threads_build(), 'log_errors' => '0'],
	'env' => ['MALLOC_PERTURB_' => '85'], // what has been freed does not look like what it was
]);
show('served', $run['out'], $run['exit'], $run['signal']);
$hosts = $services = $processes = [];
foreach ($run['spans'] as $span) {
	$resource = $span['resource'];
	if (str_starts_with($span['name'], 'host=')) {
		$hosts[$span['name']] = $span['name'] === "host=$resource[host]";
		$services[] = $resource['service.name'];
		$processes[$resource['service.instance.id']] = true;
	}
}
show('hosts', count($hosts), array_keys($hosts, false));
show('of the environment', count(preg_grep('/^(y+|unknown_service:php)$/D', $services)), array_slice(preg_grep('/^(y+|unknown_service:php)$/D', $services, PREG_GREP_INVERT), 0, 3));
show('processes', count($processes));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
served "2000" 0 0
hosts 2000 []
of the environment 2000 []
processes 1
