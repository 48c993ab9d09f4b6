--TEST--
Requests of one process have their own traces, and ids of an earlier one mean nothing
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/requests_apart.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$server = new OpaTestServer(<<<'PHP'
<?php
$file = __DIR__ . '/kept';
$old = is_file($file) ? file_get_contents($file) : '';
$id = opa_start_span('s', ['n' => $_GET['n']]);
opa_add_tag(opa_root_span(), 'answers', [opa_add_tag($old, 'late', 1), opa_end_span($old), opa_set_parent($id, $old)]);
file_put_contents($file, $id);
ini_set('opa.enabled', '0');
PHP);
$ids = [];
for ($i = 0; $i < 20; $i++) {
	$span = $server->trace("/?n=$i");
	$ids[] = $span['trace'];
	if ($span['tags']['answers'] !== [false, false, false]) {
		show('answers', $span['tags']['answers']);
	}
}
show('traces', count(array_unique($ids)));
$spans = opa_test_spans($server->spool);
show('spans', count($spans), count(array_filter($spans, fn ($s) => $s['name'] === 's' && ($s['tags']['opa.unfinished'] ?? false) && !isset($s['tags']['late']))));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
traces 20
spans 40 20
