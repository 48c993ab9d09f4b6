--TEST--
opa.propagators: a script goes on in a trace that its environment names in B3's way
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/propagators.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const TRACE = '80f198ee56343ba864fe8b2a57d3eff7';
const PARENT = 'e457b5a2e4d86bd1';

function run(string $what, array $env, string $propagators = 'b3'): void
{
	$run = opa_test_run('<?php echo json_encode(opa_propagation_headers());', ['env' => $env, 'ini' => ['opa.propagators' => $propagators]]);
	$root = $run['spans'][0] ?? null;
	$trace = $root['trace'] ?? 'x';
	show($what, $trace === TRACE, $root['parent'] ?? null);
	echo '  ', preg_replace('/[a-f][0-9a-f]{15}(?=[-"])/', 'S', preg_replace('/[0-9a-f]{32}/', 'T', $run['out'])), "\n";
}

run('one', ['B3' => TRACE . '-' . PARENT . '-1']);
run('several', ['X_B3_TRACEID' => TRACE, 'X_B3_SPANID' => PARENT, 'X_B3_FLAGS' => '1'], 'b3multi');
run('deny', ['B3' => '0']);
run('not asked for', ['B3' => TRACE . '-' . PARENT . '-1'], 'tracecontext');
run('both', ['B3' => TRACE . '-' . PARENT . '-1', 'TRACEPARENT' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'BAGGAGE' => 'a=1'], 'tracecontext,baggage,b3');
run('none', ['B3' => TRACE . '-' . PARENT . '-1', 'BAGGAGE' => 'a=1'], 'none');
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
one true "e457b5a2e4d86bd1"
  {"b3":"T-S-1"}
several true "e457b5a2e4d86bd1"
  {"X-B3-TraceId":"T","X-B3-SpanId":"S","X-B3-Flags":"1"}
deny false null
  {"b3":"T-S-0"}
not asked for false ""
  {"traceparent":"00-T-S-03"}
both true "e457b5a2e4d86bd1"
  {"traceparent":"00-T-S-01","baggage":"a=1","b3":"T-S-1"}
none false ""
  []
