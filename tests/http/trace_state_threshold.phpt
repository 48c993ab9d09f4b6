--TEST--
ot=th in tracestate: the probability by which a trace was chosen, sent on and stored; passed on from a caller that is followed; erased where it is not true
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_state_threshold.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

const LOW = '0af7651916cd43dd84000000000000ff';
const HIGH = '0af7651916cd43dd84ffffffffffff00';

/** Flag and tracestate as they are sent on, and the tracestate of the span. */
function visit(OpaTestServer $server, string $what, ?string $trace, string $flags = '01', string $state = ''): void
{
	$headers = $trace === null ? [] : ["traceparent: 00-$trace-b7ad6b7169203331-$flags"];
	$state === '' || $headers[] = "tracestate: $state";
	$before = count(opa_test_spans($server->spool));
	[, $sent] = explode("\r\n\r\n", $server->send('/', 'GET', $headers), 2);
	$sent = json_decode($sent, true);
	$spans = $sent['recorded'] ? $server->spans($before + 1) : opa_test_spans($server->spool);
	$stored = count($spans) > $before ? end($spans)['state'] ?? null : '-';
	show($what, substr($sent['traceparent'], -2), $sent['tracestate'] ?? null, $stored);
}

function server(array $settings = [], array $env = []): OpaTestServer
{
	$code = '<?php isset($_SERVER["HTTP_BAGGAGE"]); echo json_encode(opa_propagation_headers() + ["recorded" => opa_is_enabled()]);';
	return new OpaTestServer($code, $settings, $env);
}

$server = server();
visit($server, 'nothing set', null);
visit($server, 'followed', HIGH, '01', 'a=1,ot=th:c;rv:ffffffffffffff');
visit($server, 'followed, no threshold', HIGH, '01', 'a=1,ot=p:8');
visit($server, 'followed, does not agree', LOW, '01', 'a=1,ot=th:c');
visit($server, 'followed, malformed', HIGH, '01', 'ot=th:C;p:8,a=1');
visit($server, 'followed, agrees by rv', LOW, '01', 'ot=th:c;rv:ffffffffffffff');
visit($server, 'not wanted, agrees', LOW, '00', 'a=1,ot=th:c');
visit($server, 'not wanted, does not agree', HIGH, '00', 'a=1,ot=th:c');
$server = server(['opa.sample_rate' => '1']);
visit($server, 'rate 1', null);
visit($server, 'rate 1, followed', HIGH, '01', 'a=1');
$server = server(['opa.sample_rules' => '"GET /=1;*=0.5"']);
visit($server, 'rule 1', null);
$server = server(['opa.sample_rules' => '"GET /=0"']);
visit($server, 'rule 0', null);
$alone = ['OTEL_TRACES_SAMPLER' => 'traceidratio', 'OTEL_TRACES_SAMPLER_ARG' => '0.25'];
$server = server([], $alone);
visit($server, 'alone', HIGH, '00', 'a=1,ot=th:8;p:8');
visit($server, 'alone, not wanted', LOW, '01', 'a=1,ot=th:0;p:8');
visit($server, 'alone, wanted by rv', LOW, '01', 'ot=rv:c0000000000000');
visit($server, 'alone, not wanted by rv', HIGH, '01', 'ot=rv:bfffffffffffff');
$server = server(['opa.keep_slow' => '1us'], $alone);
visit($server, 'kept at the end', LOW, '01', 'a=1,ot=th:0;p:8');
visit($server, 'wanted, and would be kept', HIGH, '01', 'a=1');
$server = server(['opa.keep_slow' => '1us']);
visit($server, 'not wanted by the caller, kept', LOW, '00', 'a=1,ot=th:c');
$server = server(['opa.rate_limit' => '100000', 'opa.sample_rate' => '1']);
visit($server, 'rate limit', null);
visit($server, 'rate limit, followed', HIGH, '01', 'ot=th:c,a=1');
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
nothing set "03" null null
followed "01" "a=1,ot=th:c;rv:ffffffffffffff" "a=1,ot=th:c;rv:ffffffffffffff"
followed, no threshold "01" "a=1,ot=p:8" "a=1,ot=p:8"
followed, does not agree "01" "a=1" "a=1"
followed, malformed "01" "ot=p:8,a=1" "ot=p:8,a=1"
followed, agrees by rv "01" "ot=th:c;rv:ffffffffffffff" "ot=th:c;rv:ffffffffffffff"
not wanted, agrees "00" "a=1,ot=th:c" "-"
not wanted, does not agree "00" "a=1" "-"
rate 1 "03" "ot=th:0" "ot=th:0"
rate 1, followed "01" "a=1" "a=1"
rule 1 "03" "ot=th:0" "ot=th:0"
rule 0 "02" null "-"
alone "01" "ot=th:c;p:8,a=1" "ot=th:c;p:8,a=1"
alone, not wanted "00" "ot=p:8,a=1" "-"
alone, wanted by rv "01" "ot=th:c;rv:c0000000000000" "ot=th:c;rv:c0000000000000"
alone, not wanted by rv "00" "ot=rv:bfffffffffffff" "-"
kept at the end "00" "ot=p:8,a=1" "ot=p:8,a=1"
wanted, and would be kept "01" "ot=th:c,a=1" "ot=th:c,a=1"
not wanted by the caller, kept "00" "a=1,ot=th:c" "a=1"
rate limit "03" null null
rate limit, followed "01" "a=1" "a=1"
