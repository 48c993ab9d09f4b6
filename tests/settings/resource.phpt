--TEST--
Service name and resource attributes arrive, settings before variables, percent-decoded
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/resource.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php opa_end_span(opa_start_span("s"));';
$resource = fn (array $options): array => opa_test_run($code, $options)['spans'][0]['resource'];
$r = $resource([]);
show('defaults', $r['service.name'], $r['telemetry.sdk.name'], $r['telemetry.sdk.language'], $r['telemetry.sdk.version'] === OPA_VERSION,
	$r['process.runtime.name'], $r['process.runtime.version'] === PHP_VERSION, $r['os.type'], $r['host.name'] === gethostname(), strlen($r['service.instance.id']), $r['process.pid'] > 0);
show('settings', array_intersect_key($resource(['ini' => ['opa.service_name' => 'shop', 'opa.resource_attributes' => '"service.version=1.2,deployment.environment.name=test%20%2C,bad, x = y "']]),
	['service.name' => 1, 'service.version' => 1, 'deployment.environment.name' => 1, 'x' => 1]));
$env = ['OTEL_SERVICE_NAME' => 'of env', 'OTEL_RESOURCE_ATTRIBUTES' => 'service.name=of attributes,a=b'];
$r = $resource(['env' => $env]);
show('variables', $r['service.name'], $r['a']);
$r = $resource(['env' => ['OTEL_RESOURCE_ATTRIBUTES' => 'service.name=of attributes,telemetry.sdk.name=forged']]);
show('service in the attributes', $r['service.name'], $r['telemetry.sdk.name']);
$r = $resource(['env' => $env, 'ini' => ['opa.service_name' => 'of ini', 'opa.resource_attributes' => '"a=c"']]);
show('settings first', $r['service.name'], $r['a']);
$r = $resource(['env' => ['OTEL_SERVICE_NAME' => '', 'OTEL_RESOURCE_ATTRIBUTES' => '']]);
show('empty', $r['service.name']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
defaults "unknown_service:php" "opa" "php" true "cli" true "linux" true 36 true
settings {"service.version":"1.2","deployment.environment.name":"test ,","x":"y","service.name":"shop"}
variables "of env" "b"
service in the attributes "of attributes" "opa"
settings first "of ini" "c"
empty "unknown_service:php"
