--TEST--
opa_status() shows what opa.enabled is by now, and where that came from
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/status_enabled_meanwhile.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = <<<'PHP'
<?php
function told(string $when): void
{
	$status = opa_status();
	ob_start();
	phpinfo(INFO_MODULES);
	preg_match('/^opa\.enabled => (.*)$/m', ob_get_clean(), $info);
	echo $when, ': ', $status['enabled'] ? 'on' : 'off', ', ',
		implode(' ', $status['settings']['opa.enabled']), ', ', $info[1], "\n";
}
told('at first');
ini_set('opa.enabled', '0');
told('set to 0');
ini_set('opa.enabled', '1');
told('set to 1');
ini_set('opa.enabled', '0');
ini_restore('opa.enabled');
told('restored');
@ini_set('opa.enabled', 'some');
told('refused');
ini_set('opa.enabled', 'off');
told('set to off');
PHP;

foreach ([[], ['ini' => ['opa.enabled' => '0']], ['env' => ['OTEL_SDK_DISABLED' => 'true']]] as $options) {
	echo json_encode($options), "\n", opa_test_run($code, $options)['out'];
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
[]
at first: on, 1 default, 1 => default
set to 0: off, 0 ini, 0 => ini
set to 1: on, 1 ini, 1 => ini
restored: on, 1 default, 1 => default
refused: on, 1 default, 1 => default
set to off: off, off ini, off => ini
{"ini":{"opa.enabled":"0"}}
at first: off, 0 ini, 0 => ini
set to 0: off, 0 ini, 0 => ini
set to 1: on, 1 ini, 1 => ini
restored: off, 0 ini, 0 => ini
refused: off, 0 ini, 0 => ini
set to off: off, off ini, off => ini
{"env":{"OTEL_SDK_DISABLED":"true"}}
at first: off, 0 OTEL_SDK_DISABLED, 0 => OTEL_SDK_DISABLED
set to 0: off, 0 ini, 0 => ini
set to 1: on, 1 ini, 1 => ini
restored: off, 0 OTEL_SDK_DISABLED, 0 => OTEL_SDK_DISABLED
refused: off, 0 OTEL_SDK_DISABLED, 0 => OTEL_SDK_DISABLED
set to off: off, off ini, off => ini
