--TEST--
A __toString that ends the parent, or switches tracing off: the new span is the current one's child, or none
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_ends_parent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Does {
	public function __construct(private Closure $what) {}
	public function __toString(): string { ($this->what)(); return 'text'; }
}
$root = opa_root_span();
$parent = opa_start_span('parent');
$child = opa_start_span('child', ['a' => new Does(fn () => opa_end_span($parent))], $parent);
opa_end_span($child);
show('child of the root', opa_test_span('child')['parent'] === $root);
show('off', opa_start_span('none', [new Does(fn () => opa_disable())]), opa_is_enabled());
opa_enable();
$id = opa_start_span('on');
show('off', opa_add_tag($id, 'a', new Does(fn () => opa_disable())), opa_enable(), opa_end_span($id));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
child of the root true
off "0000000000000000" false
off false true true
