--TEST--
A script's root span is internal, named after the file, with its facts
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/script_name.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php usleep(1);', ['args' => '--password=hunter topsecret']);
$root = opa_test_root($run);
show('root', $root['name'], $root['kind'], $root['status'], array_keys($root['tags']));
// (Without PHP's own allocator there is no peak.)
show('facts', $root['tags']['php.memory.peak'] > 100000 || getenv('USE_ZEND_ALLOC') === '0', $root['tags']['php.cpu.time'] >= 0, basename($root['tags']['process.command']));
show('arguments', str_contains(json_encode($run['spans']), 'hunter'), str_contains(json_encode($run['spans']), 'topsecret'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root "script.php" 1 0 ["process.executable.name","process.command","php.cpu.time","php.memory.peak","process.exit.code"]
facts true true "script.php"
arguments false false
