--TEST--
In a request that is not wanted the program's own traces are decided by themselves
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/unsampled_request.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.sample_rate=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const YES = ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'];
const ZERO = '0000000000000000';

$own = opa_traceparent();
show('off', opa_is_enabled(), opa_start_trace('by rate') === ZERO, opa_is_enabled());
show('of that', opa_traceparent() !== $own, substr(opa_traceparent(), -2), opa_end_trace(ZERO), opa_traceparent() === $own);
$job = opa_start_trace('job', [], YES);
show('on', $job !== ZERO, opa_is_enabled(), opa_root_span() === $job, opa_end_span(opa_start_span('in job')));
$fiber = new Fiber(function () use ($job): void {
	show('inherited', opa_root_span() === $job);
	$other = opa_start_trace('other', [], YES);
	Fiber::suspend();
	show('own', opa_root_span() === $other, opa_end_trace($other), opa_root_span() === $job);
	Fiber::suspend();
	show('nothing', opa_root_span(), opa_start_span('s'));
});
$fiber->start();
show('main', opa_root_span() === $job);
$fiber->resume();
show('end', opa_end_trace($job), opa_is_enabled(), opa_start_span('s') === ZERO, opa_traceparent() === $own);
$fiber->resume();
show('switched off', opa_disable(), opa_start_trace('job', [], YES) === ZERO, opa_enable(), opa_end_trace(opa_start_trace('again', [], YES)));
$job = opa_start_trace('switched', [], YES);
show('in it', opa_disable(), opa_start_span('s') === ZERO, opa_enable(), opa_end_span(opa_start_span('s')), opa_end_trace($job), opa_is_enabled());
$spans = opa_test_spans(opa_test_spool());
$names = array_column($spans, 'name', 'id');
foreach ($spans as $span) {
	show('span', $span['name'], array_map(static fn (array $link): string => $names[$link['span']], $span['links']));
}
$run = opa_test_run('<?php opa_start_trace("left", [], ' . var_export(YES, true) . '); throw new Exception("no");', ['ini' => ['display_errors' => '0']]);
$given_back = opa_test_run('<?php set_error_handler(fn () => false); opa_start_trace("failed", [], ' . var_export(YES, true) . '); trigger_error("no", E_USER_ERROR);', ['ini' => ['display_errors' => '0']]);
show('given back', array_map(static fn (array $s): array => [$s['name'], $s['status'], $s['events'][0]['tags']['exception.message'] ?? null], $given_back['spans']), $given_back['exit']);
show('left', array_map(static fn (array $s): array => [$s['name'], $s['status'], count($s['events'])], $run['spans']), $run['exit']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off false true false
of that true "02" false true
on true true true true
inherited true
main true
own true true true
end true false true true
nothing "0000000000000000" "0000000000000000"
switched off false true false true
in it true true true true true false
span "job" []
span "in job" []
span "other" ["job"]
span "again" []
span "switched" []
span "s" []
given back [["failed",2,"no"]] 255
left [["left",2,1]] 255
