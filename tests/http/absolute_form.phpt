--TEST--
Of a request line in absolute form no host becomes the path
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/absolute_form.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php echo "x";');
foreach (['http://host', 'http://host/path?q=1'] as $target) {
	$span = $server->trace($target);
	show('path', $span['tags']['url.path'], $span['tags']['url.query'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
path "/" null
path "/path" "q=1"
