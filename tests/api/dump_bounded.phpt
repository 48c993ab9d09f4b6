--TEST--
opa_dump() is cut at opa.max_value_length, however large or recursive the value is
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/dump_bounded.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_value_length=4K
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$list = [1];
$list['self'] = &$list;
$wide = array_fill(0, 1000, array_fill(0, 1000, 'x'));
$object = new stdClass();
for ($i = 0; $i < 1000; $i++) {
	$object->{"p$i"} = $object;
}
$span = opa_test_record(static function (string $id) use ($list, $wide, $object): void {
	opa_dump($list);
	opa_dump($wide);
	opa_dump($object);
	opa_dump(str_repeat("\xff", 1 << 20));
	opa_dump(...array_fill(0, 10000, 'x'));
	opa_dump($GLOBALS, new ReflectionClass('stdClass'), new ArrayObject([1]), new SplObjectStorage(), new DateTime(), new Exception('x'));
});
foreach ($span['events'] as $event) {
	$text = $event['tags']['opa.dump'];
	if (strlen($text) > 3 * 4096 || !preg_match('//u', $text)) {
		show('bad', strlen($text));
	}
}
show('events', count($span['events']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
events 6
