--TEST--
Only opa.enabled can be set while a program runs; which others a directory may set
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/modes.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$modes = [];
foreach (ini_get_all('opa') as $name => $entry) {
	$modes[$entry['access']][] = substr($name, 4);
	if ($name !== 'opa.enabled' && ini_set($name, $entry['global_value']) !== false) {
		show('set', $name);
	}
}
ksort($modes);
foreach ($modes as $mode => $names) {
	show((string) $mode, $names);
}
show('enabled', ini_set('opa.enabled', '0'));
show('bad', @ini_set('opa.enabled', 'x'), error_get_last()['message'], ini_get('opa.enabled'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
4 ["batch_size","ca_file","cert_file","cli_args","compression","endpoint","exporter_path","headers","key_file","linger","log_level","max_attributes","max_events","max_links","max_trace_size","max_value_length","proxy","rate_limit","redact","shutdown_timeout","spool_dir","spool_max_size","store_group","store_max_age","store_max_size","store_path","timeout","trace_cli","trace_rotate"]
6 ["keep_errors","keep_slow","propagators","resource_attributes","response_header","sample_rate","sample_rules","service_name","trust_incoming","trust_proxy"]
7 ["enabled"]
enabled "1"
bad false "ini_set(): opa.enabled must be on or off, \"x\" given" "0"
