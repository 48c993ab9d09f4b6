--TEST--
Arrays that contain themselves end at depth 4
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/array_recursive.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$list = [1];
$list[] = &$list;
$map = ['x' => 1];
$map['self'] = &$map;
$both = ['l' => &$list, 'm' => &$map];
$list[] = &$both;
show('list', opa_test_record(null, ['list' => $list])['tags']['list'][1][1][1]);
show('map', opa_test_record(null, ['map' => $map])['tags']['map']->self->self->self);
show('set', opa_test_record(static fn (string $id) => show('both', opa_add_tags($id, $both)))['tags']['m']->x);
show('itself', opa_test_record(static fn (string $id) => show('set', opa_add_tags($id, $map)))['tags']['x']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
list [1,"array","array"]
map {"x":1,"self":"array"}
both true
set 1
set true
itself 1
