--TEST--
opa.keep_errors=1: a trace with an error in any of its spans is kept, others are dropped and counted; while it runs it is as any other, but for the flag
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/keep_errors.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$run = static function (string $what, string $code, array $ini = []): void {
	$run = opa_test_run("<?php $code", ['ini' => $ini + ['opa.keep_errors' => '1', 'opa.sample_rate' => '0', 'display_errors' => '0', 'log_errors' => '0']]);
	$root = opa_test_root($run);
	show($what, count($run['spans']), $root['tags']['opa.kept'] ?? null, $root === null ? null : $root['flags'] & 255, $root['state'] ?? null, $run['out']);
};
$run('fine', 'opa_end_span(opa_start_span("s")); echo substr(opa_traceparent(), -3), json_encode(opa_propagation_headers() === ["traceparent" => opa_traceparent()]);');
$run('root', 'opa_set_status(opa_root_span(), OPA_STATUS_ERROR);');
$run('finished span', '$s = opa_start_span("s"); opa_set_status($s, OPA_STATUS_ERROR); opa_end_span($s); opa_end_span(opa_start_span("t"));');
$run('open span', 'opa_set_status(opa_start_span("s"), OPA_STATUS_ERROR);');
$run('caught and recorded', '$s = opa_start_span("s"); try { throw new Exception; } catch (Exception $e) { opa_record_exception($s, $e); } opa_end_span($s);');
$run('caught', 'try { throw new Exception; } catch (Exception $e) {}');
$run('set right', '$s = opa_start_span("s"); opa_set_status($s, OPA_STATUS_ERROR); opa_set_status($s, OPA_STATUS_OK); opa_end_span($s);');
$run('uncaught', 'opa_start_span("s"); throw new Exception;');
$run('fatal', 'nobody_knows();');
$run('exit', 'exit(3);');
$run('late', 'register_shutdown_function(fn () => opa_set_status(opa_root_span(), OPA_STATUS_ERROR));');
$run('head', 'opa_end_span(opa_start_span("s")); echo substr(opa_traceparent(), -3);', ['opa.sample_rate' => '1']);
$run('head and error', 'exit(1);', ['opa.sample_rate' => '1']);
$run('off', 'exit(1);', ['opa.keep_errors' => '0']);
$run('functions', '$s = opa_start_span("s"); echo json_encode([opa_is_enabled(), opa_enable(), opa_current_span() === $s, opa_root_span() !== $s, strlen(opa_trace_id()), opa_status()["trace_id"] === opa_trace_id(), opa_disable(), opa_is_enabled(), opa_enable()]);');
$run('counters', '
	opa_end_span(opa_start_span("s"));
	$c = opa_status()["counters"];
	echo json_encode([$c["traces_started"], $c["spans_started"], $c["traces_sampled_out"]]);
');
$run('limits', 'opa_add_tag(opa_root_span(), "k", "v"); exit(1);', ['opa.max_attributes' => '0']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
fine 0 null null null "-02true"
root 1 "error" 2 null ""
finished span 3 "error" 2 null ""
open span 2 "error" 2 null ""
caught and recorded 2 "error" 2 null ""
caught 0 null null null ""
set right 0 null null null ""
uncaught 2 "error" 2 null ""
fatal 1 "error" 2 null ""
exit 1 "error" 2 null ""
late 1 "error" 2 null ""
head 2 "head" 3 "ot=th:0" "-03"
head and error 1 "head" 3 "ot=th:0" ""
off 0 null null null ""
functions 0 null null null "[true,true,true,true,32,true,true,false,true]"
counters 0 null null null "[0,0,0]"
limits 1 "error" 2 null ""
