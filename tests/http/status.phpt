--TEST--
4xx leaves the status unset, 5xx makes it error
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/status.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php http_response_code((int) $_GET["c"]);');
foreach ([200, 304, 404, 499, 500, 503] as $code) {
	$span = $server->trace("/?c=$code");
	show((string) $code, $span['tags']['http.response.status_code'], $span['status'], $span['message'], $span['tags']['error.type'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
200 200 0 "" null
304 304 0 "" null
404 404 0 "" null
499 499 0 "" null
500 500 2 "" "500"
503 503 2 "" "503"
