--TEST--
opa.redact replaces the list; an empty one redacts nothing
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/redact_setting.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php opa_end_span(opa_start_span("s", ["password" => "p", "MyField" => "m", "x-internal-id" => "i"]));';
foreach (['myfield,x-*', ''] as $list) {
	show("\"$list\"", opa_test_span('s', opa_test_run($code, ['ini' => ['opa.redact' => $list]])['spans'])['tags']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
"myfield,x-*" {"password":"p","MyField":"REDACTED","x-internal-id":"REDACTED"}
"" {"password":"p","MyField":"m","x-internal-id":"i"}
