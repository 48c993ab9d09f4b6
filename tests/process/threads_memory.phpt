--TEST--
A thread that ends gives back what it had
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/threads.inc';
opa_test_threads_missing() === null || die('skip ' . opa_test_threads_missing());
?>
--INI--
opa.spool_dir={PWD}/threads_memory.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/threads.inc';

$request = 'opa_end_span(opa_start_span("a span"));';
$code = '<?php for ($i = 0; $i < 60; $i++) { $served = opa_test_threads(8, 2, ' . var_export($request, true) . ', "opa.service_name", "round $i host "); $bytes[] = opa_test_malloced(); } echo $served, " ", json_encode($bytes);';
$run = opa_test_run($code, ['ini' => ['extension' => opa_test_threads_build()], 'env' => ['USE_ZEND_ALLOC' => '1']]);
[$served, $bytes] = explode(' ', $run['out'], 2) + ['', 'null'];
$bytes = json_decode($bytes);
show('served', $served, $run['exit'], $run['signal'], count(array_keys(array_column($run['spans'], 'name'), 'a span')));
// By then the 64 shards of the span table, and the configs that are kept to be found again, have what they need.
$more = end($bytes) - $bytes[19]; // of 320 threads
show('less than 50 bytes a thread', $more < 16000 ? true : $more);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
served "16" 0 0 960
less than 50 bytes a thread true
