--TEST--
opa_flush() answers true once the exporter has brought everything into the store
--EXTENSIONS--
opa
pdo
pdo_sqlite
--SKIPIF--
<?php
if (!getenv('OPA_EXPORTER')) die('skip needs opa-exporter beside the extension');
if (getenv('USE_ZEND_ALLOC') === '0' && !getenv('SKIP_ASAN')) die('skip the exporter is not to be traced');
?>
--INI--
opa.spool_dir={PWD}/flush_exporter.spool
opa.store_path={PWD}/flush_exporter.spool/traces.db
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$id = opa_start_span('s', ['a' => 1]);
opa_end_span($id);
show('flush', opa_flush(20000));
$store = new PDO('sqlite:' . ini_get('opa.store_path'));
show('stored', $store->query("SELECT name, attributes FROM spans WHERE span_id = '$id'")->fetchAll(PDO::FETCH_NUM));
show('running', opa_status()['exporter']['running']);
posix_kill((int) opa_status()['exporter']['state']['pid'], 15);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
flush true
stored [["s","{\"a\":1}"]]
running true
