--TEST--
opa.rate_limit: no second has more traces, whatever a caller says; the others are counted, and say so in what they send on
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/rate_limit.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer('<?php echo json_encode(["on" => opa_is_enabled(), "sent" => opa_propagation_headers(), "counted" => opa_status()["counters"]["traces_rate_limited"]]);', [
	'opa.rate_limit' => '5',
	'opa.sample_rules' => '"/never=0; *=1"',
]);
$ask = static fn (string $target, array $headers = []): array
	=> json_decode(explode("\r\n\r\n", $server->send($target, 'GET', $headers), 2)[1], true);
$parent = ['traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'tracestate: ot=th:0;p:1,a=1'];
$begun = hrtime(true);
$on = 0;
for ($i = 0; $i < 40; $i++) {
	$ask('/never');
}
for ($i = 0; $i < 60; $i++) {
	$answer = $ask('/', $i % 2 ? $parent : []);
	$on += $answer['on'];
	$flag = substr($answer['sent']['traceparent'], -1);
	$answer['on'] === in_array($flag, ['1', '3'], true) || show('flag', $answer);
	($answer['sent']['tracestate'] ?? null) === ($i % 2 ? 'ot=p:1,a=1' : null) || show('state', $answer);
}
$seconds = intdiv(hrtime(true) - $begun, 1_000_000_000);
show('within the limit', $on >= 5, $on <= 5 * ($seconds + 1), $answer['counted'] === 60 - $on);
$spans = $server->spans($on);
show('recorded', count($spans) === $on, array_unique(array_column($spans, 'state')));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
within the limit true true true
recorded true ["ot=p:1,a=1"]
