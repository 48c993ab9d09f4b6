--TEST--
Overridden methods are not called; unset or strange properties do no harm
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exception_overridden.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Strange extends Exception {
	public function __construct(string $m = 'm') { $this->message = $m; }
	public function __toString(): string { echo "must not run\n"; return ''; }
	public function __get($name) { echo "must not run\n"; }
	public function strip(): static { unset($this->message, $this->code, $this->file, $this->line); return $this; }
	public function poison(): static {
		$this->message = [1, 2];
		$this->code = new stdClass();
		return $this;
	}
}
function set(Throwable $e, string $name, mixed $value): Throwable {
	(new ReflectionProperty(Exception::class, $name))->setValue($e, $value);
	return $e;
}
$loop = new Exception('loop');
foreach (['plain' => new Strange(), 'stripped' => (new Strange())->strip(), 'poisoned' => (new Strange())->poison(),
	'no trace' => set(new Exception('t'), 'trace', []), 'odd trace' => set(new Exception('t'), 'trace', [1, 'x', [], ['file' => [], 'line' => 'x', 'function' => 7, 'class' => null]]),
	'unconstructed' => (new ReflectionClass('Strange'))->newInstanceWithoutConstructor(),
	'itself' => set($loop, 'previous', $loop), 'long' => new Exception(str_repeat("\xff", 1 << 20)),
	'anonymous' => new class('a') extends Exception {}, 'reference' => (function () { $e = new Strange(); $r = &$e->line; return $e; })->call(new Strange())] as $what => $e) {
	$span = opa_test_record(static fn (string $id) => opa_record_exception($id, $e));
	$tags = $span['events'][0]['tags'];
	show($what, $tags['exception.type'], substr($tags['exception.message'], 0, 3), strlen($tags['exception.stacktrace']) > 10, $span['status']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
plain "Strange" "m" true 2
stripped "Strange" "" true 2
poisoned "Strange" "" true 2
no trace "Exception" "t" true 2
odd trace "Exception" "t" true 2
unconstructed "Strange" "" true 2
itself "Exception" "loo" true 2
long "Exception" "�" true 2
anonymous "Exception@anonymous" "a" true 2
reference "Strange" "m" true 2
