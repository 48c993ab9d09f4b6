--TEST--
opa.trust_incoming=0: what a caller sends along counts for nothing
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trust_incoming.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php echo implode(",", array_keys(opa_propagation_headers()));', ['opa.trust_incoming' => '0']);
$answer = $server->send('/', 'GET', ['traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
	'tracestate: a=1', 'baggage: b=2']);
[$root] = $server->spans(1);
show('root', $root['parent'], $root['trace'] === '0af7651916cd43dd8448eb211c80319c', $root['state'] ?? null);
echo explode("\r\n\r\n", $answer, 2)[1], "\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root "" false null
traceparent
