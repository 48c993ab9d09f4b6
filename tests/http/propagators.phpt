--TEST--
opa.propagators: a request goes on in a trace that B3's headers name, and sends along what each propagator has to say
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/propagators.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

const B3 = '80f198ee56343ba864fe8b2a57d3eff7';
const B3_SPAN = 'e457b5a2e4d86bd1';
const W3C = '0af7651916cd43dd8448eb211c80319c';
const CODE = '<?php echo json_encode(["trace" => opa_trace_id(), "root" => opa_root_span(), "send" => opa_propagation_headers()]);';

/** The trace by its name above, or "new"; then what would be sent on, with the ids as letters. */
function visit(OpaTestServer $server, string $what, string ...$headers): void
{
	static $seen = [];
	$answer = json_decode(explode("\r\n\r\n", $server->send('/', 'GET', $headers), 2)[1], true);
	$sent = json_encode($answer['send'], JSON_UNESCAPED_SLASHES);
	$parent = '-';
	if ($answer['trace'] !== null) {
		$seen[$server->port] = ($seen[$server->port] ?? 0) + 1;
		$spans = $server->spans($seen[$server->port]);
		foreach ($spans as $span) {
			$parent = $span['id'] === $answer['root'] ? $span['parent'] : $parent;
		}
	}
	preg_match('/[0-9a-f]{32}/', $sent, $trace);
	$trace = $trace[0] ?? 'x';
	show($what, match ($trace) {
		B3 => 'b3',
		substr_replace(B3, '0000000000000000', 0, 16) => 'b3 short',
		W3C => 'w3c',
		'x' => '-',
		default => 'new',
	}, $answer['trace'] !== null, $parent);
	echo '  ', preg_replace(['/[a-f][0-9a-f]{15}(?=[-"])/'], 'S', str_replace($trace, 'T', $sent)), "\n";
}

$w3c = 'traceparent: 00-' . W3C . '-b7ad6b7169203331-01';
$server = new OpaTestServer(CODE, ['opa.propagators' => 'b3']);
visit($server, 'none');
visit($server, 'accept', 'b3: ' . B3 . '-' . B3_SPAN . '-1');
visit($server, 'accept with a parent', 'B3: ' . B3 . '-' . B3_SPAN . '-1-05e3ac9a4f6e3b90');
visit($server, 'debug', 'b3: ' . B3 . '-' . B3_SPAN . '-d');
visit($server, 'defer', 'b3: ' . B3 . '-' . B3_SPAN);
visit($server, 'deny', 'b3: ' . B3 . '-' . B3_SPAN . '-0');
visit($server, 'deny alone', 'b3: 0');
visit($server, 'short', 'b3: ' . substr(B3, 16) . '-' . B3_SPAN . '-1');
visit($server, 'several', 'X-B3-TraceId: ' . B3, 'x-b3-spanid: ' . B3_SPAN, 'X-B3-Sampled: 1', 'X-B3-ParentSpanId: x');
visit($server, 'one before several', 'b3: 0', 'X-B3-TraceId: ' . B3, 'X-B3-SpanId: ' . B3_SPAN, 'X-B3-Sampled: 1');
visit($server, 'first of two', 'b3: ' . B3 . '-' . B3_SPAN . '-1', 'b3: 0');
visit($server, 'malformed', 'b3: ' . B3 . '-' . B3_SPAN . '-2');
visit($server, 'traceparent', $w3c, 'tracestate: a=1', 'baggage: b=2');

$server = new OpaTestServer(CODE, ['opa.propagators' => 'b3multi']);
visit($server, 'accept', 'X-B3-TraceId: ' . B3, 'X-B3-SpanId: ' . B3_SPAN, 'X-B3-Sampled: 1');
visit($server, 'deny', 'X-B3-TraceId: ' . B3, 'X-B3-SpanId: ' . B3_SPAN, 'X-B3-Sampled: 0');
visit($server, 'debug', 'X-B3-TraceId: ' . B3, 'X-B3-SpanId: ' . B3_SPAN, 'X-B3-Sampled: 0', 'X-B3-Flags: 1');
visit($server, 'one', 'b3: ' . B3 . '-' . B3_SPAN . '-1');

$both = [$w3c, 'tracestate: a=1', 'b3: ' . B3 . '-' . B3_SPAN . '-1', 'baggage: c=3'];
visit(new OpaTestServer(CODE, ['opa.propagators' => 'tracecontext,b3']), 'b3 last', ...$both);
visit(new OpaTestServer(CODE, ['opa.propagators' => 'b3multi,tracecontext,baggage']), 'w3c last', ...$both);
visit(new OpaTestServer(CODE, ['opa.propagators' => 'baggage']), 'baggage', ...$both);
visit(new OpaTestServer(CODE, ['opa.propagators' => 'none']), 'none', ...$both);
visit(new OpaTestServer(CODE, ['opa.propagators' => 'b3', 'opa.trust_incoming' => '0']), 'not trusted', ...$both);
visit(new OpaTestServer(CODE, ['opa.propagators' => 'b3'], ['OTEL_TRACES_SAMPLER' => 'always_off']), 'always off', 'b3: ' . B3 . '-' . B3_SPAN . '-d');
visit(new OpaTestServer(CODE, ['opa.propagators' => 'b3', 'opa.sample_rate' => '0']), 'deferred', 'b3: ' . B3 . '-' . B3_SPAN);
visit(new OpaTestServer(CODE, [], ['OTEL_PROPAGATORS' => 'jaeger, B3 ']), 'variable', ...$both);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
none "new" true ""
  {"b3":"T-S-1"}
accept "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
accept with a parent "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
debug "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-d"}
defer "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
deny "b3" false "-"
  {"b3":"T-S-0"}
deny alone "new" false "-"
  {"b3":"T-S-0"}
short "b3 short" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
several "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
one before several "new" false "-"
  {"b3":"T-S-0"}
first of two "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
malformed "new" true ""
  {"b3":"T-S-1"}
traceparent "new" true ""
  {"b3":"T-S-1"}
accept "b3" true "e457b5a2e4d86bd1"
  {"X-B3-TraceId":"T","X-B3-SpanId":"S","X-B3-Sampled":"1"}
deny "b3" false "-"
  {"X-B3-TraceId":"T","X-B3-SpanId":"S","X-B3-Sampled":"0"}
debug "b3" true "e457b5a2e4d86bd1"
  {"X-B3-TraceId":"T","X-B3-SpanId":"S","X-B3-Flags":"1"}
one "b3" true "e457b5a2e4d86bd1"
  {"X-B3-TraceId":"T","X-B3-SpanId":"S","X-B3-Sampled":"1"}
b3 last "b3" true "e457b5a2e4d86bd1"
  {"traceparent":"00-T-S-01","b3":"T-S-1"}
w3c last "w3c" true "b7ad6b7169203331"
  {"X-B3-TraceId":"T","X-B3-SpanId":"S","X-B3-Sampled":"1","traceparent":"00-T-S-01","tracestate":"a=1","baggage":"c=3"}
baggage "-" true ""
  {"baggage":"c=3"}
none "-" true ""
  []
not trusted "new" true ""
  {"b3":"T-S-1"}
always off "b3" false "-"
  {"b3":"T-S-d"}
deferred "b3" false "-"
  {"b3":"T-S-0"}
variable "b3" true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
