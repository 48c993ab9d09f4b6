--TEST--
A method that is not known is _OTHER, and the span HTTP
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/method_unknown.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php', [], ['OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS' => 'GET,PROPFIND']);
foreach (['GET', 'PROPFIND', 'POST', 'LOCK'] as $method) {
	$span = $server->trace('/', $method, ['Content-Length: 0']);
	show($method, $span['name'], $span['tags']['http.request.method'], $span['tags']['http.request.method_original'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
GET "GET" "GET" null
PROPFIND "PROPFIND" "PROPFIND" null
POST "HTTP" "_OTHER" "POST"
LOCK "HTTP" "_OTHER" "LOCK"
