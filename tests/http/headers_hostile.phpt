--TEST--
Hostile headers and targets are cut and repaired, and harm nothing
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/headers_hostile.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php', ['opa.max_value_length' => '1K']);
foreach (["/\xff\xfe", '/' . str_repeat('x', 5000), '/?' . str_repeat('%', 3000), '/?' . str_repeat('token=x&', 500), '//', '/%00?%00=%00'] as $target) {
	$server->send($target, 'GET', ["User-Agent: \xff\x01" . str_repeat('u', 3000), "X-Forwarded-For: \xff", 'Host: ' . str_repeat('h', 2000) . ':99999999']);
}
show('alive', $server->trace('/alive')['tags']['url.path']);
$spans = opa_test_spans($server->spool);
foreach ($spans as $span) {
	foreach ($span['tags'] as $key => $value) {
		if (is_string($value) && (strlen($value) > 3072 || !preg_match('//u', $value))) {
			show($key, strlen($value));
		}
	}
}
show('several', count($spans) > 3);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
alive "/alive"
several true
