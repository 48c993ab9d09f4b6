--TEST--
A started trace goes on from B3's headers, and does so whatever opa.trust_incoming says of requests
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/headers_b3.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.propagators=b3multi,baggage
opa.trust_incoming=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const TRACE = '80f198ee56343ba864fe8b2a57d3eff7';

function job(string $what, array $headers): void
{
	$job = opa_start_trace('job', [], $headers);
	$trace = opa_trace_id();
	$sent = preg_replace(['/[0-9a-f]{32}/', '/[a-f][0-9a-f]{15}/'], ['T', 'S'], json_encode(opa_propagation_headers()));
	show($what, $job !== '0000000000000000', $trace === TRACE, $sent);
	opa_end_trace($job);
}

job('one', ['b3' => TRACE . '-e457b5a2e4d86bd1-1', 'baggage' => 'a=1']);
job('several', ['X-B3-TraceId' => TRACE, 'X-B3-SpanId' => 'e457b5a2e4d86bd1', 'X-B3-Flags' => '1']);
job('first of several', ['X-B3-TraceId' => [TRACE, 'x'], 'x-b3-spanid' => ['e457b5a2e4d86bd1', 'y'], 'x-b3-sampled' => ['1', '0']]);
job('denied', ['b3' => TRACE . '-e457b5a2e4d86bd1-0']);
job('W3C is not asked for', ['traceparent' => '00-' . TRACE . '-e457b5a2e4d86bd1-01']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
one true true "{\"X-B3-TraceId\":\"T\",\"X-B3-SpanId\":\"S\",\"X-B3-Sampled\":\"1\",\"baggage\":\"a=1\"}"
several true true "{\"X-B3-TraceId\":\"T\",\"X-B3-SpanId\":\"S\",\"X-B3-Flags\":\"1\"}"
first of several true true "{\"X-B3-TraceId\":\"T\",\"X-B3-SpanId\":\"S\",\"X-B3-Sampled\":\"1\"}"
denied false false "{\"X-B3-TraceId\":\"T\",\"X-B3-SpanId\":\"S\",\"X-B3-Sampled\":\"0\"}"
W3C is not asked for true false "{\"X-B3-TraceId\":\"T\",\"X-B3-SpanId\":\"S\",\"X-B3-Sampled\":\"1\"}"
