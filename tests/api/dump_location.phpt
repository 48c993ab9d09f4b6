--TEST--
opa_dump() says the file and the line of its call
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/dump_location.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$included = opa_test_spool() . '/included.php';
file_put_contents($included, <<<'PHP'
<?php
$expected[] = [__FILE__, __LINE__ + 1];
opa_dump('at the top of an included file');

function of_included_file(): array
{
	opa_dump('in a function of an included file');
	return [__FILE__, __LINE__ - 1];
}
PHP);

function inner(): array
{
	opa_dump('in a function');
	return [__FILE__, __LINE__ - 1];
}

final class Dumper
{
	public function __invoke(): array
	{
		opa_dump('in a method'); return [__FILE__, __LINE__];
	}
}

$span = opa_test_record(static function () use ($included): void {
	global $expected;
	$expected[] = [__FILE__, __LINE__ + 1];
	opa_dump('in a closure');
	$expected[] = inner();
	require $included;
	$expected[] = of_included_file();
	$expected[] = (new Dumper())();
	// Called by PHP itself: the line of the program that has it called.
	$expected[] = [__FILE__, __LINE__ + 1];
	array_map('opa_dump', ['called by array_map()']);
	$expected[] = [__FILE__, __LINE__ + 1];
	call_user_func(opa_dump(...), 'called by call_user_func()');
	$expected[] = [__FILE__ . '(' . __LINE__ . ") : eval()'d code", 2]; eval("\nopa_dump('in eval()');");
});
foreach ($span['events'] as $i => $event) {
	show(trim($event['tags']['opa.dump'], "\"\n"), [$event['tags']['code.file.path'], $event['tags']['code.line.number']] === $expected[$i]);
}
show('line', $span['events'][1]['tags']['code.line.number'], $span['events'][2]['tags']['code.line.number']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
in a closure true
in a function true
at the top of an included file true
in a function of an included file true
in a method true
called by array_map() true
called by call_user_func() true
in eval() true
line 19 3
