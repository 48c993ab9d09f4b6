--TEST--
opa.sample_rules: the first rule that matches a request's method and path says its share; without one opa.sample_rate does
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/sample_rules.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php echo opa_is_enabled() ? "yes" : "no", substr(opa_traceparent(), -3);', [
	'opa.sample_rules' => '"GET /health=0; POST /checkout*=1; */static/*=0; PROPFIND=1; /query=1; sapi:cli=1; service:other /other=1; service:sho* sapi:cli-* /other=0.999999"',
	'opa.sample_rate' => '0',
	'opa.service_name' => 'shop',
]);
foreach (['GET /health', 'GET /health?a=/checkout', 'GET /healthy', 'POST /checkout', 'POST /checkout/pay?x',
	'GET /checkout', 'POST /a/static/x', 'PROPFIND /', 'PROPFIND http://host/static/x', 'PUT http://host/checkout',
	'POST http://host/checkout?/static/', 'GET /query?a=b', 'GET /other', 'GET /Other'] as $line) {
	[$method, $target] = explode(' ', $line);
	[, $body] = explode("\r\n\r\n", $server->send($target, $method), 2);
	show($line, $body);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
GET /health "no-02"
GET /health?a=/checkout "no-02"
GET /healthy "no-02"
POST /checkout "yes-03"
POST /checkout/pay?x "yes-03"
GET /checkout "no-02"
POST /a/static/x "no-02"
PROPFIND / "yes-03"
PROPFIND http://host/static/x "no-02"
PUT http://host/checkout "no-02"
POST http://host/checkout?/static/ "yes-03"
GET /query?a=b "yes-03"
GET /other "yes-03"
GET /Other "no-02"
