--TEST--
Values that throw, exit, end traces or switch tracing off while a trace is started
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/hostile.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

final class Code
{
	public function __construct(private Closure $code)
	{
	}

	public function __toString(): string
	{
		($this->code)();
		return 'x';
	}
}

$root = opa_root_span();
$job = opa_start_trace('throws', ['a' => new Code(fn () => throw new Exception('no'))]);
show('thrown', opa_end_trace($job), opa_test_span('throws')['tags'], opa_root_span() === $root);
final class Text
{
	public function __toString(): string
	{
		return 'text';
	}

	public function __destruct()
	{
		throw new Exception('from the destructor');
	}
}
try {
	// Converting `a` holds the object, and converting `b` takes away what held it before.
	$text = new Text;
	opa_start_trace('destructor throws', ['a' => &$text, 'b' => new Code(function () use (&$text): void {
		$text = null;
	})]);
	echo "nothing thrown\n";
} catch (Exception $e) {
	show('caught', $e->getMessage(), count(array_filter(opa_test_spans(), fn (array $s): bool => $s['name'] === 'destructor throws')));
}
show('root', opa_root_span() === $root);
$job = opa_start_trace('ended in between', ['a' => new Code(fn () => opa_end_trace($GLOBALS['outer'])), 'b' => 1] + (($outer = opa_start_trace('outer')) ? [] : []));
show('outer is gone', opa_root_span() === $job, opa_end_trace($outer), opa_end_trace($job), opa_root_span() === $root);
$job = opa_start_trace('nested in between', ['a' => new Code(fn () => opa_start_trace('by a value'))]);
show('nested', opa_root_span() === $job, opa_end_trace($job), opa_root_span() !== $root);
show('off', opa_start_trace('switched off', ['a' => new Code(fn () => opa_disable())], ['baggage' => 'a=' . random_int(0, 9)]));
opa_enable();
$run = opa_test_run('<?php final class Code { function __toString(): string { exit(3); } } opa_start_trace("exits", ["a" => new Code], ["baggage" => "a=" . random_int(0, 9)]); echo "not here";');
show('exit', $run['exit'], $run['out'], array_column($run['spans'], 'name'));
$run = opa_test_run('<?php final class Code { function __toString(): string { return undefined(); } } opa_start_trace("fails", ["a" => new Code], ["baggage" => "a=" . random_int(0, 9)]);', ['ini' => ['display_errors' => '0']]);
show('fatal', $run['exit'], array_column($run['spans'], 'name'));
foreach (['', str_repeat('n', 5000), "\xff", "a\0b"] as $name) {
	$job = opa_start_trace($name);
	opa_end_trace($job);
	foreach (opa_test_spans() as $span) {
		$span['id'] === $job && show('name', strlen($span['name']), preg_match("//u", $span["name"]));
	}
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
thrown true {"a":"Code"} true
caught "from the destructor" 1
root true
outer is gone true false true true
nested true true true
off "0000000000000000"
exit 3 "" ["script.php"]
fatal 0 ["script.php","fails"]
name 0 1
name 1024 1
name 3 1
name 3 1
