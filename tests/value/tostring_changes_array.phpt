--TEST--
A __toString that changes the array that is being walked, also through references
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_changes_array.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Changes {
	public function __construct(private Closure $what) {}
	public function __toString(): string { ($this->what)(); return 'text'; }
}
$tags = [];
$inner = ['one' => 1];
$tags = ['first' => 'a', 'object' => null, 'inner' => &$inner, 'last' => str_repeat('z', 100)];
$tags['object'] = new Changes(function () use (&$tags, &$inner): void {
	$inner = ['changed' => str_repeat('c', 1000)];
	unset($tags['last'], $tags['first']);
	for ($i = 0; $i < 100; $i++) {
		$tags["more $i"] = str_repeat('m', $i);
	}
});
$id = opa_start_span('by value');
show('set', opa_add_tags($id, $tags), opa_end_span($id));
$span = opa_test_span('by value');
show('kept', array_keys($span['tags']), strlen($span['tags']['last']));

// The reference is given up while the walk is inside what it points to.
$list = null;
$object = new Changes(function () use (&$list): void {
	$list = null;
	$GLOBALS['garbage'] = array_map(fn ($i) => str_repeat('g', $i), range(1, 500));
});
$list = [str_repeat('a', 50), $object, str_repeat('b', 50), [str_repeat('c', 50)]];
$holder = ['list' => &$list];
$span = opa_test_record(static fn (string $id) => opa_add_tag($id, 'v', $holder));
show('list', array_map(fn ($v) => is_array($v) ? strlen($v[0]) : strlen($v), $span['tags']['v']->list));

// The object itself is given up while it is asked for its text.
$only = new Changes(function () use (&$only): void {
	$only = null;
	gc_collect_cycles();
});
$refs = [&$only, 'after'];
show('only', opa_test_record(static fn (string $id) => opa_add_tag($id, 'v', $refs))['tags']['v']);

// Text behind a reference is replaced while a later element is asked.
$text = str_repeat('t', 300);
$later = [&$text, new Changes(function () use (&$text): void { $text = 'short'; })];
show('text', array_map('strlen', opa_test_record(static fn (string $id) => opa_add_tag($id, 'v', $later))['tags']['v']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true
kept ["first","object","inner","last"] 100
list [50,4,50,50]
only ["text","after"]
text [300,4]
