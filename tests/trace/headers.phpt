--TEST--
A started trace goes on from a message's headers; what is malformed is as if it were not there
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/headers.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const OK = '00-' . TRACE . '-b7ad6b7169203331-01';

function job(string $what, ?array $headers): void
{
	$job = opa_start_trace('job', [], $headers);
	$sent = json_encode(opa_propagation_headers(), JSON_UNESCAPED_SLASHES);
	$trace = opa_trace_id();
	opa_end_trace($job);
	foreach (opa_test_spans() as $span) {
		if ($span['id'] === $job) {
			show($what, $trace === TRACE, $span['parent'], $span['flags'] >> 8, $span['state'] ?? null, str_replace([$trace, $job], ['T', 'S'], $sent));
		}
	}
}

job('null', null);
job('none', []);
job('parent', ['traceparent' => OK]);
job('any case', ['TRACEPARENT' => OK, 'TraceState' => 'a=1', 'Baggage' => 'b=2', 'Content-Type' => 'x']);
job('lists', ['traceparent' => [OK], 'tracestate' => ['a=1,b=2', '', 'c=3'], 'baggage' => ['d=4', 'e=5']]);
job('spaces', ['traceparent' => " \t" . OK . ' ', 'tracestate' => ' a=1 ']);
job('twice', ['traceparent' => [OK, OK], 'tracestate' => 'a=1']);
job('twice by case', ['traceparent' => OK, 'Traceparent' => OK]);
job('state in two', ['tracestate' => 'a=1', 'traceparent' => OK, 'TRACESTATE' => 'b=2']);
job('malformed', ['traceparent' => 'ff-' . TRACE . '-b7ad6b7169203331-01', 'tracestate' => 'a=1', 'baggage' => "b=\n"]);
job('bad state', ['traceparent' => OK, 'tracestate' => 'a=1,B=2']);
job('no strings', ['traceparent' => 12, 'tracestate' => [null, 1.5, new stdClass], 'baggage' => true, 7 => OK, '' => OK]);
job('nested', ['traceparent' => [[OK]]]);
$by_reference = OK;
job('reference', ['traceparent' => &$by_reference]);
job('b3 is not asked for', ['b3' => TRACE . '-b7ad6b7169203331-1']);
job('very many', ['traceparent' => OK, 'tracestate' => array_map(static fn (int $i): string => "k$i=v", range(1, 100000))]);
job('beyond 64 of a name', ['traceparent' => OK, 'tracestate' => [...array_fill(0, 64, ''), 'a=1']]);
job('64 of a name', ['traceparent' => OK, 'tracestate' => [...array_fill(0, 63, ''), 'a=1']]);
$baggage = implode(',', array_map(static fn (int $i): string => "k$i=v", range(1, 70)));
opa_start_trace('baggage', [], ['baggage' => $baggage]);
show('baggage', substr_count(opa_propagation_headers()['baggage'], '='));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
null false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
none false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
parent true "b7ad6b7169203331" 3 null "{\"traceparent\":\"00-T-S-01\"}"
any case true "b7ad6b7169203331" 3 "a=1" "{\"traceparent\":\"00-T-S-01\",\"tracestate\":\"a=1\",\"baggage\":\"b=2\"}"
lists true "b7ad6b7169203331" 3 "a=1,b=2,c=3" "{\"traceparent\":\"00-T-S-01\",\"tracestate\":\"a=1,b=2,c=3\",\"baggage\":\"d=4,e=5\"}"
spaces true "b7ad6b7169203331" 3 "a=1" "{\"traceparent\":\"00-T-S-01\",\"tracestate\":\"a=1\"}"
twice false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
twice by case false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
state in two true "b7ad6b7169203331" 3 "a=1,b=2" "{\"traceparent\":\"00-T-S-01\",\"tracestate\":\"a=1,b=2\"}"
malformed false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
bad state true "b7ad6b7169203331" 3 null "{\"traceparent\":\"00-T-S-01\"}"
no strings false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
nested false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
reference true "b7ad6b7169203331" 3 null "{\"traceparent\":\"00-T-S-01\"}"
b3 is not asked for false "" 1 null "{\"traceparent\":\"00-T-S-03\"}"
very many true "b7ad6b7169203331" 3 null "{\"traceparent\":\"00-T-S-01\"}"
beyond 64 of a name true "b7ad6b7169203331" 3 null "{\"traceparent\":\"00-T-S-01\"}"
64 of a name true "b7ad6b7169203331" 3 "a=1" "{\"traceparent\":\"00-T-S-01\",\"tracestate\":\"a=1\"}"
baggage 64
