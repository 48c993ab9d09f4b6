--TEST--
Lists and maps are kept to depth 4; what lies deeper becomes "array"
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/array_nested.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$deep = 'bottom';
for ($i = 0; $i < 10; $i++) {
	$deep = [$deep];
}
$map = ['a' => ['b' => ['c' => ['d' => ['e' => 'f']]]]];
$span = opa_test_record(null, ['four' => [[[['x']]]], 'ten' => $deep, 'map' => $map,
	'mixed' => [1, 'two' => 2.5, 3 => [true, null, 'x']], 'empty' => [], 'gap' => [1 => 'a'], 'list' => ['a', 'b']]);
foreach ($span['tags'] as $key => $value) {
	show($key, $value);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
four [[[["x"]]]]
ten [[[["array"]]]]
map {"a":{"b":{"c":{"d":"array"}}}}
mixed {"0":1,"two":2.5,"3":[true,null,"x"]}
empty []
gap {"1":"a"}
list ["a","b"]
