--TEST--
An id of another process means nothing
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/id_of_other_process.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$first = opa_test_run('<?php echo opa_start_span("first");');
$run = opa_test_run(<<<'PHP'
<?php
$id = $argv[1];
$child = opa_start_span('child', [], $id);
echo json_encode([opa_add_tag($id, 'a', 1), opa_end_span($id), opa_set_parent($child, $id)]);
PHP, ['args' => $first['out']]);
show('an id', preg_match('/^[a-f][0-9a-f]{15}$/D', $first['out']));
echo $run['out'], "\n";
show('the child', opa_test_span('child', $run['spans'])['parent'] === opa_test_root($run)['id']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
an id 1
[false,false,false]
the child true
