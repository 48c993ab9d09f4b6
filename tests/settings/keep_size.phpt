--TEST--
A trace that waits for its end is kept when it comes near opa.max_trace_size, and goes on as any other then
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/keep_size.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$code = '<?php
	$text = str_repeat("x", 4000);
	for ($i = 0; $i < COUNT; $i++) {
		$s = opa_start_span("s");
		opa_add_tag($s, "k", $text);
		opa_end_span($s);
	}
	$c = opa_status()["counters"];
	echo json_encode([$c["refused_trace_size"], $c["spans_kept"] > 0, substr(opa_traceparent(), -3)]);
	EXIT
';
$run = static function (string $what, int $count, string $exit, array $ini) use ($code): void {
	$run = opa_test_run(strtr($code, ['COUNT' => $count, 'EXIT' => $exit]), ['ini' => $ini + ['opa.max_trace_size' => '1M', 'opa.keep_errors' => '1', 'opa.sample_rate' => '0']]);
	$records = opa_test_records($run['spool']);
	$sizes = array_column($records, 'length');
	show($what, $run['out'], count($run['spans']), opa_test_root($run)['tags']['opa.kept'] ?? null, min(count($records), 9), $sizes !== [] && max($sizes) > 500_000);
};
$run('small', 150, '', []);
$run('large', 250, '', []);
$run('large, then an error', 250, 'exit(1);', []);
$run('much larger', 1000, '', []);
$run('an error before', 250, '', ['auto_prepend_file' => __DIR__ . '/../utils/error.inc']);
$run('wanted', 250, '', ['opa.sample_rate' => '1']);
$run('no rule', 250, '', ['opa.sample_rate' => '1', 'opa.keep_errors' => '0']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
small "[0,false,\"-02\"]" 0 null 0 false
large "[0,true,\"-02\"]" 251 "size" 2 true
large, then an error "[0,true,\"-02\"]" 251 "size" 2 true
much larger "[0,true,\"-02\"]" 1001 "size" 9 true
an error before "[0,true,\"-02\"]" 251 "error" 2 true
wanted "[0,true,\"-03\"]" 251 "head" 6 false
no rule "[0,true,\"-03\"]" 251 null 6 false
