--TEST--
A request goes on in its caller's trace, and sends tracestate and baggage along; what is not valid is as if it were not there
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_context.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

/** What the root span says, and what would be sent on, with the ids of this trace as letters. */
function visit(OpaTestServer $server, string $what, string ...$headers): void
{
	static $seen = 0;
	[, $sent] = explode("\r\n\r\n", $server->send('/', 'GET', $headers), 2);
	$spans = $server->spans(++$seen);
	$root = end($spans);
	show($what, $root['trace'] === TRACE, $root['parent'], $root['flags'], $root['state'] ?? null,
		str_replace([$root['trace'], $root['id']], ['T', 'S'], $sent));
}

$server = new OpaTestServer('<?php echo json_encode(opa_propagation_headers(), JSON_UNESCAPED_SLASHES);');
$parent = 'traceparent: 00-' . TRACE . '-' . PARENT . '-01';
visit($server, 'none');
visit($server, 'parent', $parent);
visit($server, 'random', 'TraceParent: 00-' . TRACE . '-' . PARENT . '-03');
visit($server, 'other flags', 'traceparent: 00-' . TRACE . '-' . PARENT . '-ff');
visit($server, 'later version', 'traceparent: cc-' . TRACE . '-' . PARENT . '-01-what-comes');
visit($server, 'state', $parent, 'tracestate: a=1, b=2 ,,', 'baggage: user=7;p=q, x=%20');
visit($server, 'bad state', $parent, 'tracestate: a=1,B=2', "baggage: a=\xc3\xa9");
visit($server, 'invalid', 'traceparent: 00-' . TRACE . '-0000000000000000-01', 'tracestate: a=1', 'baggage: c=3');
visit($server, 'version ff', 'traceparent: ff-' . TRACE . '-' . PARENT . '-01');
visit($server, 'twice', $parent, $parent);
visit($server, 'state alone', 'tracestate: a=1');
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
none false "" 259 null "{\"traceparent\":\"00-T-S-03\"}"
parent true "b7ad6b7169203331" 769 null "{\"traceparent\":\"00-T-S-01\"}"
random true "b7ad6b7169203331" 771 null "{\"traceparent\":\"00-T-S-03\"}"
other flags true "b7ad6b7169203331" 771 null "{\"traceparent\":\"00-T-S-03\"}"
later version true "b7ad6b7169203331" 769 null "{\"traceparent\":\"00-T-S-01\"}"
state true "b7ad6b7169203331" 769 "a=1,b=2" "{\"traceparent\":\"00-T-S-01\",\"tracestate\":\"a=1,b=2\",\"baggage\":\"user=7;p=q, x=%20\"}"
bad state true "b7ad6b7169203331" 769 null "{\"traceparent\":\"00-T-S-01\"}"
invalid false "" 259 null "{\"traceparent\":\"00-T-S-03\",\"baggage\":\"c=3\"}"
version ff false "" 259 null "{\"traceparent\":\"00-T-S-03\"}"
twice false "" 259 null "{\"traceparent\":\"00-T-S-03\"}"
state alone false "" 259 null "{\"traceparent\":\"00-T-S-03\"}"
